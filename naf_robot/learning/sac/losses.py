"""SAC's losses (Haarnoja et al. 2018b, section 5). B batch, A action size."""

import math

import torch
from torch import Tensor


def squash(mean: Tensor, log_deviation: Tensor, normal: Tensor) -> tuple[Tensor, Tensor]:
    """Action u = tanh(mean + deviation · normal) and log π(u|x): shapes (B, A) and (B,).

    log(1 - tanh²(z)) is taken as 2 (log 2 - z - softplus(-2z)), which keeps its precision for large z.
    """
    raw = mean + log_deviation.exp() * normal
    density = -0.5 * normal.square() - log_deviation - 0.5 * math.log(2.0 * math.pi)
    volume = 2.0 * (math.log(2.0) - raw - torch.nn.functional.softplus(-2.0 * raw))
    return torch.tanh(raw), (density - volume).sum(1)


def soft_value(q: Tensor, log_probability: Tensor, temperature: Tensor) -> Tensor:
    """The soft value min Q(x, u) - α log π(u|x), from both critics' values (2, B): shape (B,)."""
    return q.min(0).values - temperature * log_probability


def critic_loss(q: Tensor, target: Tensor) -> Tensor:
    """Half the sum over critics of the mean of (Q - y)²; `q` (2, B), `target` (B,)."""
    return 0.5 * (q - target).square().mean(1).sum()


def temperature_loss(log_temperature: Tensor, log_probability: Tensor, target_entropy: float) -> Tensor:
    """Minus log α times the mean of (log π + target entropy)."""
    return -(log_temperature * (log_probability.detach() + target_entropy)).mean()
