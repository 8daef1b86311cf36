import mujoco
import numpy as np
import pytest

from naf_robot.arm.model.config import ArmConfig
from naf_robot.core.errors import ConfigError, RobotModelError, SimulationError, UnknownNameError
from naf_robot.core.resources import find
from naf_robot.sim.mujoco.world import MujocoSimulator
from naf_robot.sim.registry import World
from naf_robot.sim.simulator import ImperfectionConfig, SimulatorConfig, steps_per_period

JOINTS = tuple(f"joint_{i}" for i in range(1, 8))
ARM = ArmConfig(urdf="urdf/arm7.urdf", tool_frame="tool", joints=JOINTS, home=(0.0, 0.3, 0.0, -1.6, 0.0, 1.2, 0.0))


def simulator(robots=("a",), seed=0, **settings) -> MujocoSimulator:
    return MujocoSimulator(World(dict.fromkeys(robots, ARM), "free", SimulatorConfig(**settings), 0.05, seed))


def test_kinematics_and_physics_read_the_same_file_alike():
    world, kinematics = simulator(), ARM.model()
    random = np.random.default_rng(0)
    for _ in range(20):
        position = random.uniform(-1.5, 1.5, 7)
        data = mujoco.MjData(world.model("a"))
        data.qpos[:7] = position
        mujoco.mj_forward(world.model("a"), data)
        np.testing.assert_allclose(data.body("tool").xpos, kinematics.tool_position(position), atol=1e-9)


def test_the_arm_does_not_sag_and_follows_velocities():
    world = simulator()
    start = world.signals("a")["joint_position"]
    for _ in range(40):
        world.step()
    np.testing.assert_allclose(world.signals("a")["joint_position"], start, atol=1e-3)
    velocity = np.array([0.4, -0.3, 0.2, 0.4, -0.4, 0.3, 0.5])
    world.command("a", velocity)
    for _ in range(20):
        world.step()
    np.testing.assert_allclose(world.signals("a")["joint_velocity"], velocity, atol=0.05)


def test_the_last_command_holds_for_ever():
    world = simulator()
    world.command("a", np.full(7, 0.1))
    for _ in range(60):
        world.step()
    assert (world.signals("a")["joint_velocity"] > 0.08).all()


def test_robots_do_not_share_state():
    world = simulator(("a", "b"))
    world.command("a", np.full(7, 0.2))
    for _ in range(5):
        world.step()
    assert np.abs(world.signals("b")["joint_velocity"]).max() < 1e-6
    assert world.time_s == pytest.approx(0.25)
    world.reset("a", np.zeros(3), at_home=True)
    np.testing.assert_allclose(world.signals("a")["joint_position"], ARM.home)


def test_bad_commands_are_refused_and_the_last_one_stays():
    world = simulator()
    world.command("a", np.full(7, 0.2))
    for bad in (np.full(7, np.nan), np.zeros(6)):
        with pytest.raises(SimulationError, match="must be 7 finite numbers"):
            world.command("a", bad)
    with pytest.raises(UnknownNameError, match="unknown robot 'c'; valid: a"):
        world.command("c", np.zeros(7))
    for _ in range(10):
        world.step()
    assert world.signals("a")["joint_velocity"][0] > 0.15


def test_an_exploding_world_is_an_error():
    world = simulator()
    world.data("a").qvel[2] = 1e7
    with pytest.raises(SimulationError, match="the world of 'a' diverged"):
        world.step()


@pytest.mark.parametrize(("period", "step"), [(0.05, 0.003), (0.05, 0.1), (0.02, 0.015)])
def test_a_physics_step_that_does_not_divide_is_refused(period, step):
    with pytest.raises(ConfigError, match=f"{step} s must divide the control period {period} s"):
        steps_per_period(period, step)


def test_steps_per_period_survives_decimal_fractions():
    assert [steps_per_period(0.05, s) for s in (0.005, 0.001, 0.05, 0.002)] == [10, 50, 1, 25]


def test_imperfections_delay_blur_and_drop():
    exact = simulator()
    delayed = simulator(imperfections=ImperfectionConfig(sensor_delay_periods=2))
    seen, true = [], []
    for world in (exact, delayed):
        world.command("a", np.full(7, 0.3))
    for _ in range(10):
        exact.step()
        delayed.step()
        true.append(exact.signals("a")["joint_position"])
        seen.append(delayed.signals("a")["joint_position"])
    np.testing.assert_allclose(seen[2:], true[:-2])
    noisy = simulator(imperfections=ImperfectionConfig(position_noise=0.01))
    errors = []
    for _ in range(200):
        noisy.step()
        errors.append(noisy.signals("a")["joint_position"] - np.array(ARM.home))
    assert np.std(errors) == pytest.approx(0.01, rel=0.15)
    lossy = simulator(imperfections=ImperfectionConfig(dropout=0.5))
    lossy.command("a", np.full(7, 0.3))
    readings = []
    for _ in range(200):
        lossy.step()
        readings.append(lossy.signals("a")["joint_position"][0])
    kept = np.mean(np.diff(readings) == 0.0)
    assert 0.35 < kept < 0.65


def test_actuator_lag_slows_the_response():
    quick, slow = simulator(), simulator(imperfections=ImperfectionConfig(actuator_lag_s=0.2))
    for world in (quick, slow):
        world.command("a", np.full(7, 0.3))
        for _ in range(3):
            world.step()
    assert slow.signals("a")["joint_velocity"][4] < 0.7 * quick.signals("a")["joint_velocity"][4]


def test_a_urdf_without_the_joint_or_frame_lists_what_it_has():
    with pytest.raises(UnknownNameError, match=r"unknown joint 'elbow' in URDF arm7.urdf; valid: joint_1"):
        ArmConfig(urdf="urdf/arm7.urdf", tool_frame="tool", joints=("elbow",), home=(0.0,)).model()
    with pytest.raises(UnknownNameError, match=r"unknown tool frame 'gripper'.*valid: .*tool"):
        ArmConfig(urdf="urdf/arm7.urdf", tool_frame="gripper", joints=JOINTS, home=ARM.home).model()
    with pytest.raises(ConfigError, match=r"one position for each of the 7 joints, got 1"):
        ArmConfig(urdf="urdf/arm7.urdf", tool_frame="tool", joints=JOINTS, home=(0.0,))


def test_a_file_that_is_no_urdf_is_said(tmp_path):
    path = tmp_path / "arm.urdf"
    path.write_text("<robot")
    with pytest.raises(RobotModelError, match="is not a valid URDF"):
        ArmConfig(urdf=str(path), tool_frame="tool", joints=JOINTS, home=ARM.home).model()
    assert find("urdf/arm7.urdf").is_file()
