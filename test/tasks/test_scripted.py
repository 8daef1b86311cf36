"""Scripted policies without a simulator: which tasks have one, and that what they ask for is an action."""

import numpy as np
import pytest

from naf_robot.arm.control.actions import make_action_spec
from naf_robot.core.errors import ConfigError, NafRobotError, UnknownNameError
from naf_robot.run.config import resolve, task_files
from naf_robot.sensing import rotation
from naf_robot.sensing.geometry_poses import signals_of
from naf_robot.sensing.signals import for_continuous_joints, with_kinematics
from naf_robot.tasks.door_geometry import HINGE_AXIS
from naf_robot.tasks.pick_place import GEOMETRIES
from naf_robot.tasks.scripted import registry
from naf_robot.tasks.scripted.door import Stage
from naf_robot.tasks.scripted.policy import ScriptedArm


def scene(task_name, actions=None, **overrides):
    """The task's script with its arm, and the signals at home with the goal of one episode."""
    config = resolve(task_name, overrides=[overrides])
    own, *_ = config.robots.values()
    model, task = own.arm.model(), config.make_task()
    spec = make_action_spec(actions or {})
    arm = ScriptedArm(model, spec.bind(model, model.limits(), 1.0))
    signals = {
        "joint_position": np.array(own.arm.home),
        "joint_velocity": np.zeros(model.size),
        "camera": np.zeros((64, 64, 3), np.uint8),
        "door_angle": np.zeros(1),
        "handle_angle": np.zeros(1),
        **signals_of(GEOMETRIES, np.tile([0.55, 0.0, 0.5], (14, 1)), np.tile(np.eye(3).ravel(), (14, 1))),
        "door_orientation": rotation.about_axis(HINGE_AXIS, 0.0),
    }
    return task, registry.make_scripted(task, arm), arm, signals, task.sample_goal(np.random.default_rng(0))


def seen(task, arm, signals, goal):
    return task.observation(with_kinematics(signals, arm.model), goal)


@pytest.mark.parametrize("task", task_files())
def test_every_task_of_ours_has_a_script_or_says_why_it_has_none(task):
    assert (task in registry.SCRIPTED) != (task in registry.WITHOUT)
    assert all(registry.WITHOUT.values())


def test_a_task_without_a_script_is_one_sentence(monkeypatch: pytest.MonkeyPatch):
    task, _, arm, *_ = scene("reach")
    task.name = "juggle"
    with pytest.raises(UnknownNameError, match=r"unknown scripted policy for task 'juggle'.*door_pull"):
        registry.make_scripted(task, arm)
    monkeypatch.setitem(registry.WITHOUT, "juggle", "nobody can")
    with pytest.raises(ConfigError, match=r"task 'juggle' has no scripted policy: nobody can"):
        registry.make_scripted(task, arm)


@pytest.mark.parametrize("actions", [{}, {"kind": "tool_twist", "rotation": "all", "gripper": True, "terminate": True}])
@pytest.mark.parametrize("task_name", sorted(registry.SCRIPTED))
def test_what_a_script_asks_for_is_an_action(task_name, actions):
    task, script, arm, signals, goal = scene(task_name, actions)
    script.begin(goal)
    action = script.act(seen(task, arm, signals, goal))
    assert action.shape == (arm.actions.size,)
    assert 0.0 < np.abs(action).max() <= 1.0
    assert not arm.actions.ends_episode(action)


def test_a_shortened_action_keeps_its_direction():
    _, _, arm, signals, _ = scene("reach")
    slow, fast = (arm.action(signals["joint_position"], speed * np.array([0.0, 0.6, 0.8])) for speed in (0.05, 50.0))
    np.testing.assert_allclose(fast / np.linalg.norm(fast), slow / np.linalg.norm(slow), atol=1e-9)
    assert np.abs(fast).max() == pytest.approx(1.0)
    moved = arm.model.tool_twist_jacobian(signals["joint_position"])[:3] @ arm.actions.joint_velocity(slow, None)
    np.testing.assert_allclose(moved, [0.0, 0.03, 0.04], atol=2e-3)


def test_joints_that_turn_without_end_are_read_from_sine_and_cosine():
    task, script, arm, signals, goal = scene("reach", profile="gen3")
    turning = [bool(each) for each in arm.model.continuous]
    assert any(turning)
    assert task.observation_spec == for_continuous_joints(scene("reach")[0].observation_spec, turning)
    script.begin(goal)
    home = script.act(seen(task, arm, signals, goal))
    signals["joint_position"] = signals["joint_position"] + 2.0 * np.pi * arm.model.continuous
    np.testing.assert_allclose(script.act(seen(task, arm, signals, goal)), home, atol=1e-5)


def test_an_observation_without_joints_is_refused():
    _, script, *_, goal = scene("reach")
    script.begin(goal)
    with pytest.raises(NafRobotError, match="needs the joints' positions, the observation has"):
        script.act({"target": np.zeros(3)})


@pytest.mark.parametrize("task_name", ["door_push", "door_pull", "door_real"])
def test_a_hook_that_has_lost_the_lever_begins_again(task_name):
    task, script, arm, signals, goal = scene(task_name)
    script.begin(goal)
    script.act(seen(task, arm, signals, goal))
    signals["joint_position"] = signals["joint_position"] + 0.5  # far from the lever
    script.stage = Stage.OPEN
    script.act(seen(task, arm, signals, goal))
    assert script.stage == Stage.OVER


def test_a_door_that_still_hangs_in_its_latch_is_not_pulled_on():
    task, script, arm, signals, goal = scene("door_real")
    script.begin(goal)
    script.stage = Stage.OPEN
    script.act(seen(task, arm, signals, goal))  # at home, above a lever at rest
    assert script.stage == Stage.TURN
