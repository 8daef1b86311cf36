"""Where the arm would pass if it took one velocity for a period and then braked fully."""

import copy

import numpy as np

from naf_robot.arm.stopping import braking_displacement
from naf_robot.core.records import FloatArray

# Waypoints as shares of: the first period, the time after it that an old measurement hides, the
# way while braking. A joint that brakes evenly has 7/16 of that way behind it after a quarter of
# the time and 3/4 after half of it.
FROM_NOW = np.array([(0.5, 0, 0), (1, 0, 0), (1, 1, 0.4375), (1, 1, 0.75), (1, 1, 1)])
FROM_MEASURED = np.array([(0.5, 0, 0), (1, 0, 0), (1, 0, 1)])
FROM_BOTH = np.concatenate((FROM_NOW, FROM_MEASURED))
START_OF = (0,) * len(FROM_NOW) + (1,) * len(FROM_MEASURED)
WITHIN_PERIOD, AFTER_PERIOD, STANDSTILL = 0, 1, len(FROM_NOW) - 1  # rows of the path


class BrakingPaths:
    """The paths that begin where the arm is if its measurement is as old as allowed for, and where it was measured.

    `starts` is one or two postures, (n,) each, in that order (one where both are the same);
    `acceleration` (n,) [rad/s^2]; a velocity lasts `period_s`, from the first start `extra_s` longer.
    """

    def __init__(
        self, starts: tuple[FloatArray, ...], acceleration: FloatArray, period_s: float, extra_s: float
    ) -> None:
        self._shares = FROM_NOW if len(starts) == 1 else FROM_BOTH
        self.start_of = START_OF[: len(self._shares)]
        self._starts = np.array([starts[number] for number in self.start_of])
        self._mix = self._shares @ np.array(((period_s, 0.0), (extra_s, 0.0), (0.0, 1.0)))
        self._acceleration = acceleration
        self._period_s = period_s

    def without_extra(self) -> "BrakingPaths":
        """The same paths with nothing added to the first period."""
        other = copy.copy(self)
        other._mix = self._shares @ np.array(((self._period_s, 0.0), (0.0, 0.0), (0.0, 1.0)))
        return other

    def positions(self, velocity: FloatArray) -> FloatArray:
        """Waypoints of the paths of `velocity` (n,): shape (k, n) [rad]."""
        length, _ = braking_displacement(velocity, self._acceleration, self._period_s)
        return self._starts + self._mix @ np.array((velocity, length - self._period_s * velocity))

    def rates(self, velocity: FloatArray) -> FloatArray:
        """Derivative of `positions` by the velocity, joint by joint: shape (k, n) [s]."""
        _, rate = braking_displacement(velocity, self._acceleration, self._period_s)
        return self._mix @ np.array((np.ones_like(rate), rate - self._period_s))
