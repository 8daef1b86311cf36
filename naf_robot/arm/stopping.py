"""Velocities from which a joint can still stop in time. Symbols and proofs: docs/safety.md."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.records import FloatArray


def stopping_velocity(distance: FloatArray, acceleration: FloatArray, horizon_s: float | FloatArray) -> FloatArray:
    """The largest v >= 0 with v h + v^2 / (2 a) <= d, elementwise; zero where d <= 0.

    v = -a h + sqrt((a h)^2 + 2 a d), written so that it loses no digits for small d: d
    `distance` (..., n) [rad], a `acceleration` (n,) [rad/s^2], h `horizon_s` [s].
    """
    left = np.maximum(distance, 0.0)
    reach = acceleration * horizon_s
    return 2.0 * acceleration * left / (reach + np.sqrt(reach * reach + 2.0 * acceleration * left))


def braking_displacement(
    velocity: FloatArray, acceleration: FloatArray, period_s: float
) -> tuple[FloatArray, FloatArray]:
    """How far each joint goes when it brakes fully after this period, and the derivative.

    The commands are v, v - aT, v - 2aT, ... held for T each, so the joint travels
    e(v) = T (m v - a T m (m - 1) / 2) with m = floor(v / (a T)) + 1 steps, and e(v - aT) = e(v) - T v:
    braking never moves the end of its own path. Returns e (n,) [rad] and de/dv = T m (n,) [s].
    """
    step = acceleration * period_s
    speed = np.abs(velocity)
    count = np.floor(speed / step) + 1.0
    length = period_s * (count * speed - 0.5 * step * count * (count - 1.0))
    return np.copysign(length, velocity), period_s * count


@dataclass(frozen=True)
class VelocityBox:
    """Interval of admitted velocities per joint, with what made it; arrays are (n,) [rad/s]."""

    lower: FloatArray
    upper: FloatArray
    position_lower: FloatArray  # of the position limits alone
    position_upper: FloatArray
    relaxed: NDArray[np.bool_]  # (n,) the acceleration limit gave way here


def velocity_box(
    last_sent: FloatArray,
    max_velocity: FloatArray,
    acceleration_step: FloatArray,
    wanted: tuple[FloatArray, FloatArray],
    needed: tuple[FloatArray, FloatArray],
) -> VelocityBox:
    """Intersect speed, acceleration and position intervals by precedence; never empty.

    `wanted` and `needed` are the lower and upper position bounds with and without the reserve
    for delay and margin (`needed` contains `wanted`, both contain zero). Where acceleration
    cannot meet `wanted`, full braking is admitted as long as it meets `needed`; where not, the
    joint takes the bound and acceleration gives way. Intervals are never swapped.
    """
    speed_lower, speed_upper = -max_velocity, max_velocity
    brake_lower, brake_upper = last_sent - acceleration_step, last_sent + acceleration_step
    wanted_lower, wanted_upper = np.maximum(wanted[0], speed_lower), np.minimum(wanted[1], speed_upper)
    needed_lower, needed_upper = np.maximum(needed[0], speed_lower), np.minimum(needed[1], speed_upper)
    # Full braking, where the wanted bound cannot be met, but never past the needed one.
    upper = np.where(brake_lower > wanted_upper, np.minimum(brake_lower, needed_upper), wanted_upper)
    lower = np.where(brake_upper < wanted_lower, np.maximum(brake_upper, needed_lower), wanted_lower)
    relaxed = (brake_lower > upper) | (brake_upper < lower)
    return VelocityBox(
        lower=np.where(relaxed, np.where(brake_lower > upper, upper, lower), np.maximum(lower, brake_lower)),
        upper=np.where(relaxed, np.where(brake_upper < lower, lower, upper), np.minimum(upper, brake_upper)),
        position_lower=wanted[0],
        position_upper=wanted[1],
        relaxed=relaxed,
    )
