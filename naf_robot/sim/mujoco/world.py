"""The MuJoCo simulator: each robot's arm, moved by joint-velocity servos, in a scene of its own."""

from collections.abc import Mapping
from dataclasses import dataclass

import mujoco
import numpy as np

from naf_robot.arm.model.config import ArmConfig
from naf_robot.core.config import Config
from naf_robot.core.errors import UnknownNameError
from naf_robot.core.records import FloatArray
from naf_robot.core.seeding import stream
from naf_robot.sensing.signals import Signals
from naf_robot.sim.camera import camera_file
from naf_robot.sim.imperfections import ImperfectSensors
from naf_robot.sim.mujoco.arm import Frame, build_model
from naf_robot.sim.mujoco.rendering import CAMERA, CameraRenderer
from naf_robot.sim.mujoco.scenes import Scene, make_scene
from naf_robot.sim.registry import LinkPairs, World
from naf_robot.sim.robot_state import check_state, checked_command
from naf_robot.sim.simulator import SimulatorConfig, steps_per_period


class CompiledArm:
    """One arm in its scene as a compiled model; robots with equal arms share it."""

    def __init__(
        self, arm: ArmConfig, scene: Scene, config: SimulatorConfig, ignored: LinkPairs = (), frame: Frame = None
    ) -> None:
        kinematics = arm.model()
        self.scene = scene
        self.size = kinematics.size
        self.home = np.asarray(arm.home, dtype=np.float64)
        self.model = build_model(kinematics, scene, config, ignored, frame)
        self.camera = CameraRenderer(self.model, *frame) if frame is not None else None
        self.qpos = np.array([self.model.joint(name).qposadr[0] for name in arm.joints])
        self.qvel = np.array([self.model.joint(name).dofadr[0] for name in arm.joints])
        self.actuators = np.array([self.model.actuator(name).id for name in arm.joints])
        mimics = kinematics.description.mimics
        self._followers = np.array([self.model.joint(name).qposadr[0] for name in mimics], dtype=int)
        self._masters = np.array([arm.joints.index(mimic.master) for mimic in mimics.values()], dtype=int)
        self._multipliers = np.array([mimic.multiplier for mimic in mimics.values()])
        self._offsets = np.array([mimic.offset for mimic in mimics.values()])
        self._moving = np.array([self.model.joint(name).dofadr[0] for name in (*arm.joints, *mimics)], dtype=int)

    def put(self, data: mujoco.MjData, position: FloatArray) -> None:
        """Put the joints at `position` (n,) [rad], and those that follow them where they belong, all at rest."""
        data.qpos[self.qpos] = position
        data.qpos[self._followers] = self._multipliers * position[self._masters] + self._offsets
        data.qvel[self._moving] = 0.0


@dataclass
class _Robot:
    arm: CompiledArm
    number: int  # among all robots
    data: mujoco.MjData
    target: FloatArray  # (n,) commanded velocity [rad/s]
    sensors: ImperfectSensors


