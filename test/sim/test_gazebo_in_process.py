"""What is Gazebo's alone: rotors of light joints, doors that are replaced while the server runs, its signals."""

import os
import signal

import numpy as np
import pytest
from simulator_promises import ARM, DOOR_ARM, simulator, steps

from naf_robot.core.errors import ConfigError
from naf_robot.sim.registry import SIMULATORS, World, make_simulator
from naf_robot.sim.servos import servos_of
from naf_robot.sim.simulator import SimulatorConfig

MISSING = SIMULATORS["gazebo"].missing()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=f"simulator 'gazebo': {MISSING}")


def test_a_light_joint_that_gets_loose_under_the_full_effort_of_its_servo_stays_at_a_speed_that_arms_have():
    world = simulator("gazebo").robot_world("a")
    servos, step_s = servos_of(ARM.model(), SimulatorConfig()), SimulatorConfig().physics_step_s
    wrist = world._joints[-1]
    world._server.run(1, lambda: wrist.exert(float(servos.effort[-1])))
    alone = servos.effort[-1] * step_s / servos.armature[-1]
    assert 0.0 < wrist.velocity() <= 2.0 * alone  # the arm that it is on is free, too


def test_doors_of_other_physics_leave_nothing_behind():
    world = simulator("gazebo", arm=DOOR_ARM, scene="door", settings={"variation": {"draw": "training"}})
    masses, handles = set(), []
    for number in range(12):
        world.reset("a", np.array([0.8, 0.2 + 0.001 * number, 0.5]), at_home=True)
        steps(world, 1)
        masses.add(world.robot_world("a").scene.physics.panel_mass)
        handles.append(len(os.listdir("/proc/self/fd")) + len(os.listdir("/proc/self/task")))
    assert len(masses) == 12
    assert handles[-1] <= handles[2]


def test_an_arm_in_motion_goes_on_when_another_door_is_laid_before_it():
    world = simulator("gazebo", arm=DOOR_ARM, scene="door", settings={"variation": {"draw": "training"}})
    velocity = np.array([0.3, 0.0, 0.2, 0.0, 0.0, 0.0, -0.3])
    world.command("a", velocity)
    steps(world, 10)
    before = world.signals("a")
    world.reset("a", np.array([2.0, 0.3, 0.5]), at_home=False)
    np.testing.assert_array_equal(world.signals("a")["joint_position"], before["joint_position"])
    steps(world, 1)
    moved = world.signals("a")["joint_position"] - before["joint_position"]
    np.testing.assert_allclose(moved, 0.05 * velocity, atol=2e-3)


@pytest.mark.parametrize("asked", [{"gravity_compensation": 0.5}, {"geometries": ("link_1_0",)}])
def test_what_it_does_not_do_is_refused_and_not_left_out(asked):
    compensation, geometries = asked.get("gravity_compensation", 1.0), asked.get("geometries", ())
    config = SimulatorConfig(gravity_compensation=compensation)
    with pytest.raises(ConfigError, match="compensates gravity wholly and senses no poses of geometries"):
        make_simulator("gazebo", World({"a": ARM}, "free", config, 0.05, geometries=geometries))


def test_signals_belong_to_the_process_after_a_server_was_made():
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        world = simulator("gazebo")
        os.kill(os.getpid(), signal.SIGTERM)
        steps(world, 1)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [signal.SIGTERM]
    assert world.time_s == pytest.approx(0.05)
