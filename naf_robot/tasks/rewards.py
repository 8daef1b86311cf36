"""Shaping functions shared by the tasks."""

import numpy as np
from numpy.typing import ArrayLike

from naf_robot.core.errors import ConfigError


def huber(residual: ArrayLike, delta: float) -> float:
    """Huber distance of a residual vector, scaled to slope one far away: same unit as the residual.

    With r = |residual|: r^2 / (2 delta) for r <= delta, r - delta/2 beyond; the distance `d` in the
    rewards of Gu et al. 2016, section V-A (whose delta is not published).

    Raises:
        ConfigError: `delta` is not positive.
    """
    if delta <= 0.0:
        raise ConfigError(f"the Huber threshold must be positive, got {delta}")
    length = float(np.linalg.norm(residual))
    return length * length / (2.0 * delta) if length <= delta else length - delta / 2.0
