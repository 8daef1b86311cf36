"""Numbers that change with the updates along straight lines. Loads no torch: they are part of the configuration."""

from itertools import pairwise
from typing import Annotated

import msgspec

from naf_robot.core.types import NonNegativeFloat, NonNegativeInt

Pairs = tuple[tuple[int, float], ...]
Ramp = Annotated[tuple[tuple[NonNegativeInt, NonNegativeFloat], ...], msgspec.Meta(min_length=1)]
Ramped = NonNegativeFloat | Ramp  # a number, or (updates, number) pairs with straight lines between them


def check_ramp(what: str, ramped: float | Pairs) -> None:
    """Refuse a ramp whose updates do not ascend.

    Raises:
        ValueError: naming it as `what`.
    """
    if isinstance(ramped, tuple) and any(b[0] <= a[0] for a, b in pairwise(ramped)):
        raise ValueError(f"the updates of the ramp of {what} must ascend, got {list(ramped)}")


def value_at(ramped: float | Pairs, updates: int) -> float:
    """Its value after `updates`: before its first pair that of the first, after its last pair that of the last."""
    if not isinstance(ramped, tuple):
        return ramped
    if updates <= ramped[0][0]:
        return ramped[0][1]
    for (before, low), (after, high) in pairwise(ramped):
        if updates <= after:
            return low + (high - low) * (updates - before) / (after - before)
    return ramped[-1][1]


def is_zero(ramped: float | Pairs) -> bool:
    """Whether it is 0 after any number of updates."""
    return not any(value for _, value in ramped) if isinstance(ramped, tuple) else ramped == 0.0
