"""The scene `door` in Gazebo: its springs, friction and bolt, exerted before each physics step, and the IMU."""

from xml.etree.ElementTree import Element

import numpy as np

from naf_robot.core.config import Config
from naf_robot.core.records import FloatArray
from naf_robot.core.seeding import stream
from naf_robot.sensing import rotation
from naf_robot.sensing.sensor import STAMPS
from naf_robot.sensing.signals import Signals
from naf_robot.sim.gazebo.door_joint import DoorJoint
from naf_robot.sim.gazebo.door_sdf import DOOR, HINGE_JOINT, LEVER_JOINT, RAILS, add_door
from naf_robot.sim.gazebo.server import ModelJoint, Models
from naf_robot.sim.imu import ImuModel, ImuSampler
from naf_robot.sim.scenes.door import DoorSceneConfig
from naf_robot.sim.scenes.door_calibration import LedDoor, calibrate
from naf_robot.sim.scenes.door_motion import imu_motion
from naf_robot.sim.scenes.door_parts import door_parts
from naf_robot.tasks.door_geometry import HINGE_AXIS

PLAY = 1e-4  # [rad] of the bolt


class DoorScene:
    """Implements `sim.gazebo.scenes.Scene`.

    The bolt is a limit of the hinge: it lets the door close and not open, until the lever releases it.
    """

    models = (DOOR,)

    def __init__(self, config: DoorSceneConfig, seed: int, number: int, physics_step_s: float) -> None:
        self.config = config
        self.frames = {"door_imu": config.imu.frame} if config.imu is not None else {}
        self.latched = True
        self._seed, self._number, self._step_s = seed, number, physics_step_s
        self._random = stream(seed, "door", "physics", number)
        self._place: FloatArray = np.array(config.position)
        self._placed = False  # ever
        self._put = True  # with the next step
        self._bound = 0.0  # [rad] of the latched hinge, in both directions
        self._imu_place = np.array(door_parts(config, "", "").imu_position)
        self._sampler: ImuSampler | None = None
        if config.imu is not None:
            self._sampler = ImuSampler(ImuModel(config.imu, stream(seed, "door", "imu", number)), physics_step_s)
        self.physics = config.physics

    def build(self, world: Element) -> None:
        """Add the door."""
        add_door(world, self.config, self.physics)

    def bind(self, server: Models) -> None:
        """Look up the door's joints, which are put where they belong with the next step."""
        self._rails = [ModelJoint(server, DOOR, name) for name in RAILS]
        self.hinge = DoorJoint.hinge(ModelJoint(server, DOOR, HINGE_JOINT), self.config, self.physics, self._step_s)
        self.lever = DoorJoint.lever(ModelJoint(server, DOOR, LEVER_JOINT), self.config, self.physics, self._step_s)
        self._put = True

    def place(self, goal_position: FloatArray | None, at_home: bool) -> bool:
        """Place the door's frame at `goal_position` (3,) [m], base frame, closed and latched; draw its physics.

        A door that is there already is not reset unless the arm is put at home too: its spring
        closes it, as with a real one.
        """
        moved = goal_position is not None and not np.allclose(goal_position, self._place)
        if self._placed and not moved and not at_home:
            return False
        self._placed = True
        if goal_position is not None:
            self._place = np.asarray(goal_position, dtype=np.float64)
        before, self.physics = self.physics, self.config.variation.sample(self.config.physics, self._random)
        self._put, self.latched = True, True
        if self._sampler is not None:
            self._sampler.restart()
        return self.physics != before

    def hold(self) -> None:
        """Keep the frame where it is in the next step."""
        for rail in self._rails:
            rail.drive(0.0)

    def before_step(self, time_s: float) -> None:
        """Exert what the door's joints exert by themselves, and move the bolt."""
        for joint in (self.hinge, self.lever):
            joint.before_step(self._put)
        if self._put:
            for rail, position in zip(self._rails, self._place.tolist(), strict=True):
                rail.put(position, 0.0)
            self._bound = np.inf
        else:
            self.hold()
        was_latched = self.latched
        self.latched = self.config.latch.next(self.latched, self.lever.angle, self.hinge.angle)
        if self.latched:
            self._tighten()
        elif was_latched:
            self._bound = np.inf
            self.hinge.limit(*self.config.hinge_range)
        self._put = False
        if self._sampler is not None:
            motion = imu_motion(self._imu_place, self.hinge.angle, self.hinge.speed, self.hinge.acceleration)
            self._sampler.add(time_s, *motion)

    def after_run(self) -> None:
        """Read hinge and lever."""
        self.hinge.read()
        self.lever.read()

    def signals(self) -> Signals:
        """True angles and orientation of the door, and the IMU's readings since the last call.

        Raises:
            SimulationError: the door's energy exceeds `max_energy`.
        """
        angle, lever = (0.0, 0.0) if self._put else (self.hinge.angle, self.lever.angle)
        self.config.check_energy(self.physics, angle, 0.0 if self._put else self.hinge.speed)
        signals = {
            "door_angle": np.array([angle]),
            "handle_angle": np.array([lever]),
            "door_orientation": rotation.about_axis(HINGE_AXIS, angle),
        }
        if self._sampler is not None:
            signals["door_imu"], signals["door_imu" + STAMPS] = self._sampler.rows()
        return signals

    def calibrations(self) -> dict[str, Config]:
        """The mounting of the IMU, found by the guided routine on a door of the same kind without an arm."""
        if self.config.imu is None:
            return {}
        return {"door_imu": calibrate(LedDoor(self.config, self._seed, self._number, self._step_s))}

    def reseed(self, seed: int) -> None:
        """Restart the draws of the door's physics from `seed`; the errors of an IMU are kept, as for a real device."""
        self._random = stream(seed, "door", "physics", self._number)

    def _tighten(self) -> None:
        """Limit the latched hinge to where it is already: a limit beyond its state would strike it."""
        bound = max(PLAY, min(self._bound, abs(self.hinge.angle)))
        if bound < self._bound:
            self._bound = bound
            low, high = self.config.hinge_range
            self.hinge.limit(max(low, -bound), min(high, bound))
