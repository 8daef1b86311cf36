"""One robot's arm in its scene, in a gz-sim server of its own."""

import tempfile
from itertools import count
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from naf_robot.arm.model.config import ArmConfig
from naf_robot.core.config import Config
from naf_robot.core.records import FloatArray
from naf_robot.sensing.signals import Signals
from naf_robot.sim.camera import camera_file
from naf_robot.sim.gazebo.arm_sdf import ARM, joint_name
from naf_robot.sim.gazebo.camera_feed import CameraFeed
from naf_robot.sim.gazebo.camera_sdf import CAMERA, add_camera
from naf_robot.sim.gazebo.scenes import make_scene
from naf_robot.sim.gazebo.server import ModelJoint, Server
from naf_robot.sim.gazebo.servo_drive import ServoDrive
from naf_robot.sim.gazebo.world_sdf import models_sdf, world_sdf
from naf_robot.sim.registry import World
from naf_robot.sim.robot_state import check_state
from naf_robot.sim.servos import servos_of

BUILT = count(1)  # worlds in this process


class RobotWorld:
    """Robot `name` of `world`, the `number`-th one.

    Arms are moved by efforts and put in place by the next physics step, so that a reset takes no time.
    """

    def __init__(self, world: World, name: str, number: int) -> None:
        arm: ArmConfig = world.arms[name]
        self._world, self._name, self._frame = world, name, world.frame
        self._camera: CameraFeed | None = None
        described = arm.model()
        servos = servos_of(described, world.config)
        self._arm = described.with_rotors(servos.armature)
        self.size = self._arm.size
        self._home = self._arm.full_position(np.asarray(arm.home, dtype=np.float64))
        self._step_s = world.config.physics_step_s
        self._period_ns = round(world.control_period_s * 1e9)
        self._drive = ServoDrive(self._arm, servos, self._step_s)
        lag_s = world.config.imperfections.actuator_lag_s
        self._blend = 1.0 if lag_s == 0.0 else 1.0 - np.exp(-self._step_s / lag_s)
        self.scene = make_scene(world.scene, world.scene_settings, world.seed, number, self._step_s)
        self.target: FloatArray = np.zeros(self.size)
        self._given: FloatArray = np.zeros(self.size)  # the target behind the actuators' lag
        self._effort: FloatArray = np.zeros(self.size)
        self._controlled = [self._arm.moving_joints.index(name) for name in self._arm.joint_names]
        self._position = self._home  # of all joints that move, in the order of `moving_joints`
        self._velocity: FloatArray = np.zeros(len(self._home))
        self._put = True  # with the next step the arm is put to this position and velocity
        self._time_s = 0.0
        self._build()

    def reset(self, goal_position: FloatArray | None, at_home: bool) -> None:
        """Reset the scene; with `at_home` also put the arm at home, at rest, commanded zero."""
        if at_home:
            self._position, self._velocity = self._home, np.zeros(len(self._home))
            self.target, self._given, self._effort = (np.zeros(self.size) for _ in range(3))
            self._put = True
        if self.scene.place(goal_position, at_home):
            self._server.replace(self.scene.models, models_sdf(self.scene.build))
            self._bind_scene()
        if self._camera is not None:
            self._look_anew()

    def run(self, steps: int, time_s: float) -> None:
        """Simulate so many physics steps, the first of which begins at `time_s`.

        Raises:
            SimulationError: the physics diverged, or gz-sim stopped.
        """
        self._time_s = time_s
        self._drive.begin(self._position[self._controlled])
        self._server.run(steps, self._before_step)
        self._read()
        self.scene.after_run()
        time_s += steps * self._step_s
        check_state(self._name, time_s, self._position, self._velocity, self._world.config.max_speed)

    def signals(self) -> Signals:
        """The true state, as named arrays."""
        arm = {
            "joint_position": self._position[self._controlled],
            "joint_velocity": self._velocity[self._controlled],
            "joint_effort": self._effort.copy(),
        }
        if self._camera is not None:
            arm[CAMERA] = self._camera.picture(self._server.time_ns - self._period_ns)
        return arm | self.scene.signals()

    def calibrations(self) -> dict[str, Config]:
        """Calibrations of the robot's sensors, by their names."""
        found = self.scene.calibrations()
        if self._frame is not None:
            found[CAMERA] = camera_file(self._world.config.camera, *self._frame)
        return found

    def _build(self) -> None:
        """A server with the arm and the scene as they are now; the arm is put where it is with the first step."""
        ignored = self._world.ignored_pairs.get(self._name, ())
        name = f"{self._name}_{next(BUILT)}"  # services are found by it, also those of other worlds in this process
        with tempfile.TemporaryDirectory(prefix="naf_robot_gazebo_") as folder:
            path = Path(folder) / "world.sdf"
            topic = f"/naf_robot/{name}/camera"

            def add_surroundings(element: Element) -> None:
                self.scene.build(element)
                if self._frame is not None:
                    config = self._world.config.camera
                    add_camera(element, config, self._frame, topic, 1.0 / self._world.control_period_s)

            text = world_sdf(name, self._step_s, self._arm, add_surroundings, Path(folder), ignored)
            path.write_text(text, encoding="utf-8")
            if self._frame is not None:
                self._camera = CameraFeed(topic, self._frame)
            self._server = Server(path, name, (ARM, *self.scene.models))
        self._joints = [ModelJoint(self._server, ARM, joint_name(name)) for name in self._arm.moving_joints]
        self._bind_scene()

    def _look_anew(self) -> None:
        """Let a control period pass for a picture of what was laid; the arm goes back to where it was put."""
        position, velocity = self._position, self._velocity
        self._drive.begin(position[self._controlled])
        self._server.run(round(self._period_ns * 1e-9 / self._step_s), self._before_step)
        self._position, self._velocity = position, velocity
        self._put = True

    def _bind_scene(self) -> None:
        self.scene.bind(self._server)
        self._server.run(1, self.scene.hold)  # so that what is new behaves as what has been there
        self._put = True

    def _read(self) -> None:
        self._position = np.array([joint.position() for joint in self._joints])
        self._velocity = np.array([joint.velocity() for joint in self._joints])

    def _before_step(self) -> None:
        if self._put:
            for joint, *state in zip(self._joints, self._position.tolist(), self._velocity.tolist(), strict=True):
                joint.put(*state)
            self._drive.restart()
        else:
            self._read()
        self._given = self._given + self._blend * (self.target - self._given)
        self._effort, efforts = self._drive.effort(self._given, self._position, self._velocity)
        for joint, effort in zip(self._joints, efforts.tolist(), strict=True):
            joint.exert(effort)
        self.scene.before_step(self._time_s)
        self._put = False
        self._time_s += self._step_s
