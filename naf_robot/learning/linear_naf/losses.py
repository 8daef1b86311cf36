"""Linear-NAF's loss. B batch, A action size, K = A(A+1)/2."""

import torch
from torch import Tensor

from naf_robot.learning.triangle import triangle_indices


def quadratic_advantage(mu: Tensor, triangle: Tensor, action: Tensor, limit: float) -> Tensor:
    """Minus ½ (u - µ)ᵀ L Lᵀ (u - µ), shape (B,); `mu` and `action` (B, A), `triangle` (K,), its diagonal first."""
    size = mu.shape[1]
    rows, columns = triangle_indices(size)
    diagonal = torch.exp(limit * torch.tanh(triangle[:size] / limit))
    entries = torch.cat((diagonal, triangle[size:]))
    lower = torch.zeros(size, size, device=mu.device).index_put((torch.tensor(rows), torch.tensor(columns)), entries)
    return -0.5 * ((action - mu) @ lower).square().sum(1)


def bellman_loss(q: Tensor, target: Tensor) -> Tensor:
    """Mean of (Q - y)², both (B,)."""
    return (q - target).square().mean()
