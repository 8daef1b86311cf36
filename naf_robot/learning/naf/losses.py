"""NAF's loss and its gradient as plain functions. B batch, A action size, K = A(A+1)/2.

Both A and K may be wider than the sizes themselves: columns past them hold zeros and stay out of it.

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

import math
from typing import NamedTuple

import torch
from torch import Tensor

from naf_robot.learning.triangle import triangle_indices

_sigmoid_backward = torch.ops.aten.sigmoid_backward.default
_tanh_backward = torch.ops.aten.tanh_backward.default


class TriangleMaps(NamedTuple):
    """Constants that turn the triangle vector into the quadratic form; signs and factors are folded in.

    Four times w, because `bounded_triangle` gives a quarter of a slope.
    """

    rows: Tensor  # (A, K), one where entry k stands in row a
    rows_back: Tensor  # (K, A), minus a quarter of the transpose of `rows`
    columns: Tensor  # (K, K), minus four where two entries share a column
    eighth: Tensor  # (K,), ⅛: half of a quarter
    diagonal: Tensor  # (K,), one for the diagonal entries, else zero
    limit: Tensor  # scalar c, the bound of the log diagonal
    minus_limit: Tensor  # scalar -c
    twice_inverse_limit: Tensor  # (K,), 2 / c for the diagonal entries, else 0


def triangle_maps(
    action_size: int,
    limit: float,
    widths: tuple[int, int] | None = None,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> TriangleMaps:
    """The maps for A = `action_size` and c = `limit`, padded to `widths` of action and triangle."""
    row_of, column_of = (torch.tensor(indices) for indices in triangle_indices(action_size))
    size = len(row_of)
    width, triangle_width = widths or (action_size, size)
    rows, columns = torch.zeros(width, triangle_width), torch.zeros(triangle_width, triangle_width)
    rows[row_of, torch.arange(size)] = 1.0
    columns[:size, :size] = -4.0 * (column_of[:, None] == column_of).float()
    diagonal = (torch.arange(triangle_width) < action_size).to(dtype)
    eighth, bound = torch.full((triangle_width,), 0.125), torch.tensor(limit, dtype=dtype)
    maps = (rows, -0.25 * rows.t().contiguous(), columns, eighth, diagonal, bound, -bound, 2.0 * diagonal / bound)
    return TriangleMaps(*(array.to(device, dtype) for array in maps))


def value_bounds(reward_range: tuple[float, float], discount: float) -> tuple[float, float]:
    """What V can lie between when every reward lies in `reward_range`, which includes 0 for what follows an end.

    Σ γᵗ r_t lies within the range times 1 / (1 - γ), whatever the policy; without discount nothing is known.
    """
    if discount >= 1.0:
        return -math.inf, math.inf
    low, high = reward_range
    return low / (1.0 - discount), high / (1.0 - discount)


def bounded_triangle(raw: Tensor, maps: TriangleMaps) -> tuple[Tensor, Tensor]:
    """The triangle with its diagonal exp(c tanh(z / c)), and a quarter of its derivative by `raw`; both `(B, K)`.

    tanh y is taken as 2 σ(2y) - 1, which is three times faster; its derivative is 4 σ (1 - σ).
    """
    sigma = torch.mul(raw, maps.twice_inverse_limit).sigmoid_()  # ½ below the diagonal, where the slope comes out as 1
    exponential = torch.lerp(maps.minus_limit, maps.limit, sigma).exp_()
    return torch.lerp(raw, exponential, maps.diagonal), _sigmoid_backward(exponential, sigma)


def quadratic_advantage(
    raw_mu: Tensor, raw_triangle: Tensor, action: Tensor, maps: TriangleMaps
) -> tuple[Tensor, Tensor, Tensor]:
    """Minus ½ (u - µ)ᵀ P (u - µ) and its gradients.

    Args:
        raw_mu: µ before tanh, `(B, A)`.
        raw_triangle: the triangle before the diagonal's exponential, `(B, K)`.
        action: u, `(B, A)`.
        maps: of this action size and these widths.

    Returns:
        The advantage `(B,)`, its gradient by `raw_mu` `(B, A)` and by `raw_triangle` `(B, K)`.
    """
    mu = torch.tanh(raw_mu)
    triangle, slope = bounded_triangle(raw_triangle, maps)
    difference = torch.mm(action - mu, maps.rows)  # δ_row(k)
    products = triangle * difference
    w = torch.mm(products, maps.columns)  # -4 w_column(k)
    advantage = torch.mv(products.mul_(w), maps.eighth)
    mu_gradient = torch.mm(triangle.mul_(w), maps.rows_back)
    mu_gradient = _tanh_backward(mu_gradient, mu)
    return advantage, mu_gradient, difference.mul_(w).mul_(slope)


def cloning_term(raw_mu: Tensor, action: Tensor, row_weights: Tensor) -> tuple[Tensor, Tensor]:
    """The weighted cloning term, and its gradient by `raw_mu`, µ before tanh, `(B, A)`.

    The term is λ / M Σ |µ - u|² over the M rows that are demonstrations; `row_weights` `(B,)` is 2 λ / M for those and
    0 for the others (`learning.cloning`). So the gradient is 2 λ / M (µ - u) (1 - µ²).
    """
    mu = torch.tanh(raw_mu)
    difference = mu - action
    weighted = difference * row_weights.unsqueeze(1)
    return 0.5 * (difference * weighted).sum(), _tanh_backward(weighted, mu)
