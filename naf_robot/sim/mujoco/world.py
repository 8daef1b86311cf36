"""The MuJoCo world: one arm from its URDF with joint-velocity servos, in a scene, for each robot."""

import mujoco
import numpy as np

from naf_robot.arm.model.config import ArmConfig
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.core.errors import RobotModelError, SimulationError, UnknownNameError
from naf_robot.core.records import FloatArray
from naf_robot.core.resources import find
from naf_robot.core.seeding import stream
from naf_robot.sensing.signals import Signals
from naf_robot.sim.imperfections import ImperfectSensors
from naf_robot.sim.mujoco.scenes import Scene
from naf_robot.sim.simulator import SimulatorConfig, steps_per_period


class MujocoSimulator:
    """Implements `sim.simulator.Simulator`: one compiled model, one independent state per robot.

    Gravity is compensated for the arm's own bodies, as the controllers of such arms do.

    Raises:
        ConfigError: the physics step does not divide the control period.
        RobotModelError: MuJoCo cannot load the URDF.
    """

    def __init__(
        self,
        arm: ArmConfig,
        scene: Scene,
        config: SimulatorConfig,
        control_period_s: float,
        robots: tuple[str, ...] = ("robot_1",),
        seed: int = 0,
    ) -> None:
        self.robots = robots
        self.control_period_s = control_period_s
        self._config = config
        self._scene = scene
        self._steps = steps_per_period(control_period_s, config.physics_step_s)
        self._kinematics = arm.model()
        self._home = np.asarray(arm.home, dtype=np.float64)
        self.model = build_model(arm, self._kinematics, scene, config)
        self._qpos = np.array([self.model.joint(name).qposadr[0] for name in arm.joints])
        self._qvel = np.array([self.model.joint(name).dofadr[0] for name in arm.joints])
        self._actuators = np.array([self.model.actuator(name).id for name in arm.joints])
        self.data = {robot: mujoco.MjData(self.model) for robot in robots}
        self._targets = {robot: np.zeros(self._kinematics.size) for robot in robots}
        self._sensors = {
            robot: ImperfectSensors(config.imperfections, stream(seed, "sensors", robot)) for robot in robots
        }
        self._periods = 0
        for robot in robots:
            self.reset(robot, None, at_home=True)

    @property
    def time_s(self) -> float:
        """Simulated time since construction [s], counted in whole control periods."""
        return self._periods * self.control_period_s

    def command(self, robot: str, velocity: FloatArray) -> None:
        """Set the joint velocities (n,) [rad/s] that hold until the next command.

        Raises:
            SimulationError: the command has the wrong shape or is not finite; the last one stays.
        """
        velocity = np.asarray(velocity, dtype=np.float64)
        if velocity.shape != (self._kinematics.size,) or not np.isfinite(velocity).all():
            raise SimulationError(
                f"velocity command of {robot!r} must be {self._kinematics.size} finite numbers, got {velocity!r}"
            )
        self._targets[self._known(robot)] = velocity.copy()

    def step(self) -> None:
        """Advance every world by one control period.

        Raises:
            SimulationError: a state is not finite or faster than the configured bound.
        """
        lag = self._config.imperfections.actuator_lag_s
        blend = 1.0 if lag == 0.0 else 1.0 - np.exp(-self._config.physics_step_s / lag)
        for robot, data in self.data.items():
            target = self._targets[robot]
            for _ in range(self._steps):
                data.ctrl[self._actuators] += blend * (target - data.ctrl[self._actuators])
                self._scene.before_step(self.model, data)
                mujoco.mj_step(self.model, data)
            self._check_physical(robot, data)
        self._periods += 1
        for robot in self.robots:
            self._sensors[robot].update(self._true_signals(robot))

    def signals(self, robot: str) -> Signals:
        """The current sensor readings with the configured imperfections."""
        return self._sensors[self._known(robot)].read()

    def reset(self, robot: str, goal_position: FloatArray | None, at_home: bool) -> None:
        """Reset the scene; with `at_home` also put the arm at home, at rest, commanded zero."""
        data = self.data[self._known(robot)]
        if at_home:
            data.qpos[self._qpos] = self._home
            data.qvel[self._qvel] = 0.0
            data.ctrl[self._actuators] = 0.0
            data.qacc_warmstart[:] = 0.0  # so that the next episode does not depend on earlier ones
            self._targets[robot] = np.zeros(self._kinematics.size)
        self._scene.place(self.model, data, goal_position, at_home)
        mujoco.mj_forward(self.model, data)
        self._sensors[robot].restart(self._true_signals(robot))

    def reseed(self, seed: int) -> None:
        """Restart every random stream, so that everything after the next reset depends on `seed` alone."""
        self._scene.reseed(seed)
        for robot, sensors in self._sensors.items():
            sensors.random = stream(seed, "sensors", robot)

    def _true_signals(self, robot: str) -> Signals:
        data = self.data[robot]
        signals = {
            "joint_position": data.qpos[self._qpos].copy(),
            "joint_velocity": data.qvel[self._qvel].copy(),
            "joint_effort": data.actuator_force[self._actuators].copy(),
        }
        return signals | self._scene.signals(self.model, data)

    def _check_physical(self, robot: str, data: mujoco.MjData) -> None:
        speed = float(np.abs(data.qvel).max(initial=0.0))
        if not np.isfinite(data.qpos).all() or not speed <= self._config.max_speed:
            raise SimulationError(
                f"the world of {robot!r} diverged at t = {self.time_s:.2f} s: fastest joint {speed:.3g} rad/s, "
                f"allowed {self._config.max_speed} rad/s; a smaller physics_step_s may help"
            )

    def _known(self, robot: str) -> str:
        if robot not in self.data:
            raise UnknownNameError("robot", robot, self.robots)
        return robot


def build_model(arm: ArmConfig, kinematics: ArmModel, scene: Scene, config: SimulatorConfig) -> mujoco.MjModel:
    """Compile the arm's URDF, its velocity servos and the scene into one MuJoCo model."""
    path = find(arm.urdf)
    try:
        spec = mujoco.MjSpec.from_file(str(path))
    except ValueError as error:
        raise RobotModelError(f"MuJoCo cannot load URDF {str(path)!r}: {error}") from None
    spec.option.timestep = config.physics_step_s
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 5.0
    spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET  # a divergence must be reported, not reset
    for body in spec.bodies:
        body.gravcomp = 1.0
    effort = np.minimum(kinematics.limits().max_effort, config.max_servo_effort)
    for name, bound in zip(arm.joints, effort, strict=True):
        spec.joint(name).armature = config.joint_armature
        servo = spec.add_actuator(name=name, trntype=mujoco.mjtTrn.mjTRN_JOINT, target=name)
        servo.set_to_velocity(kv=bound / config.full_effort_error)
        servo.forcelimited = 1
        servo.forcerange = [-bound, bound]
    scene.build(spec)
    model = spec.compile()
    scene.bind(model)
    return model
