"""How near the arm's links may come to each other along a braking path."""

from itertools import groupby
from operator import itemgetter

import numpy as np

from naf_robot.arm.projection.braking_path import AFTER_PERIOD, MEASURED, STANDSTILL, WITHIN_PERIOD
from naf_robot.arm.projection.config import SelfCollisionConfig
from naf_robot.arm.projection.self_collision import SelfCollision
from naf_robot.core.records import FloatArray

DISTANCE_ERROR = 1e-7  # [m], what coal's distance of the same posture may differ by

TooNear = tuple[int, int, float]  # waypoint, pair, by how much [m]


class PairLimits:
    """Least distances of the P watched pairs, and which of them a path of k waypoints would break."""

    def __init__(self, collision: SelfCollision, config: SelfCollisionConfig) -> None:
        self._collision = collision
        self._config = config
        self._lipschitz = np.ascontiguousarray(collision.lipschitz.T)

    def bounds(
        self, starts: tuple[FloatArray, ...], distances: FloatArray, count: int, margin_share: float, approach_s: float
    ) -> FloatArray:
        """Least distances at the `count` waypoints: shape (count, P) [m].

        `distances` (P,) are those in the first of `starts`, `margin_share` is the share of the
        margin to keep, and `approach_s` how long pairs that are near may approach each other at
        the admitted speed; 0 asks for no such limit. Within the period nothing is asked for: the
        margin is larger than what links bend toward each other there.
        """
        config = self._config
        stop = config.stop_distance + config.margin * margin_share
        bounds = np.empty((count, len(distances)))
        bounds[:] = np.minimum(distances - DISTANCE_ERROR, stop)
        bounds[WITHIN_PERIOD] = -np.inf
        if len(starts) > 1:
            # Only where the arm may have been close when it was measured does the distance of then matter.
            drift = np.abs(starts[1] - starts[0])
            close = (~(distances - drift @ self._lipschitz >= stop)).nonzero()[0].tolist()
            for pair, distance in zip(close, self._collision.some_distances(starts[1], close), strict=True):
                bounds[MEASURED:, pair] = min(distance - DISTANCE_ERROR, stop)
        if approach_s > 0.0:
            slow, width = config.slow_distance, config.slow_distance - config.stop_distance
            for pair in (distances < slow).nonzero()[0].tolist():
                distance = float(distances[pair])
                share = max((distance - config.stop_distance) / width, 0.0)
                slowed = distance - DISTANCE_ERROR - config.approach_speed * approach_s * share
                bounds[AFTER_PERIOD, pair] = max(float(bounds[AFTER_PERIOD, pair]), slowed)
        return bounds

    def broken(self, positions: FloatArray, least: FloatArray, bounds: FloatArray, only_first: bool) -> list[TooNear]:
        """Pairs that are nearer than `bounds` at waypoints `positions` (k, n); all of them, or one.

        `least` (k, P) is what the Lipschitz bounds alone prove of the distances [m]; coal is asked for the rest.
        """
        close = ~(least >= bounds)  # "not apart" instead of "near": a distance that is not a number is too near
        ends = close[STANDSTILL].nonzero()[0].tolist()
        found: list[TooNear] = []
        if ends:
            # The standstill first: what is far apart there needs no look on the way to it.
            distances = self._collision.some_distances(positions[STANDSTILL], ends)
            row = bounds[STANDSTILL].tolist()
            ahead = zip(ends, distances, strict=True)
            found = [(STANDSTILL, pair, row[pair] - distance) for pair, distance in ahead if not distance >= row[pair]]
            if found and only_first:
                return found
            known = np.full(len(bounds[0]), -np.inf)
            # The depth of an overlap is no distance.
            known[ends] = [distance if distance > 0.0 else -np.inf for distance in distances]
            close &= ~(known - np.abs(positions - positions[STANDSTILL]) @ self._lipschitz >= bounds)
            close[STANDSTILL] = False
        rows, pairs = close.nonzero()
        for waypoint, group in groupby(zip(rows.tolist(), pairs.tolist(), strict=True), key=itemgetter(0)):
            near = [pair for _, pair in group]
            row = bounds[waypoint, near].tolist()
            below = self._collision.nearer(positions[waypoint], near, row)
            found += [(waypoint, pair, float(bounds[waypoint, pair]) - distance) for pair, distance in below]
            if found and only_first:
                break
        return found
