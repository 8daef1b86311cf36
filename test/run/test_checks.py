"""Values against each other, before anything is written."""

import re
from pathlib import Path

import pytest
from rendering import skip_if_it_cannot_render

from naf_robot.core.errors import ConfigError
from naf_robot.run.checks import OF_ROBOT, OF_RUN, check, problems
from naf_robot.run.config import RunConfig, resolve, task_files


@pytest.mark.parametrize("task", task_files())
def test_our_own_tasks_have_no_problem(task: str):
    skip_if_it_cannot_render(task)
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
        (
            {"trainer": {"sources": {"demonstration": 0.5}}},
            "sources",
            r"nothing fills demonstration in this run; filled are: online",
        ),
        (
            {"algorithm": {"cloning_weight": [[0, 1.0], [10, 0.0]]}},
            "sources",
            r"none are learned from: give trainer\.sources\.demonstration a share",
        ),
        ({"trainer": {"device": "cuda:99"}}, "device", "'cuda:99' is not present: "),
        ({"trainer": {"device": "gpu"}}, "device", "'gpu' is unknown; valid: cpu, cuda"),
        ({"backend": "dream"}, "backends", "'dream' is unknown; valid: gazebo, mujoco, ros2_control"),
        ({"robots": {"a": {"backend": "ros2_control"}, "b": {}}}, "backends", "cannot share one run"),
        ({"simulated_time": False}, "backends", "simulated_time must be true with backend 'mujoco'"),
        (
            {"velocity_control": {"sensor_limits_s": {"door/imuu": 0.1}}},
            "velocity_control",
            "names the sensor 'door/imuu', which is unknown; valid: .*door/imu,",
        ),
        (
            {"velocity_control": {"contact": {"max_effort": {"joint_8": 1.0}}}},
            "velocity_control",
            "unknown joint 'joint_8' in contact.max_effort; valid: joint_1, ",
        ),
        ({"simulator": {"scene": {"x": 1}}}, "simulated_arm", "cannot be built: unknown configuration key 'x'"),
        ({"output": {"kind": "torque"}}, "outputs", "'torque' is unknown; valid: position, trajectory, velocity"),
        (
            {"target_success": 0.9, "trainer": {"evaluation_rule": "sequential"}},
            "evaluation",
            "target_success=0.9 is of trainer.evaluation_rule=window, and it is sequen",
        ),
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


def test_a_velocity_limit_of_zero_is_none_and_may_be_stated_in_the_configuration(my_arm: Path):
    config = changed_arm(my_arm, 'effort="176" velocity="1.48"', 'effort="176" velocity="0"')
    (problem,) = problems(config)
    assert problem.sentence == (
        "robots.arm: joint 'joint_1' has no max_velocity: the URDF states none, or 0, which means the same; state it "
        "there or as safety.joints.joint_1.max_velocity"
    )
    slow = {"joint_1": {"max_velocity": 1.0}, "joint_2": {"max_velocity": 1.0}}
    overrides = {"robots": ["arm"], "profile": str(my_arm), "safety": {"joints": slow}}
    assert problems(resolve("reach", overrides=[overrides])) == []


def test_missing_inertia_is_a_note_and_a_missing_effort_a_problem_for_contact_alone(my_arm: Path):
    urdf = my_arm.parent / "small.urdf"
    urdf.write_text(re.sub(r"<inertial>.*?</inertial>", "", urdf.read_text(), flags=re.DOTALL))
    config = changed_arm(my_arm, 'effort="176"', 'effort="0"')
    assert [(each.check, each.sentence) for each in problems(config)] == [
        (
            "velocity_control",
            "robots.arm.velocity_control: joint 'joint_1' has no effort limit: state one in the URDF or "
            "contact.max_effort",
        )
    ]
    thresholds = {"velocity_control": {"contact": {"max_effort": {"joint_1": 90.0, "joint_2": 90.0}}}}
    overrides = {"robots": ["arm"], "profile": str(my_arm)} | thresholds
    assert problems(resolve("reach", overrides=[overrides])) == []
    notes = config.robot("arm").arm.description().notes
    assert len([note for note in notes if "moves and has no inertia" in note]) == 8  # seven links and the hook


def test_a_joint_that_is_controlled_twice_is_said():
    config = resolve("reach", overrides=[{"arm": {"joints": ["joint_1", "joint_1"], "home": [0, 0]}}])
    assert "joints has 'joint_1' 2 times; name each joint once" in problems(config)[0].sentence


def test_every_check_has_a_docstring():
    assert all(check.__doc__ for check in (*OF_RUN.values(), *OF_ROBOT.values()))
