"""What every registered simulator does; those that this machine lacks are skipped, and say what to install."""

from pathlib import Path

import numpy as np
import pytest
from simulator_promises import (
    ARM,
    DOOR_ARM,
    PERIOD,
    PROMISES,
    a_seeded_reset_depends_on_the_seed_alone_to_the_last_bit,
    simulator,
    steps,
)

from naf_robot.arm.control.actions import ToolTwist
from naf_robot.arm.model.config import ArmConfig
from naf_robot.core.errors import NafRobotError, SimulationError, UnknownNameError
from naf_robot.run.config import resolve
from naf_robot.run.environments import make_environment
from naf_robot.sensing import rotation
from naf_robot.sensing.imu import GRAVITY
from naf_robot.sim.registry import SIMULATORS, SimulatorEntry, World, make_simulator
from naf_robot.sim.servos import servos_of
from naf_robot.sim.simulator import SimulatorConfig
from naf_robot.study.demonstrations import scripted_acting
from naf_robot.tasks.door_geometry import HINGE_AXIS

STILL_IMU = {
    "gyro_noise": 0.0, "gyro_bias": 0.0, "gyro_drift": 0.0, "gyro_scale_error": 0.0,
    "acceleration_noise": 0.0, "acceleration_bias": 0.0, "heading_error": 0.0,
}  # fmt: skip
SMALL = """<robot name="small"><link name="base"/>
<link name="upper"><inertial><mass value="1"/><origin xyz="0 0 0.2"/>
<inertia ixx="0.02" iyy="0.02" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial></link>
<link name="fore">{inertial}</link>
<joint name="lift" type="revolute"><parent link="base"/><child link="upper"/><axis xyz="0 1 0"/>
<limit lower="-1" upper="1" effort="40" velocity="2"/></joint>
<joint name="bend" type="revolute"><parent link="upper"/><child link="fore"/><origin xyz="0 0 0.4"/><axis xyz="0 1 0"/>
<limit lower="-1.5" upper="1.5" effort="40" velocity="2"/></joint></robot>"""
INERTIAL = """<inertial><mass value="0.5"/><origin xyz="0 0 0.1"/>
<inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>"""


def small_arm(folder: Path, inertial: str = INERTIAL) -> ArmConfig:
    path = folder / "small.urdf"
    path.write_text(SMALL.format(inertial=inertial))
    return ArmConfig(urdf=str(path), tool_frame="fore", joints=("lift", "bend"), home=(0.1, 0.2))


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_what_every_simulator_promises(backend, promise):
    promise(backend)


def test_a_joint_that_is_held_pushes_with_all_that_its_servo_has(backend):
    world, arm = simulator(backend), ARM.model()
    command = np.array([0.0, 0.0, 0.0, -0.5, 0.0, 0.0, 0.0])
    world.command("a", command)
    steps(world, 80)  # at its limit
    servos = servos_of(arm, SimulatorConfig())
    expected = np.clip(servos.gain * command, -servos.effort, servos.effort)
    signals = world.signals("a")
    np.testing.assert_allclose(signals["joint_velocity"], 0.0, atol=0.01)
    np.testing.assert_allclose(signals["joint_effort"][3], expected[3], rtol=0.05)


@pytest.mark.parametrize("draw", ["none", "training"])
def test_a_seeded_reset_draws_the_same_door(backend, draw):
    a_seeded_reset_depends_on_the_seed_alone_to_the_last_bit(backend, "door", draw)


def test_robots_do_not_share_their_states_and_may_have_other_arms(backend, tmp_path):
    arms = {"a": ARM, "b": small_arm(tmp_path), "c": ARM}
    world = make_simulator(backend, World(arms, "free", SimulatorConfig(), PERIOD))
    assert world.robots == ("a", "b", "c")
    world.command("a", np.full(7, 0.2))
    world.command("b", np.array([0.0, 0.3]))
    steps(world, 10)
    np.testing.assert_allclose(world.signals("b")["joint_velocity"], [0.0, 0.3], atol=0.03)
    np.testing.assert_allclose(world.signals("c")["joint_position"], ARM.home, atol=2e-3)
    assert world.signals("a")["joint_position"][0] - ARM.home[0] > 0.05
    world.reset("a", None, at_home=True)
    np.testing.assert_allclose(world.signals("a")["joint_position"], ARM.home)
    assert world.signals("b")["joint_position"][1] > 0.25
    with pytest.raises(SimulationError, match="of 'b' must be 2 finite numbers"):
        world.command("b", np.zeros(7))


def test_robots_with_equal_arms_are_compiled_once_and_have_doors_of_their_own(backend):
    world = simulator(backend, ("a", "b"), DOOR_ARM, "door", {"variation": {"draw": "training"}, "imu": {}})
    steps(world, 2)
    first, second = (world.signals(robot)["door_imu"] for robot in world.robots)
    assert not np.allclose(first, second)  # devices with errors of their own


