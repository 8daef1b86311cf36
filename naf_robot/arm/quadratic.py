"""The smallest change of a vector that meets linear inequalities and bounds."""

from functools import cache
from operator import mul

import numpy as np
import quadprog

from naf_robot.core.records import FloatArray

SLACK = 1e-10  # opens bounds that coincide, which the dual method reads as contradictory; clipped away after


def nearest(
    target: FloatArray, lower: FloatArray, upper: FloatArray, rows: FloatArray, bounds: FloatArray
) -> FloatArray | None:
    """Minimise |x - target|^2 subject to rows x <= bounds and lower <= x <= upper.

    Vectors are (n,), `rows` (m, n), `bounds` (m,). Exact up to rounding: one inequality by
    following its multiplier, more by Goldfarb and Idnani's dual method (quadprog). Returns None
    where the constraints leave nothing.
    """
    if len(rows) == 1 and (target >= lower).all() and (target <= upper).all():
        return _beside_one(target.tolist(), lower.tolist(), upper.tolist(), rows[0].tolist(), float(bounds[0]))
    identity, box = _constants(target.shape[0])
    matrix = np.concatenate((box, -rows)).T
    limits = np.concatenate((lower - SLACK, -upper - SLACK, -bounds))
    try:
        solution = quadprog.solve_qp(identity, target, matrix, limits)[0]
    except ValueError:  # how quadprog says that the constraints contradict each other
        return None
    return np.minimum(np.maximum(solution, lower), upper)


def _beside_one(
    target: list[float], lower: list[float], upper: list[float], row: list[float], bound: float
) -> FloatArray | None:
    """The same for one inequality and a target within the bounds, in plain numbers.

    x(s) = clip(target - s row, lower, upper) with s >= 0 the multiplier. row x(s) falls in straight
    pieces and ever more slowly, as entries reach their bounds; so Newton's steps never overshoot.
    """
    ends = [low if slope > 0.0 else high for slope, low, high in zip(row, lower, upper, strict=True)]
    if sum(map(mul, row, ends)) > bound + SLACK:
        return None
    multiplier, solution = 0.0, target
    for _ in range(len(row) + 1):  # each step but the last fixes an entry
        over = sum(map(mul, row, solution)) - bound
        free = sum([slope * slope for slope, x, end in zip(row, solution, ends, strict=True) if x != end])
        if over <= 0.0 or free == 0.0:
            break
        multiplier += over / free
        solution = [
            max(x - multiplier * slope, end) if slope > 0.0 else min(x - multiplier * slope, end)
            for x, slope, end in zip(target, row, ends, strict=True)
        ]
    return np.array(solution)


@cache
def _constants(size: int) -> tuple[FloatArray, FloatArray]:
    identity = np.eye(size)
    return identity, np.concatenate((identity, -identity))
