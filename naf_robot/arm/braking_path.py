"""Where the arm would pass if it took one velocity for a period and then braked fully."""

from dataclasses import dataclass

import numpy as np

from naf_robot.arm.stopping import braking_displacement
from naf_robot.core.records import FloatArray


@dataclass(frozen=True)
class Waypoint:
    """One posture on a braking path.

    `rate` (n,) [s] is the derivative of `position` by the velocity, joint by joint. `start`
    numbers the state the path began in; `last` is true at the standstill.
    """

    position: FloatArray  # (n,) [rad]
    rate: FloatArray  # (n,) [s]
    start: int
    last: bool


def braking_path(
    starts: tuple[FloatArray, ...],
    velocity: FloatArray,
    acceleration: FloatArray,
    period_s: float,
    extra_s: float,
) -> list[Waypoint]:
    """Postures after one period, half-way through braking and at standstill.

    The paths begin in each of `starts`, (n,) each: the state as measured, and the state as it
    is if the measurement is as old as allowed for. `extra_s` lengthens the first period.
    """
    length, rate = braking_displacement(velocity, acceleration, period_s)
    hold = period_s + extra_s
    ones = np.full(velocity.shape, hold)
    first = hold * velocity
    rest = length - period_s * velocity  # travelled while braking
    # A joint that brakes evenly has three quarters of its way behind it at half time; joints with
    # shorter braking times are then further on, which the standstill waypoint covers.
    halfway = first + 0.75 * rest
    points = []
    for number, start in enumerate(starts):
        points.append(Waypoint(start + first, ones, number, False))
        points.append(Waypoint(start + halfway, ones + 0.75 * (rate - period_s), number, False))
        points.append(Waypoint(start + first + rest, rate + extra_s, number, True))
    return points
