"""NAF's loss and its gradient as plain functions. B batch, A action size, K = A(A+1)/2.

With δ = u - µ, P = L Lᵀ and w = Lᵀδ (Gu et al. 2016b, section III):

    Q(x, u) = V(x) - ½ δᵀ P δ = V(x) - ½ wᵀw
    loss    = mean over the batch of (Q - y)²
    ∂Q/∂L_ij = -δ_i w_j,   ∂Q/∂µ = P δ = L w,   ∂Q/∂V = 1

L's lower triangle is a vector l of K numbers, the A diagonal ones first. Two constant one-hot
matrices turn triangle sums into products: `rows` (A, K) spreads δ to δ_row(k), `columns` (A, K)
spreads w to w_column(k); so w = (l ⊙ δ rows) columnsᵀ and no small matrix is ever built.
The diagonal is exp(c tanh(z / c)), the paper's exp bounded smoothly to exp(±c): an unbounded
diagonal is how NAF diverges, and a hard clamp would stop the gradient.
"""

import torch
from torch import Tensor


def triangle_indices(action_size: int) -> tuple[list[int], list[int]]:
    """Row and column of each entry of the triangle vector: diagonal first, then below it by rows."""
    below = [(i, j) for i in range(action_size) for j in range(i)]
    diagonal = list(range(action_size))
    return diagonal + [i for i, _ in below], diagonal + [j for _, j in below]


def triangle_maps(action_size: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """The one-hot matrices `rows` and `columns`, each (A, K)."""
    rows, columns = triangle_indices(action_size)
    eye = torch.eye(action_size, device=device)
    return eye[:, rows].contiguous(), eye[:, columns].contiguous()


def td_target(
    reward: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    next_value: Tensor,
    discount: float,
    time_limit_is_terminal: bool = False,
) -> Tensor:
    """The target y = r + discount (1 - terminated) V(x'); all shapes `(B,)`, flags as 0 or 1.

    A truncated transition bootstraps, unless `time_limit_is_terminal` (Algorithm 1 of Gu et al.
    2016b as printed: y = r at t = T).
    """
    ended = torch.maximum(terminated, truncated) if time_limit_is_terminal else terminated
    return torch.addcmul(reward, 1.0 - ended, next_value, value=discount)


def bounded_diagonal(raw: Tensor, limit: float) -> tuple[Tensor, Tensor]:
    """The diagonal of L, exp(c tanh(z / c)), and its derivative by z; both the shape of `raw`."""
    squashed = torch.tanh(raw / limit)
    diagonal = torch.exp(limit * squashed)
    return diagonal, diagonal * (1.0 - squashed * squashed)


def quadratic_advantage(
    raw_mu: Tensor, raw_triangle: Tensor, action: Tensor, rows: Tensor, columns: Tensor, limit: float
) -> tuple[Tensor, Tensor, Tensor]:
    """-½ (u - µ)ᵀ P (u - µ) and its gradients.

    Args:
        raw_mu: µ before tanh, `(B, A)`.
        raw_triangle: the triangle before the diagonal's exponential, `(B, K)`.
        action: u, `(B, A)`.
        rows: one-hot map of the triangle's rows, `(A, K)`.
        columns: one-hot map of its columns, `(A, K)`.
        limit: c, the bound of the log diagonal.

    Returns:
        The advantage `(B,)`, its gradient by `raw_mu` `(B, A)` and by `raw_triangle` `(B, K)`.
    """
    size = raw_mu.shape[1]
    mu = torch.tanh(raw_mu)
    diagonal, diagonal_slope = bounded_diagonal(raw_triangle[:, :size], limit)
    triangle = torch.cat((diagonal, raw_triangle[:, size:]), dim=1)
    spread_difference = (action - mu) @ rows
    w = (triangle * spread_difference) @ columns.T
    spread_w = w @ columns
    mu_gradient = ((triangle * spread_w) @ rows.T) * (1.0 - mu * mu)
    triangle_gradient = -spread_difference * spread_w
    triangle_gradient[:, :size] *= diagonal_slope
    return -0.5 * (w * w).sum(dim=1), mu_gradient, triangle_gradient
