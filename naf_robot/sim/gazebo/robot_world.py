"""One robot's arm in its scene, in a gz-sim server of its own."""

import tempfile
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from naf_robot.arm.model.config import ArmConfig
from naf_robot.core.config import Config
from naf_robot.core.records import FloatArray
from naf_robot.sensing.signals import Signals
from naf_robot.sim.gazebo.arm_sdf import ARM, joint_name
from naf_robot.sim.gazebo.scenes import make_scene
from naf_robot.sim.gazebo.server import ModelJoint, Server
from naf_robot.sim.gazebo.servo_drive import ServoDrive
from naf_robot.sim.gazebo.world_sdf import world_sdf
from naf_robot.sim.registry import World
from naf_robot.sim.robot_state import check_state
from naf_robot.sim.servos import servos_of

FOLLOWED_S = 0.02  # time constant with which joints that follow others return to their places


class RobotWorld:
    """Robot `name` of `world`, the `number`-th one.

    Arms are moved by efforts and put in place by the next physics step, so that a reset takes no time.
    """

    def __init__(self, world: World, name: str, number: int) -> None:
        arm: ArmConfig = world.arms[name]
        self._world, self._name = world, name
        self._arm = arm.model()
        self.size = self._arm.size
        self._home = np.asarray(arm.home, dtype=np.float64)
        self._step_s = world.config.physics_step_s
        self._drive = ServoDrive(self._arm, servos_of(self._arm, world.config), self._step_s)
        lag_s = world.config.imperfections.actuator_lag_s
        self._blend = 1.0 if lag_s == 0.0 else 1.0 - np.exp(-self._step_s / lag_s)
        self.scene = make_scene(world.scene, world.scene_settings, world.seed, number, self._step_s)
        self.target: FloatArray = np.zeros(self.size)
        self._given: FloatArray = np.zeros(self.size)  # the target behind the actuators' lag
        self._effort: FloatArray = np.zeros(self.size)
        self._position, self._velocity = self._home.copy(), np.zeros(self.size)
        self._put = True  # with the next step the arm is put to this position and velocity
        self._time_s = 0.0
        self._build()

    def reset(self, goal_position: FloatArray | None, at_home: bool) -> None:
        """Reset the scene; with `at_home` also put the arm at home, at rest, commanded zero."""
        if at_home:
            self._position, self._velocity = self._home.copy(), np.zeros(self.size)
            self.target, self._given, self._effort = (np.zeros(self.size) for _ in range(3))
            self._put = True
        if self.scene.place(goal_position, at_home):
            self._build()

    def run(self, steps: int, time_s: float) -> None:
        """Simulate so many physics steps, the first of which begins at `time_s`.

        Raises:
            SimulationError: the physics diverged, or gz-sim stopped.
        """
        self._time_s = time_s
        self._drive.begin(self._position)
        self._server.run(steps)
        self._position = np.array([joint.position() for joint in self._joints])
        self._velocity = np.array([joint.velocity() for joint in self._joints])
        self.scene.after_run()
        time_s += steps * self._step_s
        check_state(self._name, time_s, self._position, self._velocity, self._world.config.max_speed)

    def signals(self) -> Signals:
        """The true state, as named arrays."""
        arm = {
            "joint_position": self._position.copy(),
            "joint_velocity": self._velocity.copy(),
            "joint_effort": self._effort.copy(),
        }
        return arm | self.scene.signals()

    def calibrations(self) -> dict[str, Config]:
        """Calibrations of the robot's sensors, by their names."""
        return self.scene.calibrations()

    def _build(self) -> None:
        """A server with the arm and the scene as they are now; the arm is put where it is with the first step."""
        with tempfile.TemporaryDirectory(prefix="naf_robot_gazebo_") as folder:
            path = Path(folder) / "world.sdf"
            ignored = self._world.ignored_pairs.get(self._name, ())

            def add_scene(element: Element) -> None:
                self.scene.build(element)

            text = world_sdf(self._name, self._step_s, self._arm, add_scene, Path(folder), ignored)
            path.write_text(text, encoding="utf-8")
            self._server = Server(path, (ARM, *self.scene.models), self._before_step)
        self._joints = [ModelJoint(self._server, ARM, joint_name(name)) for name in self._arm.joint_names]
        self._followers = {
            ModelJoint(self._server, ARM, joint_name(name)): mimic
            for name, mimic in self._arm.description.mimics.items()
        }
        self.scene.bind(self._server)
        self._put = True

    def _before_step(self) -> None:
        if self._put:
            velocity = self._velocity
            for joint, position, speed in zip(self._joints, self._position.tolist(), velocity.tolist(), strict=True):
                joint.put(position, speed)
        else:
            velocity = np.array([joint.velocity() for joint in self._joints])
        self._move_followers(velocity)
        self._given = self._given + self._blend * (self.target - self._given)
        self._effort = self._drive.effort(self._given, velocity)
        for joint, effort in zip(self._joints, self._effort.tolist(), strict=True):
            joint.exert(effort)
        self.scene.before_step(self._time_s)
        self._put = False
        self._time_s += self._step_s

    def _move_followers(self, velocity: FloatArray) -> None:
        for joint, mimic in self._followers.items():
            number = self._arm.joint_names.index(mimic.master)
            speed = mimic.multiplier * float(velocity[number])
            if self._put:
                joint.put(mimic.multiplier * float(self._position[number]) + mimic.offset, speed)
            else:
                wanted = mimic.multiplier * self._joints[number].position() + mimic.offset
                joint.drive(speed + (wanted - joint.position()) / FOLLOWED_S)
