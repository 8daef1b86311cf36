"""The smallest change of a vector that meets linear inequalities and bounds, by daqp."""

from functools import cache

import daqp
import numpy as np

from naf_robot.core.records import FloatArray

TOLERANCE = 1e-9  # by which a row may be broken
OPTIMAL = 1  # daqp's exit flag


def nearest(
    target: FloatArray, lower: FloatArray, upper: FloatArray, rows: FloatArray, bounds: FloatArray
) -> FloatArray | None:
    """Minimise |x - target|^2 subject to rows x <= bounds and lower <= x <= upper.

    Vectors are (n,), `rows` (m, n), `bounds` (m,). A dual active-set method, exact up to
    rounding. Returns None where the constraints leave nothing. A row that is not finite is not
    kept: whoever calls must check the solution by other means.
    """
    identity, below, sense = _constants(target.shape[0], bounds.shape[0])
    solution, _, flag, _ = daqp.solve(
        identity,
        -target,
        rows,
        np.concatenate((upper, bounds)),
        np.concatenate((lower, below)),
        sense,
        primal_tol=TOLERANCE,
        eps_prox=0.0,
    )
    return np.minimum(np.maximum(solution, lower), upper) if flag == OPTIMAL else None


@cache
def _constants(size: int, count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    return np.eye(size), np.full(count, -np.inf), np.zeros(size + count, dtype=np.intc)
