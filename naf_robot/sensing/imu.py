"""One reading of an inertial measurement unit, and the checks that make a reading unusable."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.core.records import FloatArray

ROW = 10  # numbers of a reading in an array
IMU_RATE = slice(4, 7)  # of them the angular rates [rad/s]
UNIT_TOLERANCE = 0.01  # of a quaternion's norm
GRAVITY = 9.80665  # [m/s^2]
MAX_RATE = 35.0  # [rad/s], about 2000 degrees per second: the range of MEMS gyros
MAX_ACCELERATION = 320.0  # [m/s^2], more than 32 g: beyond the range of MEMS accelerometers
GRAVITY_TOLERANCE = 0.2  # of its size, at rest
UNKNOWN = -1.0  # first element of a covariance: the device does not measure this (sensor_msgs/Imu)


@dataclass(frozen=True)
class ImuReading:
    """What `sensor_msgs/Imu` carries, in the IMU's own frame."""

    stamp_s: float  # [s] on the driver's clock
    frame: str
    rate: FloatArray  # (3,) angular rate [rad/s]
    acceleration: FloatArray  # (3,) specific force [m/s^2]: gravity's reaction is in it, upward at rest
    orientation: FloatArray | None = None  # (4,) quaternion x, y, z, w of the IMU in its world; None: not estimated

    def __post_init__(self) -> None:
        if self.orientation is not None and not np.any(self.orientation):  # what drivers send that estimate none
            object.__setattr__(self, "orientation", None)


def refusal(reading: ImuReading, frame: str) -> str | None:
    """Why `reading` cannot be used with a calibration of the frame `frame`; None if it can."""
    if reading.frame != frame:
        return f"IMU frame {reading.frame!r} is not the calibrated one; expected {frame!r}"
    if not np.isfinite(reading.stamp_s):
        return f"stamp {reading.stamp_s} is not finite"
    for name in ("rate", "acceleration"):
        value = getattr(reading, name)
        if value.shape != (3,) or not np.isfinite(value).all():
            return f"{name} must be 3 finite numbers, got {value.tolist()}"
    if not (fastest := float(np.abs(reading.rate).max())) <= MAX_RATE:
        return (
            f"rate {fastest:.1f} rad/s is more than the {MAX_RATE} rad/s that a gyro can measure; it would be "
            f"{np.radians(fastest):.2f} rad/s if the driver's unit is degrees per second"
        )
    if not (strongest := float(np.abs(reading.acceleration).max())) <= MAX_ACCELERATION:
        return (
            f"acceleration {strongest:.0f} m/s^2 is more than the {MAX_ACCELERATION} m/s^2 that an IMU can measure; it "
            f"would be {strongest * GRAVITY / 1000.0:.2f} m/s^2 if the driver's unit is thousandths of g"
        )
    if reading.orientation is not None:
        if reading.orientation.shape != (4,) or not np.isfinite(reading.orientation).all():
            return f"orientation must be 4 finite numbers, got {reading.orientation.tolist()}"
        norm = float(np.linalg.norm(reading.orientation))
        if abs(norm - 1.0) > UNIT_TOLERANCE:
            return f"orientation has norm {norm:.4g}; a rotation has 1"
    return None


def gravity_refusal(force: FloatArray) -> str | None:
    """Why `force` (3,) [m/s^2], the mean acceleration of an IMU at rest, cannot be gravity's reaction; None if it is.

    The message names the unit or the driver setting that explains the size, where one does.
    """
    size = float(np.linalg.norm(force))
    if abs(size - GRAVITY) <= GRAVITY_TOLERANCE * GRAVITY:
        return None
    found = f"an IMU at rest must read gravity, {GRAVITY:.2f} m/s^2, got {size:.3g}"
    if size < 0.05 * GRAVITY:
        return f"{found}: the driver removes gravity; switch that off"
    if abs(size - 1.0) <= GRAVITY_TOLERANCE:
        return f"{found}: the driver's unit seems to be g, it must be m/s^2"
    if abs(size - 1000.0) <= GRAVITY_TOLERANCE * 1000.0:
        return f"{found}: the driver's unit seems to be thousandths of g, it must be m/s^2"
    return f"{found}; check the accelerometer's range and unit"


def row_of(reading: ImuReading) -> FloatArray:
    """A reading as an array (10,): orientation (4,), zeros where it is not estimated, rate (3,), acceleration (3,)."""
    orientation = np.zeros(4) if reading.orientation is None else reading.orientation
    return np.concatenate((orientation, reading.rate, reading.acceleration))


def reading_of_row(row: FloatArray, stamp_s: float, frame: str) -> ImuReading:
    """What `row_of` made of a reading of `stamp_s`."""
    return ImuReading(stamp_s, frame, row[4:7], row[7:10], row[:4])


def to_rows(readings: list[ImuReading]) -> tuple[FloatArray, FloatArray]:
    """Readings as the arrays of a stream: `row_of` each (N, 10), and their stamps (N,) [s]."""
    rows = np.array([row_of(reading) for reading in readings]).reshape(-1, ROW)
    return rows, np.array([reading.stamp_s for reading in readings])


def from_rows(rows: FloatArray, stamps: FloatArray, frame: str) -> list[ImuReading]:
    """What `to_rows` made of readings."""
    return [reading_of_row(row, float(stamp), frame) for row, stamp in zip(rows, stamps, strict=True)]


def decode_imu(message: Any) -> ImuReading:
    """The reading that a sensor_msgs/Imu carries.

    Raises:
        RefusedMessage: the IMU says that it lacks what is needed.
    """
    if message.angular_velocity_covariance[0] == UNKNOWN or message.linear_acceleration_covariance[0] == UNKNOWN:
        raise RefusedMessage("the IMU says that it measures no angular rate or no acceleration")
    w, a, q = message.angular_velocity, message.linear_acceleration, message.orientation
    known = message.orientation_covariance[0] != UNKNOWN
    return ImuReading(
        message.header.stamp.sec + message.header.stamp.nanosec * 1e-9,
        message.header.frame_id,
        np.array([w.x, w.y, w.z]),
        np.array([a.x, a.y, a.z]),
        np.array([q.x, q.y, q.z, q.w]) if known else None,
    )


def encode_imu(message: Any, reading: ImuReading) -> None:
    """Fill an empty sensor_msgs/Imu, but for its header, as a driver would."""
    w, a, q = message.angular_velocity, message.linear_acceleration, message.orientation
    w.x, w.y, w.z = (float(value) for value in reading.rate)
    a.x, a.y, a.z = (float(value) for value in reading.acceleration)
    if reading.orientation is None:
        message.orientation_covariance[0] = UNKNOWN
    else:
        q.x, q.y, q.z, q.w = (float(value) for value in reading.orientation)
