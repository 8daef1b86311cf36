"""Velocities from which a joint can still stop in time. Symbols and proofs: docs/safety.md."""

import math
from typing import NamedTuple

import numpy as np

from naf_robot.core.records import FloatArray


def stopping_velocity(distance: float, acceleration: float, horizon_s: float) -> float:
    """The largest v >= 0 with v h + v^2 / (2 a) <= d; zero where d <= 0 or is not a number.

    v = -a h + sqrt((a h)^2 + 2 a d), written so that it loses no digits for small d: d
    `distance` [rad], a `acceleration` [rad/s^2], h `horizon_s` [s].
    """
    if not distance > 0.0:
        return 0.0
    reach, squared = acceleration * horizon_s, 2.0 * acceleration * distance
    return squared / (reach + math.sqrt(reach * reach + squared))


def braking_way(velocity: FloatArray, step: FloatArray, period_s: float) -> tuple[FloatArray, FloatArray]:
    """How far each joint goes while it brakes fully after this period, and the derivative.

    The commands after v are v - s, v - 2s, ... with s = aT the `step` (n,) [rad/s], held for T each, so
    the joint travels b(v) = T (m v - s m (m + 1) / 2) in m = floor(|v| / s) steps more. The way to
    standstill is e(v) = T v + b(v), and e(v - s) = b(v): braking never moves the end of its own
    path. Returns b (n,) [rad] and db/dv = T m (n,) [s].
    """
    speed = np.abs(velocity)
    count = np.floor(speed / step)
    rate = period_s * count
    return np.copysign(rate * (speed - 0.5 * step * (count + 1.0)), velocity), rate


class VelocityInterval(NamedTuple):
    """Admitted velocities of one joint [rad/s], with what made them."""

    lower: float
    upper: float
    relaxed: bool  # the acceleration limit gave way


def velocity_interval(
    last_sent: float,
    max_velocity: float,
    acceleration_step: float,
    wanted: tuple[float, float],
    needed: tuple[float, float],
) -> VelocityInterval:
    """Intersect speed, acceleration and position intervals of a joint by precedence; never empty.

    `wanted` and `needed` are the lower and upper position bounds with and without the reserve
    for delay and margin (`needed` contains `wanted`, both contain zero). Where acceleration
    cannot meet `wanted`, full braking is admitted as long as it meets `needed`; where not, the
    joint takes the bound and acceleration gives way. Intervals are never swapped.
    """
    least, most = last_sent - acceleration_step, last_sent + acceleration_step  # by acceleration
    upper, lower = min(wanted[1], max_velocity), max(wanted[0], -max_velocity)
    # Full braking, where the wanted bound cannot be met, but never past the needed one.
    if least > upper:
        upper = min(least, needed[1], max_velocity)
        if least > upper:
            return VelocityInterval(upper, upper, True)
    if most < lower:
        lower = max(most, needed[0], -max_velocity)
        if most < lower:
            return VelocityInterval(lower, lower, True)
    return VelocityInterval(max(lower, least), min(upper, most), False)
