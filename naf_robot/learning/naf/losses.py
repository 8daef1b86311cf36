"""NAF's loss and its gradient as plain functions. B batch, A action size, K = A(A+1)/2.

With δ = u - µ, P = L Lᵀ and w = Lᵀδ (Gu et al. 2016b, section III):

    Q(x, u) = V(x) - ½ δᵀ P δ = V(x) - ½ wᵀw
    loss    = mean over the batch of (Q - y)²
    ∂Q/∂L_ij = -δ_i w_j,   ∂Q/∂µ = P δ = L w,   ∂Q/∂V = 1

L's lower triangle is a vector l of K numbers, the A diagonal ones first. Constant one-hot matrices
turn triangle sums into products: `rows` (A, K) spreads δ to δ_row(k), and `columns` (K, K), one where
two entries share a column, takes the products p_k = l_k δ_row(k) to w_column(k) at once. So no small
matrix is ever built, and wᵀw = Σ_k p_k w_column(k).
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


def triangle_maps(action_size: int, device: torch.device | str = "cpu") -> tuple[Tensor, Tensor]:
    """The one-hot matrices `rows`, (A, K), and `columns`, (K, K)."""
    rows, columns = triangle_indices(action_size)
    eye = torch.eye(action_size, device=device)
    return eye[:, rows].contiguous(), eye[columns][:, columns].contiguous()


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


def bounded_diagonal(raw: Tensor, limit: Tensor) -> tuple[Tensor, Tensor]:
    """The diagonal of L, exp(c tanh(z / c)), and its derivative by z; both the shape of `raw`."""
    squashed = (raw / limit).tanh_()
    diagonal = (squashed * limit).exp_()
    return diagonal, torch.addcmul(diagonal, diagonal, squashed.square_(), value=-1.0)


def quadratic_advantage(
    raw_mu: Tensor, raw_triangle: Tensor, action: Tensor, rows: Tensor, columns: Tensor, limit: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Minus ½ (u - µ)ᵀ P (u - µ) and its gradients.

    Args:
        raw_mu: µ before tanh, `(B, A)`.
        raw_triangle: the triangle before the diagonal's exponential, `(B, K)`.
        action: u, `(B, A)`.
        rows: first of `triangle_maps`.
        columns: second of `triangle_maps`.
        limit: c, the bound of the log diagonal; a scalar.

    Returns:
        The advantage `(B,)`, and the gradients of its negative by `raw_mu` `(B, A)` and by
        `raw_triangle` `(B, K)`.
    """
    size = raw_mu.shape[1]
    mu = torch.tanh(raw_mu)
    diagonal, diagonal_slope = bounded_diagonal(raw_triangle[:, :size], limit)
    triangle = torch.cat((diagonal, raw_triangle[:, size:]), 1)
    difference = torch.mm(mu - action, rows)  # -δ_row(k)
    products = triangle * difference
    w = torch.mm(products, columns)  # -w_column(k)
    advantage = products.mul_(w).sum(1)
    mu_gradient = torch.mm(triangle.mul_(w), rows.t())
    mu_gradient.addcmul_(mu_gradient, mu.square_(), value=-1.0)
    triangle_gradient = difference.mul_(w)
    triangle_gradient[:, :size].mul_(diagonal_slope)
    return advantage.mul_(-0.5), mu_gradient, triangle_gradient
