"""Points that a task asks the tool to reach, and postures from which one is searched."""

import itertools
import math
from collections.abc import Iterator

import numpy as np

from naf_robot.arm.model.limits import JointLimits
from naf_robot.core.records import FloatArray
from naf_robot.run.run_config import RunConfig

REACHED = ("target", "handle_rest")  # arrays of a task's goal that the tool must reach
DRAWN_GOALS = 200
SEARCHES = 8  # from random postures, for the posture that reaches a goal


def drawn_goals(config: RunConfig) -> dict[str, FloatArray]:
    """Points (k, 3) [m] that the tool must reach, by the name of the goal's array, as the task draws them."""
    task, random = config.make_task(), np.random.default_rng(0)
    goals = [task.sample_goal(random) for _ in range(DRAWN_GOALS)]
    return {name: np.array([goal[name] for goal in goals]) for name in REACHED if name in goals[0]}


def outermost(points: FloatArray) -> FloatArray:
    """Those of `points` (k, 3) that lie farthest out in the eight directions of a cube's corners, each once."""
    corners = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    return points[np.unique((points @ corners.T).argmax(axis=0))]


def starts(home: FloatArray, limits: JointLimits) -> Iterator[FloatArray]:
    """Postures (n,) [rad] from which a point is searched: `home`, then random ones within `limits`."""
    yield home
    random = np.random.default_rng(0)
    low, high = np.maximum(limits.min_position, -math.pi), np.minimum(limits.max_position, math.pi)
    for _ in range(SEARCHES):
        yield random.uniform(np.minimum(low, high), np.maximum(low, high))
