"""Values against each other, before anything is written."""

from pathlib import Path

import pytest

from naf_robot.core.errors import ConfigError
from naf_robot.run.checks import CHECKS, check, problems
from naf_robot.run.config import RunConfig, resolve, task_files


@pytest.mark.parametrize("task", task_files())
def test_our_own_tasks_have_no_problem(task: str):
    assert problems(resolve(task)) == []


DEGREES = {"arm": {"home": [0, 17, 0, -90, 0, 70, 0]}}
TABLE = {"safety": {"half_spaces": [{"name": "table", "normal": [0, 0, 1], "offset": 2.0}]}}
BOX = {"safety": {"keep_out_boxes": [{"name": "crate", "min_corner": [-2, -2, -2], "max_corner": [2, 2, 2]}]}}


@pytest.mark.parametrize(
    ("overrides", "name", "text"),
    [
        (
            DEGREES,
            "home_within_limits",
            r"has 17 rad for 'joint_2', outside .*in degrees it would be within: write 0.2967",
        ),
        (
            {"arm": {"home": [0, 3, 0, -1.6, 0, 1.2, 0]}},
            "home_within_limits",
            r"3 rad for 'joint_2', outside .* to 2\.09 rad$",
        ),
        (
            {"safety": {"sphere": {"centre": [2.0, 0, 0]}}},
            "home_in_workspace",
            r"at home the tool .* change arm\.home or",
        ),
        (TABLE, "home_in_workspace", "beyond half-space 'table'"),
        (BOX, "home_in_workspace", "inside keep-out box 'crate'"),
        (
            {"task": {"target_centre": [2, 0, 0]}},
            "targets_reachable",
            "a target of task 'reach' .* which admits 0.32 m",
        ),
        ({"collector": {"action_velocity": 57}}, "action_velocity", r"57 rad/s is far beyond .* it would be 0\.995"),
        ({"trainer": {"device": "cuda:99"}}, "device", "'cuda:99' is not present: "),
        ({"trainer": {"device": "gpu"}}, "device", "'gpu' is unknown; valid: cpu, cuda"),
        ({"backend": "gazebo"}, "backends", "'gazebo' is unknown; valid: mujoco, ros2_control"),
        ({"robots": {"a": {"backend": "ros2_control"}, "b": {}}}, "backends", "cannot share one run"),
        ({"simulated_time": False}, "backends", "simulated_time must be true with backend 'mujoco'"),
        ({"output": {"kind": "torque"}}, "outputs", "'torque' is unknown; valid: position, trajectory, velocity"),
        ({"first_run": True}, "outputs", "first_run is for real arms: give --simulated false too"),
    ],
)
def test_each_contradiction_is_one_sentence_with_what_would_be_right(overrides: dict, name: str, text: str):
    config = resolve("reach", overrides=[overrides])
    found = problems(config)
    assert {problem.check for problem in found} == {name}
    with pytest.raises(ConfigError, match=text) as caught:
        check(config)
    assert "\n" not in str(caught.value)


def changed_arm(my_arm: Path, old: str, new: str, **arm: object) -> RunConfig:
    urdf = my_arm.parent / "small.urdf"
    text = urdf.read_text()
    assert old in text
    urdf.write_text(text.replace(old, new))
    return resolve("reach", overrides=[{"robots": ["arm"], "profile": str(my_arm), "arm": arm}])


def test_what_the_arms_description_lacks_is_said_with_the_joint(my_arm: Path):
    text = (my_arm.parent / "small.urdf").read_text()
    velocity = text.partition('velocity="')[2].partition('"')[0]
    config = changed_arm(my_arm, f'velocity="{velocity}"', 'velocity="0"')
    assert any("has velocity limit 0 in small.urdf; it must be positive" in p.sentence for p in problems(config))
    (my_arm.parent / "small.urdf").write_text(text)
    effort = text.partition('effort="')[2].partition('"')[0]
    config = changed_arm(my_arm, f'effort="{effort}"', 'effort="0"')
    assert {problem.check for problem in problems(config)} == {"stated_limits"}


def test_a_link_without_inertia_is_said(my_arm: Path):
    urdf = my_arm.parent / "small.urdf"
    before, _, rest = urdf.read_text().rpartition("<inertial>")
    while rest:
        urdf.write_text(before + rest.partition("</inertial>")[2])
        config = resolve("reach", overrides=[{"robots": ["arm"], "profile": str(my_arm)}])
        if any(problem.check == "inertia" for problem in problems(config)):
            assert "needs <inertial> there" in problems(config)[0].sentence
            return
        before, _, rest = urdf.read_text().rpartition("<inertial>")
    pytest.fail("no link without inertia was found")


def test_a_joint_that_is_controlled_twice_is_said():
    config = resolve("reach", overrides=[{"arm": {"joints": ["joint_1", "joint_1"], "home": [0, 0]}}])
    assert "joints has 'joint_1' 2 times; name each joint once" in problems(config)[0].sentence


def test_every_check_has_a_docstring():
    from naf_robot.run import checks

    assert all(getattr(checks, name).__doc__ for name in CHECKS)
