"""Kinds of action: to joint velocities and back, on our 7-DoF arm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.arm.control.actions import ACTION_SPECS, JointVelocity, ToolTwist, make_action_spec, register
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.run.config import resolve
from naf_robot.run.environments import make_environment

ARM = resolve("reach").robot("robot_1").arm
MODEL = ARM.model()
HOME = np.array(ARM.home)
LIMITS = MODEL.limits()
JOINT_SPEED = 1.0


def bound(spec):
    return spec.bind(MODEL, LIMITS, JOINT_SPEED)


@pytest.fixture(params=sorted(ACTION_SPECS))
def spec(request):
    return make_action_spec({"kind": request.param})


def test_every_kind_names_its_numbers_and_keeps_to_its_bounds(spec):
    actions = bound(spec)
    assert len(actions.names) == len(set(actions.names)) == actions.size == spec.size(7)
    assert actions.bounds.shape == (actions.size,)
    assert (actions.bounds > 0.0).all()
    random = np.random.default_rng(0)
    for _ in range(100):
        velocity = actions.joint_velocity(random.uniform(-1, 1, actions.size), HOME + random.uniform(-0.5, 0.5, 7))
        assert velocity.shape == (7,)
        assert (np.abs(velocity) <= actions.max_joint_velocity + 1e-12).all()
    np.testing.assert_array_equal(actions.joint_velocity(np.zeros(actions.size), HOME), np.zeros(7))


def test_every_kind_comes_back_from_the_velocities_that_it_asks_for(spec):
    actions = bound(spec)
    random = np.random.default_rng(1)
    for _ in range(50):
        action = random.uniform(-0.4, 0.4, actions.size)
        back = actions.action(actions.joint_velocity(action, HOME), HOME, action)
        np.testing.assert_allclose(back, action, atol=0.02)


def test_joint_velocities_are_the_numbers_times_the_bounds():
    actions = bound(JointVelocity())
    action = np.linspace(-1, 1, 7)
    np.testing.assert_array_equal(actions.bounds, np.minimum(JOINT_SPEED, LIMITS.max_velocity))
    np.testing.assert_array_equal(actions.joint_velocity(action, HOME), action * actions.bounds)
    assert not actions.ends_episode(np.ones(7))
    assert actions.gripper(np.ones(7)) is None


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4))
def test_the_tool_moves_as_asked(numbers):
    actions, action, step_s = bound(ToolTwist(max_speed=0.2, max_turn=0.5)), np.array(numbers), 1e-3
    assert actions.names == ("x", "y", "z", "turn_z")
    velocity = actions.joint_velocity(action, HOME)
    moved = (MODEL.tool_position(HOME + step_s * velocity) - MODEL.tool_position(HOME)) / step_s
    turned = (MODEL.tool_twist_jacobian(HOME) @ velocity)[5]
    asked = np.concatenate((0.2 * action[:3], [0.5 * action[3]]))
    scale = 1.0
    if np.abs(velocity).max() > 0.999 * JOINT_SPEED and np.linalg.norm(asked) > 0.0:  # slowed as a whole
        scale = float(np.linalg.norm([*moved, turned]) / np.linalg.norm(asked))
    np.testing.assert_allclose([*moved, turned], scale * asked, atol=5e-3)


def test_a_stretched_arm_moves_slower_than_asked_and_not_faster_than_its_joints_may():
    actions = bound(ToolTwist(max_speed=1.0))
    stretched = np.zeros(7)
    velocity = actions.joint_velocity(np.array([0.0, 0.0, 1.0, 0.0]), stretched)  # along the arm
    assert np.isfinite(velocity).all()
    assert np.abs(velocity).max() <= JOINT_SPEED + 1e-12


def test_gripper_and_end_are_numbers_of_their_own():
    actions = bound(ToolTwist(rotation="none", gripper=True, terminate=True))
    assert actions.names == ("x", "y", "z", "gripper", "terminate")
    action = np.array([0.1, 0.0, 0.0, -0.7, 0.5])
    np.testing.assert_array_equal(actions.gripper(action), [-0.7])
    assert actions.ends_episode(action)
    assert not actions.ends_episode(-action)
    np.testing.assert_array_equal(actions.action(np.zeros(7), HOME, action), [0.0, 0.0, 0.0, -0.7, 0.5])


@pytest.mark.parametrize(("count", "names"), [(1, ("gripper",)), (3, ("gripper_1", "gripper_2", "gripper_3"))])
def test_numbers_for_a_gripper_come_after_those_of_the_joints(count, names):
    spec = JointVelocity(gripper=count)
    actions = bound(spec)
    assert (spec.size(7), actions.size, spec.gripper_size) == (7 + count, 7 + count, count)
    assert spec.names(MODEL.joint_names) == actions.names == (*MODEL.joint_names, *names)
    action = np.linspace(-0.9, 0.9, 7 + count)
    np.testing.assert_array_equal(actions.gripper(action), action[7:])
    velocity = actions.joint_velocity(action, HOME)
    np.testing.assert_array_equal(velocity, bound(JointVelocity()).joint_velocity(action[:7], HOME))
    np.testing.assert_allclose(actions.action(0.5 * velocity, HOME, action), [*(0.5 * action[:7]), *action[7:]])


def test_bad_specs_are_refused():
    with pytest.raises(UnknownNameError, match=r"kind of action 'thought' in task.actions; valid: joint_velo"):
        make_action_spec({"kind": "thought"})
    with pytest.raises(UnknownNameError, match=r"rotation 'sideways' in the action tool_twist; valid: all, none"):
        ToolTwist(rotation="sideways")
    with pytest.raises(ConfigError, match=r"max_speed"):
        make_action_spec({"kind": "tool_twist", "max_speed": -1.0})
    with pytest.raises(UnknownNameError, match=r"unknown configuration key 'speed' in task.actions"):
        make_action_spec({"kind": "tool_twist", "speed": 1.0})
    with pytest.raises(ConfigError, match="already"):
        register("tool_twist", ToolTwist)


def test_a_task_can_be_driven_by_the_tool():
    config = resolve("reach", overrides=[{"task": {"actions": {"kind": "tool_twist", "terminate": True}}}])
    environment = make_environment(config)
    assert environment.action_space.shape == (5,)
    environment.reset(seed=0)
    start = environment._signals["tool_position"]
    for _ in range(5):
        *_, terminated, truncated, info = environment.step(np.array([0.0, 1.0, 0.0, 0.0, -1.0]))
        assert (terminated, truncated) == (False, False)
    assert environment._signals["tool_position"][1] - start[1] > 0.02
    assert info["executed_action"].shape == (5,)
    *_, terminated, truncated, _ = environment.step(np.array([0.0, 0.0, 0.0, 0.0, 1.0]))
    assert (terminated, truncated) == (True, False)
