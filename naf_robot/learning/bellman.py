"""The target of the Bellman error, for every algorithm that learns a value. B batch."""

import torch
from torch import Tensor


def bootstrap_factor(
    terminated: Tensor, truncated: Tensor, discount: float, time_limit_is_terminal: bool = False
) -> Tensor:
    """What V(x') counts in the target: the discount, or 0 after an end. Flags are 0 or 1, any shape.

    A truncated transition bootstraps, unless `time_limit_is_terminal` (Algorithm 1 of Gu et al.
    2016b as printed: y = r at t = T).
    """
    ended = torch.maximum(terminated, truncated) if time_limit_is_terminal else terminated
    return discount * (1.0 - ended)


def td_target(reward: Tensor, bootstrap: Tensor, next_value: Tensor) -> Tensor:
    """The target y = r + bootstrap · V(x'), all shapes `(B,)`; `bootstrap` from `bootstrap_factor`."""
    return torch.addcmul(reward, bootstrap, next_value)
