"""How an IMU sits on a door: found once by a guided routine, kept in a file, checked at every start.

The routine: the door is closed and still, then it is swung open towards the robot and closed again.
The still pose gives gravity and the gyro's bias, the swing gives the hinge's axis in the IMU's frame,
and, if the angle of the swing is known (a stop), the gyro's scale.
"""

import enum
from collections import deque
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np

from naf_robot.core.config import Config, build, dump_yaml, load_yaml
from naf_robot.core.errors import NafRobotError
from naf_robot.core.records import FloatArray
from naf_robot.core.types import Vector3
from naf_robot.sensing import rotation
from naf_robot.sensing.imu import ImuReading, gravity_refusal, refusal

MIN_READINGS = 10  # that show stillness
MIN_SCALE, MAX_SCALE = 0.5, 2.0  # of a gyro that is not broken


class CalibrationError(NafRobotError):
    """A calibration that is missing, not valid, or could not be made."""


class DoorImuCalibration(Config, frozen=True):
    """Mounting of one IMU on one door."""

    frame: str  # frame_id of the IMU's messages
    gravity: Vector3  # unit vector of the specific force at rest, IMU frame
    hinge_axis: Vector3  # unit vector, IMU frame; turning about it by a positive angle opens towards the robot
    gyro_scale: Annotated[float, msgspec.Meta(gt=MIN_SCALE, lt=MAX_SCALE)] = 1.0  # true angle over integrated angle
    heading: Literal["relative", "absolute"] = "relative"  # whether the IMU's orientation has an absolute heading

    def __post_init__(self) -> None:
        for name in ("gravity", "hinge_axis"):
            length = float(np.linalg.norm(getattr(self, name)))
            if not abs(length - 1.0) < 1e-3:
                raise CalibrationError(
                    f"{name} of a door IMU calibration must be a unit vector, its length is {length}"
                )


class RoutineConfig(Config, frozen=True):
    """What the guided routine asks for."""

    still_s: float = 2.0  # [s] time that the door must be still before and after the swing
    still_deviation: float = 0.01  # [rad/s] standard deviation of the rate that still counts as still
    min_swing: float = 0.5  # [rad]
    max_swing: float = 3.5  # [rad]; largest angle of the swing
    max_off_axis: float = 0.1  # fraction of the rotation's root mean square that is not about one axis
    known_swing: float | None = None  # [rad] angle to the stop, where it is known; gives the gyro's scale
    max_duration_s: float = 120.0


class RoutinePhase(enum.Enum):
    """Where the routine stands; the value tells the operator what to do."""

    CLOSED = "keep the door closed and still"
    SWING = "swing the door open towards the robot, then close it and keep it still"
    DONE = "calibrated"


class _Stillness:
    """Mean and spread of the rates of the last `duration_s`, at the same cost for each reading."""

    def __init__(self, duration_s: float) -> None:
        self._duration_s = duration_s
        self._window: deque[tuple[float, FloatArray]] = deque()
        self._sum, self._squares = np.zeros(3), np.zeros(3)
        self._full = False

    def add(self, stamp_s: float, rate: FloatArray) -> None:
        self._window.append((stamp_s, rate))
        self._sum += rate
        self._squares += rate * rate
        since_s = stamp_s - self._duration_s
        self._full = self._full or self._window[0][0] <= since_s
        while self._window[0][0] < since_s - 1e-9:
            _, left = self._window.popleft()
            self._sum -= left
            self._squares -= left * left

    def still(self, deviation: float) -> bool:
        """Whether the window is covered by readings, and no axis deviates by `deviation` [rad/s] or more."""
        count = len(self._window)
        if not self._full or count < MIN_READINGS:
            return False
        variance = self._squares / count - (self._sum / count) ** 2
        return bool(variance.max() < deviation * deviation)