class Hand:
    """Leads the hook from one point to the next, given from the grip of the resting lever [m]."""

    def __init__(self, backend) -> None:
        config = resolve("door_pull")
        task, self.arm = config.make_task(), DOOR_ARM.model()
        self.actions = ToolTwist(rotation="none").bind(self.arm, self.arm.limits(), 1.0)
        self.world = simulator(backend, arm=DOOR_ARM, scene="door")
        frame = np.array(task.config.frame_position)
        self.world.reset("a", frame, at_home=True)
        self.grip = frame + np.array(task.config.geometry.handle_rest)
        self.widest = self.furthest = 0.0  # [rad] that the door and the lever ever turned

    def lead(self, x: float, y: float, z: float, periods: int) -> None:
        for _ in range(periods):
            position = self.world.signals("a")["joint_position"]
            error = self.grip + np.array([x, y, z]) - self.arm.tool_position(position)
            action = np.clip(error / 0.1, -1.0, 1.0)
            self.world.command("a", self.actions.joint_velocity(action, position))
            self.world.step()
            signals = self.world.signals("a")
            self.widest = max(self.widest, float(signals["door_angle"][0]))
            self.furthest = max(self.furthest, float(signals["handle_angle"][0]))

    def hook(self, until: float) -> None:
        """Behind the lever from above, then down with it, which turns by about `until` [rad]."""
        self.lead(0.03, 0.0, 0.12, 30)
        self.lead(0.03, 0.0, 0.04, 20)
        for angle in np.arange(0.1, until, 0.11):
            self.lead(0.03, -0.1 * (1.0 - np.cos(angle)), -0.1 * np.sin(angle) - 0.02, 8)

    def pull(self, steps: int) -> None:
        for step in range(steps):
            self.lead(0.03 - 0.027 * step, -0.08, -0.12, 6)

    def angles(self) -> tuple[float, float]:
        signals = self.world.signals("a")
        return float(signals["door_angle"][0]), float(signals["handle_angle"][0])


def test_the_hook_turns_the_lever_opens_the_door_and_lets_it_fall_shut(backend):
    hand = Hand(backend)
    np.testing.assert_allclose(hand.angles(), 0.0, atol=0.01)
    hand.hook(1.4)
    hand.pull(16)  # until the lever slips off the hook
    assert hand.widest > 0.3
    assert hand.furthest > 1.05  # the latch lets go there
    hand.lead(-0.4, -0.08, -0.1, 60)
    np.testing.assert_allclose(hand.angles(), 0.0, atol=0.01)  # the springs


@pytest.mark.parametrize("task", ["door_pull", "door_push"])
def test_the_script_of_a_door_opens_it(backend, task):
    environment = make_environment(resolve(task, overrides=[{"backend": backend}]))
    acting = scripted_acting(environment)
    observation, info = environment.reset(seed=0)
    act, over = acting.begin(info), False
    while not over:
        observation, _, terminated, truncated, info = environment.step(act(observation))
        over = terminated or truncated or info["success"]
    assert info["success"]


def test_an_arm_that_is_driven_about_at_a_door_stays_at_the_speeds_that_it_is_asked_for(backend):
    world, random = simulator(backend, arm=DOOR_ARM, scene="door"), np.random.default_rng(0)
    frame, fastest = np.array(resolve("door_pull").make_task().config.frame_position), 0.0
    for _ in range(2):
        world.reset("a", frame, at_home=True)
        velocity = np.zeros(7)
        for _ in range(20):
            goal = random.uniform(-1.0, 1.0, 7)
            for _ in range(10):
                velocity = 0.8 * velocity + 0.2 * goal
                world.command("a", velocity)
                world.step()
                fastest = max(fastest, float(np.abs(world.signals("a")["joint_velocity"]).max()))
    assert fastest < 1.5  # of at most 1 rad/s


def test_the_latch_holds_a_door_whose_lever_is_turned_too_little(backend):
    hand = Hand(backend)
    hand.hook(0.6)
    assert 0.1 < hand.furthest < 0.9
    for step in range(6):
        hand.lead(0.03 - 0.02 * step, -0.01, -0.07, 6)
    assert hand.furthest < 1.05
    assert hand.widest < 0.02


def test_the_imu_feels_gravity_and_each_reading_has_its_own_time(backend):
    world = simulator(backend, arm=DOOR_ARM, scene="door", settings={"imu": STILL_IMU})
    stamps = []
    for _ in range(20):
        world.step()
        signals = world.signals("a")
        stamps += signals["door_imu_stamps"].tolist()
        for row in signals["door_imu"]:
            assert np.linalg.norm(row[7:]) == pytest.approx(GRAVITY, abs=0.02)
            assert np.abs(row[4:7]).max() < 1e-3
        angle = float(signals["door_angle"][0])
        turned = rotation.twist(signals["door_orientation"], HINGE_AXIS)
        assert turned == pytest.approx(angle, abs=1e-6)
    np.testing.assert_allclose(np.diff(stamps), 0.01, atol=1e-9)
    assert stamps[-1] == pytest.approx(world.time_s, abs=0.011)
    assert world.frames["door_imu"] == "door_imu"
    assert set(world.calibrations("a")) == {"door_imu"}


@pytest.mark.parametrize("inertial", ["", INERTIAL.replace('ixx="0.01"', 'ixx="-0.01"')])
def test_an_arm_without_sound_inertia_is_repaired_and_moves(backend, tmp_path, inertial):
    arm = small_arm(tmp_path, inertial)
    assert any("inertia" in note for note in arm.description().notes)
    world = simulator(backend, arm=arm)
    world.command("a", np.array([0.2, -0.2]))
    steps(world, 10)
    np.testing.assert_allclose(world.signals("a")["joint_velocity"], [0.2, -0.2], rtol=0.02)


def test_an_unknown_simulator_or_scene_lists_the_known_ones(backend):
    with pytest.raises(UnknownNameError, match=r"unknown simulator 'dream'; valid: .*mujoco"):
        simulator("dream")
    with pytest.raises(UnknownNameError, match="unknown scene 'beach'; valid: door, free"):
        simulator(backend, scene="beach")


def test_a_simulator_that_is_not_installed_says_what_to_install(monkeypatch):
    entry = SimulatorEntry("nowhere:make", requires="no_such_module", install="install it like this")
    monkeypatch.setitem(SIMULATORS, "absent", entry)
    with pytest.raises(NafRobotError, match="simulator 'absent' is not installed: install it like this"):
        simulator("absent")