class MujocoSimulator:
    """Implements `sim.simulator.Simulator`: one independent state per robot, one compiled model per kind of arm.

    Raises:
        ConfigError: the physics step does not divide the control period, or a scene's setting is wrong.
        RobotModelError: MuJoCo cannot load or compile a URDF.
    """

    def __init__(self, world: World) -> None:
        self.robots = tuple(world.arms)
        self.control_period_s = world.control_period_s
        self._config, self._frame = world.config, world.frame
        self._steps = steps_per_period(world.control_period_s, world.config.physics_step_s)
        self._arms = _compiled(world)
        self._robots = {
            name: _Robot(
                arm=self._arms[name],
                number=number,
                data=mujoco.MjData(self._arms[name].model),
                target=np.zeros(self._arms[name].size),
                sensors=ImperfectSensors(world.config.imperfections, stream(world.seed, "sensors", name)),
            )
            for number, name in enumerate(self.robots)
        }
        self.frames: Mapping[str, str] = next(iter(self._arms.values())).scene.frames
        self._periods = 0
        for robot in self.robots:
            self.reset(robot, None, at_home=True)

    @property
    def time_s(self) -> float:
        """Simulated time since construction [s], counted in whole control periods."""
        return self._periods * self.control_period_s

    def model(self, robot: str) -> mujoco.MjModel:
        """The compiled model that the robot's state belongs to."""
        return self._known(robot).arm.model

    def data(self, robot: str) -> mujoco.MjData:
        """The robot's state."""
        return self._known(robot).data

    def scene(self, robot: str) -> Scene:
        """The scene around the robot."""
        return self._known(robot).arm.scene

    def contacts(self, robot: str) -> list[str]:
        """Pairs of bodies that touch now, such as "link_1 and link_3"."""
        model, data = self.model(robot), self.data(robot)
        pairs = {tuple(sorted(model.body(model.geom_bodyid[geom]).name for geom in each.geom)) for each in data.contact}
        return [f"{first} and {second}" for first, second in sorted(pairs)]

    def command(self, robot: str, velocity: FloatArray) -> None:
        """Set the joint velocities (n,) [rad/s] that hold until the next command.

        Raises:
            SimulationError: the command has the wrong shape or is not finite; the last one stays.
        """
        known = self._known(robot)
        known.target = checked_command(robot, velocity, known.arm.size)

    def step(self) -> None:
        """Advance every world by one control period.

        Raises:
            SimulationError: a state is not finite or faster than the configured bound.
        """
        lag = self._config.imperfections.actuator_lag_s
        blend = 1.0 if lag == 0.0 else 1.0 - np.exp(-self._config.physics_step_s / lag)
        for name, robot in self._robots.items():
            arm, data, target = robot.arm, robot.data, robot.target
            data.time = self.time_s  # rounding errors of many steps must not add up in the stamps of readings
            for _ in range(self._steps):
                data.ctrl[arm.actuators] += blend * (target - data.ctrl[arm.actuators])
                arm.scene.before_step(arm.model, data)
                mujoco.mj_step(arm.model, data)
            check_state(name, self.time_s, data.qpos, data.qvel, self._config.max_speed)
        self._periods += 1
        for robot in self._robots.values():
            robot.sensors.update(_true_signals(robot))

    def signals(self, robot: str) -> Signals:
        """The current sensor readings with the configured imperfections."""
        return self._known(robot).sensors.read()

    def reset(self, robot: str, goal_position: FloatArray | None, at_home: bool) -> None:
        """Reset the scene; with `at_home` also put the arm at home, at rest, commanded zero."""
        known = self._known(robot)
        arm, data = known.arm, known.data
        if at_home:
            arm.put(data, arm.home)
            data.ctrl[arm.actuators] = 0.0
            data.qacc_warmstart[:] = 0.0  # so that the next episode does not depend on earlier ones
            known.target = np.zeros(arm.size)
        arm.scene.place(arm.model, data, goal_position, at_home)
        mujoco.mj_forward(arm.model, data)
        known.sensors.restart(_true_signals(known), at_home)

    def calibrations(self, robot: str) -> Mapping[str, Config]:
        """What an operator would find by calibrating the robot's sensors; found by simulated calibration."""
        known = self._known(robot)
        found = known.arm.scene.calibrations(known.number)
        if self._frame is not None:
            found[CAMERA] = camera_file(self._config.camera, *self._frame)
        return found

    def reseed(self, seed: int) -> None:
        """Restart every random stream, so that everything after the next reset depends on `seed` alone."""
        for arm in set(self._arms.values()):
            arm.scene.reseed(seed)
        for name, robot in self._robots.items():
            robot.sensors.random = stream(seed, "sensors", name)

    def _known(self, robot: str) -> _Robot:
        if robot not in self._robots:
            raise UnknownNameError("robot", robot, self.robots)
        return self._robots[robot]


def make_simulator(world: World) -> MujocoSimulator:
    """Entry of the registry of simulators."""
    return MujocoSimulator(world)


def _compiled(world: World) -> dict[str, CompiledArm]:
    """The compiled arm of each robot; equal arms are compiled once, and have one scene between them."""
    of_robot = {name: (arm, world.ignored_pairs.get(name, ())) for name, arm in world.arms.items()}
    kinds: list[tuple[ArmConfig, LinkPairs]] = []
    for kind in of_robot.values():
        if kind not in kinds:
            kinds.append(kind)
    compiled: dict[str, CompiledArm] = {}
    for kind in kinds:
        members = {name: number for number, name in enumerate(of_robot) if of_robot[name] == kind}
        scene = make_scene(world.scene, world.scene_settings, world.seed, tuple(members.values()))
        arm, ignored = kind
        made = CompiledArm(arm, scene, world.config, ignored, world.frame)
        compiled |= dict.fromkeys(members, made)
    return compiled


def _true_signals(robot: _Robot) -> Signals:
    arm, data = robot.arm, robot.data
    signals = {
        "joint_position": data.qpos[arm.qpos].copy(),
        "joint_velocity": data.qvel[arm.qvel].copy(),
        "joint_effort": data.actuator_force[arm.actuators].copy(),
    }
    signals |= arm.scene.signals(arm.model, data)
    if arm.camera is not None:
        signals[CAMERA] = arm.camera.picture(data)
    return signals
