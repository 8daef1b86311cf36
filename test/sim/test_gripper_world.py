"""A gripper's fingers, a stick on a string and poses of geometries in the simulated world."""

import numpy as np
import pytest

from naf_robot.core.errors import NafRobotError, SimulationError, UnknownNameError
from naf_robot.run.config import resolve
from naf_robot.run.worlds import make_simulator

REST = np.array([0.55, 0.0, 0.5])


def world(task="pick_place", **overrides):
    return make_simulator(resolve(task, overrides=[{"robots": ["a"], "profile": "arm6", **overrides}]), ("a",))


@pytest.fixture
def hand():
    return world()


def steps(simulator, count):
    for _ in range(count):
        simulator.step()
    return simulator.signals("a")


def test_fingers_close_and_open_by_torque_and_hold_their_last_command(hand):
    hand.command_gripper("a", np.array([0.5, 0.25, 0.25]))
    closed = steps(hand, 60)
    assert (closed["gripper_position"] > 0.4).all()
    hand.command_gripper("a", np.array([-0.5, -0.25, -0.25]))
    opened = steps(hand, 60)
    np.testing.assert_allclose(opened["gripper_position"], 0.0, atol=0.02)
    assert opened["gripper_velocity"].shape == (3,)


def test_a_bad_command_is_refused_and_the_last_one_stays(hand):
    hand.command_gripper("a", np.full(3, 0.3))
    for bad in (np.zeros(2), np.full(3, np.nan), np.zeros((3, 1))):
        with pytest.raises(SimulationError, match="gripper command of 'a' must be 3 finite numbers"):
            hand.command_gripper("a", bad)
    assert (steps(hand, 40)["gripper_position"] > 0.2).all()
    with pytest.raises(UnknownNameError, match="unknown robot 'c'"):
        hand.command_gripper("c", np.zeros(3))


def test_a_gripper_that_the_task_does_not_move_is_locked():
    fixed = world("reach")
    assert "gripper_position" not in fixed.signals("a")
    with pytest.raises(SimulationError, match="'a' has no gripper that is moved in this world"):
        fixed.command_gripper("a", np.zeros(3))


def test_a_reset_opens_the_hand_and_hangs_the_stick_up_again(hand):
    hand.command_gripper("a", np.full(3, 0.5))
    hand.command("a", np.array([0.3, 0.0, -0.5, 0.0, 0.0, 0.0]))
    assert np.linalg.norm(steps(hand, 80)["stick_position"] - REST) > 0.01
    hand.reset("a", np.array([0.5, 0.0, 0.6]), at_home=True)
    signals = hand.signals("a")
    np.testing.assert_allclose(signals["stick_position"], REST)
    np.testing.assert_allclose(signals["gripper_position"], 0.0)
    np.testing.assert_allclose(steps(hand, 20)["gripper_position"], 0.0, atol=0.01)  # no torque is left


def test_the_string_pulls_and_does_not_push(hand):
    data, joint = hand.data("a"), hand.model("a").joint("stick").qposadr[0]
    np.testing.assert_allclose(steps(hand, 100)["stick_position"], REST, atol=2e-3)  # it carries the stick
    data.qpos[joint : joint + 3] = (0.55, 0.0, 0.6)
    falling = steps(hand, 8)["stick_position"]
    assert REST[2] + 0.05 < falling[2] < REST[2] + 0.09  # which falls freely when it is lifted,
    lowest = min(steps(hand, 1)["stick_position"][2] for _ in range(100))
    assert lowest > REST[2] - 0.02  # and is caught


def test_poses_of_all_observed_geometries_are_sensed(hand):
    names = resolve("pick_place").sensors["geometry_poses"]["names"]
    signals = hand.signals("a")
    assert len(names) == 14
    for name in names:
        number = hand.model("a").geom(name).id
        np.testing.assert_array_equal(signals[f"{name}_position"], hand.data("a").geom_xpos[number])
        np.testing.assert_array_equal(signals[f"{name}_rotation"], hand.data("a").geom_xmat[number])


def test_a_geometry_that_the_world_does_not_have_is_one_sentence():
    with pytest.raises(UnknownNameError, match=r"unknown geometry 'spoon' in sensors.geometry_poses; valid: .*stick"):
        world(sensors={"geometry_poses": {"names": ["spoon"]}})


def test_gravity_is_felt_and_held():
    moved = {share: world(simulator={"gravity_compensation": share}) for share in (0.0, 1.0)}
    down = {share: REST[2] - steps(each, 100)["palm_position"][2] for share, each in moved.items()}
    assert down[0.0] - down[1.0] > 0.002
    assert down[0.0] < 0.05


def test_the_world_says_what_a_finger_is_called_that_it_does_not_have():
    gripper = {"joints": ["finger_1", "finger_2", "toe"], "max_effort": [1.0, 0.5, 0.5]}
    with pytest.raises(NafRobotError, match=r"unknown joint 'toe' in URDF arm6.urdf; valid: .*finger_1"):
        world(gripper=gripper)
