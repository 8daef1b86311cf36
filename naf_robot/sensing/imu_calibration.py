"""How an IMU sits on a door: found once by a guided routine, kept in a file, checked at every start.

The routine: the door is closed and still, then it is swung open towards the robot and closed again.
The still pose gives gravity and the gyro's bias, the swing gives the hinge's axis in the IMU's frame,
and, if the angle of the swing is known (a stop), the gyro's scale.
"""

import enum
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np

from naf_robot.core.config import Config, build, dump_yaml, load_yaml
from naf_robot.core.errors import NafRobotError
from naf_robot.core.records import FloatArray
from naf_robot.core.types import Vector3
from naf_robot.sensing.imu import ImuReading, refusal


class CalibrationError(NafRobotError):
    """A calibration that is missing, not valid, or could not be made."""


class DoorImuCalibration(Config, frozen=True):
    """Mounting of one IMU on one door."""

    frame: str  # frame_id of the IMU's messages
    gravity: Vector3  # unit vector of the specific force at rest, IMU frame
    hinge_axis: Vector3  # unit vector, IMU frame; turning about it by a positive angle opens towards the robot
    gyro_scale: Annotated[float, msgspec.Meta(gt=0.5, lt=2.0)] = 1.0  # true angle over integrated angle
    heading: Literal["relative", "absolute"] = "relative"  # whether its orientation has an absolute heading

    def __post_init__(self) -> None:
        for name in ("gravity", "hinge_axis"):
            length = float(np.linalg.norm(getattr(self, name)))
            if not abs(length - 1.0) < 1e-3:
                raise CalibrationError(
                    f"{name} of a door IMU calibration must be a unit vector, its length is {length}"
                )


class RoutineConfig(Config, frozen=True):
    """What the guided routine asks for."""

    still_s: float = 2.0  # [s] that the door must be still, before and after the swing
    still_deviation: float = 0.01  # [rad/s] standard deviation of the rate that still counts as still
    min_swing: float = 0.5  # opening of the door that suffices [rad]
    max_off_axis: float = 0.1  # share of the rotation's root mean square that is not about one axis
    known_swing: float | None = None  # [rad] to the stop, where it is known; gives the gyro's scale
    max_duration_s: float = 120.0  # after which the routine gives up


class RoutinePhase(enum.Enum):
    """Where the routine stands; the value tells the operator what to do."""

    CLOSED = "keep the door closed and still"
    SWING = "swing the door open towards the robot, then close it and keep it still"
    DONE = "calibrated"


class CalibrationRoutine:
    """Takes readings until the calibration is complete; without a `frame`, those of the first reading's frame."""

    def __init__(self, frame: str | None, config: RoutineConfig | None = None, heading: str = "relative") -> None:
        self._frame = frame
        self._heading = heading
        self.config = config or RoutineConfig()
        self.phase = RoutinePhase.CLOSED
        self.calibration: DoorImuCalibration | None = None
        self._readings: list[ImuReading] = []
        self._swing_from: int | None = None

    def add(self, reading: ImuReading) -> RoutinePhase:
        """Take one reading; the phase then.

        Raises:
            CalibrationError: the reading is unusable, the swing is too small or not about one axis, or
                the routine takes too long.
        """
        if self._frame is None:
            self._frame = reading.frame
        reason = refusal(reading, self._frame)
        if reason is not None:
            raise CalibrationError(f"calibration stopped: {reason}")
        self._readings.append(reading)
        if reading.stamp_s - self._readings[0].stamp_s > self.config.max_duration_s:
            raise CalibrationError(
                f"calibration not complete after {self.config.max_duration_s} s, it was waiting for: {self.phase.value}"
            )
        if self.phase is RoutinePhase.CLOSED and self._still():
            self.phase, self._swing_from = RoutinePhase.SWING, len(self._readings)
        elif self.phase is RoutinePhase.SWING and self._swung() and self._still():
            self.calibration = self._evaluate()
            self.phase = RoutinePhase.DONE
        return self.phase

    def _window(self) -> list[ImuReading]:
        since = self._readings[-1].stamp_s - self.config.still_s
        window = [r for r in self._readings[-int(1e4) :] if r.stamp_s >= since - 1e-9]
        return window if self._readings[0].stamp_s <= since else []

    def _still(self) -> bool:
        window = self._window()
        if len(window) < 10:
            return False
        return bool(np.array([r.rate for r in window]).std(axis=0).max() < self.config.still_deviation)

    def _swung(self) -> bool:
        angles = self._integrated()
        return bool(np.linalg.norm(angles, axis=1).max(initial=0.0) > self.config.min_swing)

    def _integrated(self) -> FloatArray:
        """Rotation vectors (N, 3) integrated over the swing, bias removed; small off-axis motion assumed."""
        first = self._readings[: self._swing_from]
        bias = np.mean([r.rate for r in first[-len(first) // 2 :]], axis=0)
        swing = self._readings[self._swing_from :]
        stamps = np.array([r.stamp_s for r in swing])
        rates = np.array([r.rate for r in swing]).reshape(-1, 3) - bias
        steps = np.diff(stamps, prepend=stamps[:1])[:, None]
        between = 0.5 * (rates + np.vstack((rates[:1], rates[:-1])))
        return np.cumsum(between * steps, axis=0)

    def _evaluate(self) -> DoorImuCalibration:
        config = self.config
        angles = self._integrated()
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
        still = [r.acceleration for r in self._readings[: self._swing_from]]
        gravity = np.mean(still, axis=0)
        return DoorImuCalibration(
            frame=self._readings[0].frame,
            gravity=_unit(gravity),
            hinge_axis=_unit(axis),
            gyro_scale=config.known_swing / largest if config.known_swing else 1.0,
            heading="absolute" if self._heading == "absolute" else "relative",
        )


def save_calibration(calibration: DoorImuCalibration, path: Path) -> None:
    """Write `calibration` where `load_calibration` finds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("# Mounting of the IMU on the door, by the guided routine.\n" + dump_yaml(calibration), "utf-8")


def load_calibration(path: Path) -> DoorImuCalibration:
    """Read a calibration.

    Raises:
        CalibrationError: there is none at `path`; the way to make one is told.
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
