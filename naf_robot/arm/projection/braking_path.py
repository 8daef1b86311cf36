"""Where the arm would pass if it took one velocity for a period and then braked fully."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from naf_robot.arm.projection.stopping import braking_way
from naf_robot.core.records import FloatArray

# Waypoints as shares of: the first period, the time after it that an old measurement hides, the
# way while braking. A joint that brakes evenly has 7/16 of that way behind it after a quarter of
# the time and 3/4 after half of it.
FROM_NOW = np.array([(0.5, 0, 0), (1, 0, 0), (1, 1, 0.4375), (1, 1, 0.75), (1, 1, 1)])
FROM_MEASURED = np.array([(0.5, 0, 0), (1, 0, 0), (1, 0, 1)])
FROM_BOTH = np.concatenate((FROM_NOW, FROM_MEASURED))
START_OF = (0,) * len(FROM_NOW) + (1,) * len(FROM_MEASURED)
WITHIN_PERIOD, AFTER_PERIOD, STANDSTILL, MEASURED = 0, 1, len(FROM_NOW) - 1, len(FROM_NOW)  # rows of the path
STARTS = np.array(START_OF)


class Waypoints(NamedTuple):
    """The paths of one velocity."""

    positions: FloatArray  # (k, n) [rad]
    mix: FloatArray  # (k, 2), see mix_of
    braking_rate: FloatArray  # (n,) [s], derivative of the way while braking by the velocity

    def rate(self, waypoint: int) -> FloatArray:
        """Derivative of a waypoint's position by the velocity, joint by joint: shape (n,) [s]."""
        period, braking = self.mix[waypoint].tolist()
        return period + braking * self.braking_rate


class BrakingPaths:
    """The paths that begin where the arm is if its measurement is as old as allowed for, and where it was measured.

    `starts` is one or two postures, (n,) each, in that order (one where both are the same);
    `acceleration` (n,) [rad/s^2]; a velocity lasts `period_s`, from the first start `extra_s`
    longer, unless the way asked for is the one without.
    """

    def __init__(
        self, starts: tuple[FloatArray, ...], acceleration: FloatArray, period_s: float, extra_s: float
    ) -> None:
        self._count = len(FROM_NOW) if len(starts) == 1 else len(FROM_BOTH)
        self.start_of = START_OF[: self._count]
        self._starts = np.array(starts).take(STARTS[: self._count], axis=0)
        self._step = acceleration * period_s
        self._period_s = period_s
        self._extra_s = extra_s

    def waypoints(self, velocity: FloatArray, without_extra: bool = False) -> Waypoints:
        """Where the paths of `velocity` (n,) pass."""
        way, rate = braking_way(velocity, self._step, self._period_s)
        mix = mix_of(self._count, self._period_s, 0.0 if without_extra else self._extra_s)
        return Waypoints(self._starts + mix @ np.array((velocity, way)), mix, rate)


@lru_cache(maxsize=64)  # the period that a command may last is nearly always the same
def mix_of(count: int, period_s: float, extra_s: float) -> FloatArray:
    """Share of the velocity [s] and of the way while braking at each waypoint: shape (count, 2)."""
    mix = FROM_BOTH[:count] @ np.array(((period_s, 0.0), (extra_s, 0.0), (0.0, 1.0)))
    mix.setflags(write=False)
    return mix