class CalibrationRoutine:
    """Takes readings until the calibration is complete; without a `frame`, those of the first reading's frame."""

    def __init__(self, frame: str | None, config: RoutineConfig | None = None, heading: str = "relative") -> None:
        self._frame = frame
        self._heading = heading
        self.config = config or RoutineConfig()
        self.phase = RoutinePhase.CLOSED
        self.calibration: DoorImuCalibration | None = None
        self._stillness = _Stillness(self.config.still_s)
        self._first_s: float | None = None
        self._still: list[FloatArray] = []  # rates before the swing
        self._force = np.zeros(3)  # sum of the accelerations before the swing
        self._bias = np.zeros(3)
        self._last: tuple[float, FloatArray] | None = None  # stamp and rate of the swing's newest reading
        self._angles: list[FloatArray] = []  # rotation vectors (3,) [rad] integrated over the swing
        self._widest = 0.0  # [rad] of them
        self._closed: FloatArray | None = None  # orientation before the swing
        self._turned = 0.0  # [rad] at most since then, by the orientation

    def add(self, reading: ImuReading) -> RoutinePhase:
        """Take one reading; the phase then.

        Raises:
            CalibrationError: the reading is unusable or of another unit, gravity is missing in it, the swing is too
                small, too large or not about one axis, or the routine takes too long.
        """
        if self._frame is None:
            self._frame = reading.frame
        reason = refusal(reading, self._frame)
        if reason is None and self._heading == "absolute" and reading.orientation is None:
            reason = "the IMU gives no orientation, and sensors.door_imu.heading is 'absolute'"
        if reason is not None:
            raise CalibrationError(f"calibration stopped: {reason}")
        if self._first_s is None:
            self._first_s = reading.stamp_s
        if reading.stamp_s - self._first_s > self.config.max_duration_s:
            raise CalibrationError(
                f"calibration not complete after {self.config.max_duration_s} s, it was waiting for: {self.phase.value}"
            )
        self._stillness.add(reading.stamp_s, reading.rate)
        still = self._stillness.still(self.config.still_deviation)
        if self.phase is RoutinePhase.CLOSED:
            self._still.append(reading.rate)
            self._force += reading.acceleration
            if still:
                self._begin_swing(reading)
        elif self.phase is RoutinePhase.SWING:
            self._integrate(reading)
            if self._widest > self.config.min_swing and still:
                self.calibration = self._evaluate()
                self.phase = RoutinePhase.DONE
        return self.phase

    def _begin_swing(self, reading: ImuReading) -> None:
        reason = gravity_refusal(self._force / len(self._still))
        if reason is not None:
            raise CalibrationError(f"calibration stopped: {reason}")
        self._bias = np.mean(self._still[-len(self._still) // 2 :], axis=0)
        self._closed = reading.orientation
        self.phase = RoutinePhase.SWING

    def _integrate(self, reading: ImuReading) -> None:
        """The rotation so far, bias removed; small off-axis motion assumed."""
        rate = reading.rate - self._bias
        stamp_s, before = self._last or (reading.stamp_s, rate)
        angle = self._angles[-1] if self._angles else np.zeros(3)
        angle = angle + 0.5 * (rate + before) * (reading.stamp_s - stamp_s)
        self._angles.append(angle)
        self._last = (reading.stamp_s, rate)
        self._widest = max(self._widest, float(np.sqrt(angle @ angle)))
        if self._closed is not None and reading.orientation is not None:
            self._turned = max(self._turned, rotation.distance(self._closed, reading.orientation))
        self._check_unit()

    def _check_unit(self) -> None:
        widest, turned = self._widest, self._turned
        in_degrees = turned > 0.02 and 30.0 < widest / turned < 120.0
        if widest > self.config.max_swing or (in_degrees and widest > self.config.min_swing):
            raise CalibrationError(
                f"the swing was {widest:.1f} rad, a door turns by {self.config.max_swing} rad at most"
                f"{f', and its orientation turned by {turned:.2f} rad' if in_degrees else ''}; it was "
                f"{np.radians(widest):.2f} rad if the driver's unit is degrees per second: it must be rad/s"
            )

    def _evaluate(self) -> DoorImuCalibration:
        config, angles = self.config, np.array(self._angles)
        # The door is where it was: what is left at the end is the bias's drift, removed as a line.
        angles = angles - np.linspace(0.0, 1.0, len(angles))[:, None] * angles[-1]
        _, spread, axes = np.linalg.svd(np.diff(angles, axis=0), full_matrices=False)
        off_axis = float(np.linalg.norm(spread[1:]) / np.linalg.norm(spread))
        if off_axis > config.max_off_axis:
            raise CalibrationError(
                f"the swing was not about one axis: {off_axis:.0%} of the rotation is off it, allowed "
                f"{config.max_off_axis:.0%}; is the IMU fixed to the door?"
            )
        along = angles @ axes[0]
        axis = axes[0] if along[np.abs(along).argmax()] > 0.0 else -axes[0]
        largest = float(np.abs(along).max())
        if largest < config.min_swing:
            raise CalibrationError(f"the swing was {largest:.2f} rad, it must be {config.min_swing} rad or more")
        scale = config.known_swing / largest if config.known_swing else 1.0
        if not MIN_SCALE < scale < MAX_SCALE:
            raise CalibrationError(
                f"the swing was {largest:.2f} rad by the gyro and {config.known_swing} rad by known_swing; they may "
                f"differ by a factor of {MAX_SCALE} at most"
            )
        return DoorImuCalibration(
            frame=self._frame or "",
            gravity=_unit(self._force),
            hinge_axis=_unit(axis),
            gyro_scale=scale,
            heading="absolute" if self._heading == "absolute" else "relative",
        )


def save_calibration(calibration: DoorImuCalibration, path: Path) -> None:
    """Write `calibration` where `load_calibration` finds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("# Mounting of the IMU on the door, by the guided routine.\n" + dump_yaml(calibration), "utf-8")


def load_calibration(path: Path) -> DoorImuCalibration:
    """Read a calibration.

    Raises:
        CalibrationError: there is none at `path`; the message says how to make one.
        ConfigError: the file is not a calibration.
    """
    if not path.is_file():
        raise CalibrationError(
            f"there is no door IMU calibration at {str(path)!r}; make one with the service door_sensor/calibrate "
            "(docs/door.md, 'Calibrating the IMU')"
        )
    return build(DoorImuCalibration, load_yaml(path), str(path))


def _unit(vector: FloatArray) -> Vector3:
    x, y, z = vector / np.linalg.norm(vector)
    return (float(x), float(y), float(z))
