"""The smallest change of a vector that meets linear inequalities and bounds, by quadprog."""

from functools import cache

import numpy as np
import quadprog

from naf_robot.core.records import FloatArray

SLACK = 1e-10  # opens bounds that coincide, which the dual method reads as contradictory; clipped away after


def nearest(
    target: FloatArray, lower: FloatArray, upper: FloatArray, rows: FloatArray, bounds: FloatArray
) -> FloatArray | None:
    """Minimise |x - target|^2 subject to rows x <= bounds and lower <= x <= upper.

    Vectors are (n,), `rows` (m, n), `bounds` (m,). Goldfarb and Idnani's dual method, exact up
    to rounding. Returns None where the constraints leave nothing.
    """
    identity, box = _constants(target.shape[0])
    matrix = np.concatenate((box, -rows)).T
    limits = np.concatenate((lower - SLACK, -upper - SLACK, -bounds))
    try:
        solution = quadprog.solve_qp(identity, target, matrix, limits)[0]
    except ValueError:  # how quadprog says that the constraints contradict each other
        return None
    return np.minimum(np.maximum(solution, lower), upper)


@cache
def _constants(size: int) -> tuple[FloatArray, FloatArray]:
    identity = np.eye(size)
    return identity, np.concatenate((identity, -identity))
