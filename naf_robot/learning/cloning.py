"""Behaviour cloning beside an algorithm's own loss, on the rows of a batch that are demonstrations.

The policy µ is drawn to the demonstrated action u by weight · mean |µ(x) - u|² over those rows (Nair et al. 2018,
section IV-B, without its filter). The weight follows the updates: once it is small, what is better than a
demonstration can be learned.

B batch, A action size, K blocked batches.
"""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from naf_robot.core.errors import NafRobotError
from naf_robot.learning.ramp import Pairs, is_zero, value_at
from naf_robot.learning.sources import Batches

DEMONSTRATION = "demonstration"  # the source whose rows are cloned


@runtime_checkable
class MarkedBatches(Batches, Protocol):
    """Batches that know which source each of their rows is from; `Mixture` is one."""

    def rows_of(self, source: str, /) -> Tensor:
        """Which rows of the newest `sample` are from `source`: 1 or 0, float32 (K, B)."""
        ...


def cloning_loss(mu: Tensor, action: Tensor, rows: Tensor) -> Tensor:
    """Mean of |µ(x) - u|² over the marked rows, 0 without any; `mu` and `action` (B, A), `rows` (B,) of 1 and 0."""
    return ((mu - action).square().sum(1) * rows).sum() / rows.sum().clamp(min=1.0)


class Cloning:
    """The weights of the newest drawn batches' rows.

    Raises:
        NafRobotError: there is a weight, and `batches` do not know which rows are demonstrations.
    """

    def __init__(self, weight: float | Pairs, batches: Batches) -> None:
        self._weight, self._batches = weight, batches
        self.is_active = not is_zero(weight)
        if self.is_active and not isinstance(batches, MarkedBatches):
            raise NafRobotError("cloning_weight needs batches that know which rows are demonstrations")

    def rows(self) -> Tensor:
        """Which rows of the newest batches are demonstrations (K, B)."""
        assert isinstance(self._batches, MarkedBatches)
        return self._batches.rows_of(DEMONSTRATION)

    def weight(self, updates: int) -> float:
        """The weight of the update after `updates` others."""
        return value_at(self._weight, updates)

    def row_weights(self, updates: int, device: torch.device) -> Tensor:
        """Twice the weight over the number of marked rows, for those, (K, B): the factor of the gradient by µ."""
        rows = self.rows().to(device)
        weights = torch.tensor([2.0 * self.weight(updates + k) for k in range(len(rows))], device=device)
        return rows * (weights / rows.sum(1).clamp(min=1.0)).unsqueeze(1)
