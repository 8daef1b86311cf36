"""One reading of an inertial measurement unit, whoever made it, and what makes a reading unusable."""

from dataclasses import dataclass

import numpy as np

from naf_robot.core.records import FloatArray

ROW = 11  # numbers of a reading in an array
UNIT_TOLERANCE = 0.01  # of a quaternion's norm


@dataclass(frozen=True)
class ImuReading:
    """What `sensor_msgs/Imu` carries, in the IMU's own frame."""

    stamp_s: float  # [s] on the driver's clock
    frame: str
    rate: FloatArray  # (3,) angular rate [rad/s]
    acceleration: FloatArray  # (3,) specific force [m/s^2]: gravity's reaction is in it, upward at rest
    orientation: FloatArray | None = None  # (4,) quaternion x, y, z, w of the IMU in its world; None: not estimated


def refusal(reading: ImuReading, frame: str) -> str | None:
    """Why `reading` cannot be used by somebody who was calibrated on `frame`; None if it can."""
    if reading.frame != frame:
        return f"IMU frame {reading.frame!r} is not the calibrated one; expected {frame!r}"
    if not np.isfinite(reading.stamp_s):
        return f"stamp {reading.stamp_s} is not finite"
    for name in ("rate", "acceleration"):
        value = getattr(reading, name)
        if value.shape != (3,) or not np.isfinite(value).all():
            return f"{name} must be 3 finite numbers, got {value.tolist()}"
    if reading.orientation is not None:
        if reading.orientation.shape != (4,) or not np.isfinite(reading.orientation).all():
            return f"orientation must be 4 finite numbers, got {reading.orientation.tolist()}"
        norm = float(np.linalg.norm(reading.orientation))
        if abs(norm - 1.0) > UNIT_TOLERANCE:
            return f"orientation has norm {norm:.4g}; a rotation has 1"
    return None


def to_rows(readings: list[ImuReading], now_s: float) -> FloatArray:
    """Readings as an array (N, 11): age at `now_s` [s], orientation (4,) or NaN, rate (3,), acceleration (3,)."""
    unknown = np.full(4, np.nan)
    rows = [
        np.concatenate(
            ([now_s - r.stamp_s], unknown if r.orientation is None else r.orientation, r.rate, r.acceleration)
        )
        for r in readings
    ]
    return np.array(rows).reshape(-1, ROW)


def from_rows(rows: FloatArray, now_s: float, frame: str) -> list[ImuReading]:
    """What `to_rows` made of readings, at `now_s`."""
    return [
        ImuReading(now_s - float(row[0]), frame, row[5:8], row[8:11], None if np.isnan(row[1:5]).any() else row[1:5])
        for row in rows
    ]
