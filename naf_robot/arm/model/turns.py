"""Continuous joints count their turns: what a driver reports may start again after each of them."""

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.records import FloatArray

TURN = 2.0 * np.pi  # [rad]


class Unwrapper:
    """Joint positions (n,) counted over turns, from successive ones that may be wrapped.

    Each continuous joint is taken to have gone the shortest way since the position before; so whether the driver
    wraps its angles (to any range of one turn) or counts itself makes no difference. Other joints pass unchanged.
    The first position is taken as it is: turns made before it are unknown.
    It miscounts only where a joint goes more than half a turn between two positions.
    """

    def __init__(self, continuous: NDArray[np.bool_]) -> None:
        self._continuous = np.array(continuous, dtype=bool)
        self._any = bool(self._continuous.any())
        self._reported: FloatArray | None = None
        self._counted: FloatArray | None = None

    def __call__(self, reported: FloatArray) -> FloatArray:
        """Position (n,) over all turns [rad] of one that was reported, (n,) [rad]; a new array.

        A position that is not finite is returned as it is, and not remembered.
        """
        if not self._any or not np.isfinite(reported).all():
            return np.array(reported)
        if self._reported is None or self._counted is None:
            self._counted = np.array(reported)
        else:
            turned = shortest(reported - self._reported)
            self._counted = np.where(self._continuous, self._counted + turned, reported)
        self._reported = np.array(reported)
        return self._counted.copy()

    def reset(self) -> None:
        """Forget all turns: the next position is taken as it is."""
        self._reported = self._counted = None


def shortest(difference: FloatArray) -> FloatArray:
    """`difference` [rad] by whole turns within half a turn of zero; where it is already, to the last bit."""
    inside = (difference >= -np.pi) & (difference <= np.pi)
    return np.where(inside, difference, (difference + np.pi) % TURN - np.pi)


def way(
    target: FloatArray, position: FloatArray, continuous: NDArray[np.bool_], lower: FloatArray, upper: FloatArray
) -> FloatArray:
    """`target` less `position`, (n,) [rad]: of continuous joints the shortest that ends within `lower` and `upper`.

    A joint whose target none of its turns brings within them gets the shortest way.
    """
    found = target - position
    short = shortest(found)
    for turn in (TURN, -TURN):
        other = short + turn
        end, instead = position + short, position + other
        left = (end < lower) | (end > upper)
        short = np.where(left & (instead >= lower) & (instead <= upper), other, short)
    return np.where(continuous, short, found)
