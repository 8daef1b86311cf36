"""What is said about the driver of a real arm, from what was observed of it."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from naf_robot.run.config import resolve
from naf_robot.run.driver_findings import Motion, Observed, State, driver_findings, motion_findings
from naf_robot.run.robot import DriverConfig, OutputConfig, RobotConfig

PERIOD_S = 0.05
JOINTS = tuple(f"joint_{k}" for k in range(1, 8))


@pytest.fixture(scope="module")
def robot() -> RobotConfig:
    values = {"robots": ["arm"], "backend": "ros2_control", "simulated_time": False}
    return resolve("reach", overrides=[values]).robot("arm")


def states(names=JOINTS, hz=100.0, age_s=0.002, velocity=True, gap_s=0.0) -> list[State]:
    times = np.arange(0.0, 3.0, 1.0 / hz)
    times = times[(times < 1.0) | (times > 1.0 + gap_s)]
    zeros = (0.0,) * len(names)
    return [State(tuple(names), zeros, zeros if velocity else (), time - age_s, time) for time in times.tolist()]


GOOD = Observed(
    duration_s=3.0,
    states=states(),
    state_topics=("/arm/joint_states",),
    state_publishers=("/arm/joint_state_broadcaster",),
    command_listeners=("/arm/velocity_controller",),
    controller_joints=JOINTS,
)
FASTER = [state for name in (JOINTS[:4], JOINTS[4:]) for state in states(name)]


def test_a_good_driver_has_one_warning_that_nothing_stops_a_killed_sender(robot: RobotConfig):
    found = driver_findings(robot, PERIOD_S, GOOD)
    assert [each.check for each in found if each.level != "ok"] == ["without commands"]
    for output, driver in (
        (OutputConfig(kind="trajectory"), DriverConfig()),
        (OutputConfig(kind="position"), DriverConfig()),
        (OutputConfig(), DriverConfig(timeout_s=0.2)),
    ):
        safe = msgspec.structs.replace(robot, output=output, driver=driver)
        assert all(each.level == "ok" for each in driver_findings(safe, PERIOD_S, GOOD))


@pytest.mark.parametrize(
    ("changed", "check", "level", "text"),
    [
        (
            {"states": []},
            "joint states",
            "problem",
            "no message on 'joint_states' of the robot's namespace within 3 s",
        ),
        ({"states": states(JOINTS[:6])}, "joint names", "problem", "joint states have no joint_7; they have joint_1"),
        ({"states": states((*JOINTS, "finger"))}, "joint names", "ok", "all 7 joints are there, and 1 others"),
        ({"states": FASTER}, "rate", "ok", "100 Hz"),
        ({"states": states(velocity=False)}, "joint states", "problem", "no velocities of joint_1"),
        ({"states": states(hz=25.0)}, "rate", "warning", "25 Hz"),
        ({"states": states(gap_s=0.3)}, "rate", "problem", "longest gap 3"),
        ({"states": states(age_s=0.3)}, "clock", "problem", "300.0 ms old at the median"),
        ({"states": states(age_s=-0.3)}, "clock", "problem", "clock is 0.300 s ahead"),
        ({"state_publishers": ("/arm/a", "/arm/b")}, "publishers", "warning", "published by /arm/a, /arm/b"),
        ({"command_writers": ("/arm/teleop",)}, "commands", "problem", "/arm/teleop may write to"),
        ({"command_listeners": ()}, "commands", "problem", "no node takes commands on 'velocity_controller/commands'"),
        ({"controller_joints": None}, "joint order", "warning", "does not say its joints"),
        ({"controller_joints": JOINTS[::-1]}, "joint order", "ok", "has another order, joint_7, joint_6"),
        ({"controller_joints": JOINTS[1:]}, "joint order", "problem", "has the joints joint_2"),
    ],
)
def test_each_fault_of_a_driver_is_one_finding(robot: RobotConfig, changed: dict, check: str, level: str, text: str):
    found = driver_findings(robot, PERIOD_S, replace(GOOD, **changed))
    assert any(each.check == check and each.level == level and text in each.found for each in found), found
    others = [each for each in found if each.level != "ok" and each.check not in {check, "without commands"}]
    assert others == []


def moved(*, scale: float = 1.0, swap: bool = False, also: float = 0.0) -> Motion:
    asked = np.full(3, 0.03)
    made = np.diag(scale * asked)
    if swap:
        made[[0, 1]] = made[[1, 0]]
    made[0, 2] = also
    return Motion(asked, made, {"requests end": 0.1})


@pytest.mark.parametrize(
    ("motion", "texts"),
    [
        (moved(), []),
        (moved(scale=0.0), ["a: asked for 0.030 rad, made 0.000 rad", "b: asked", "c: asked"]),
        (moved(scale=-1.0), ["it moves the other way"] * 3),
        (moved(swap=True), ["b moved instead", "a moved instead"]),
        (moved(also=0.02), ["other joints moved too"]),
        (replace(moved(), rest_s={"requests end": None}), ["the arm went on moving"]),
        (replace(moved(), rest_s={"requests end": 1.5}), ["at rest after 1.50 s only"]),
    ],
)
def test_a_motion_that_is_not_what_was_asked_is_a_problem(motion: Motion, texts: list[str]):
    wrong = [each.found for each in motion_findings(("a", "b", "c"), motion) if each.level == "problem"]
    assert len(wrong) == len(texts)
    assert all(text in found for text, found in zip(texts, wrong, strict=True))
