"""Which workspace and self-collision limits a braking path would break, and how to lean away from them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from naf_robot.arm.braking_path import AFTER_PERIOD, STANDSTILL, WITHIN_PERIOD, BrakingPaths
from naf_robot.arm.model import ArmModel
from naf_robot.arm.safety_config import SafetyConfig
from naf_robot.arm.self_collision import SelfCollision
from naf_robot.arm.workspace import HalfSpace, KeepOutBox, Sphere, ToolLimit
from naf_robot.core.records import FloatArray

HARD_SHARE = 0.1  # of a margin that even full braking must leave
ROUNDING = 1e-12  # [m]
DISTANCE_ERROR = 1e-7  # [m], what coal's distance of the same posture may differ by


@dataclass(frozen=True)
class State:
    """Where a step begins, and what holds there."""

    starts: tuple[FloatArray, ...]  # (n,) each: as it is now if the measurement is old, and as measured
    tool: tuple[tuple[float, ...], ...]  # value of each tool limit in each start [m]
    pairs: FloatArray  # distance of each of P pairs in the first start [m]
    path: BrakingPaths  # of chosen motion, with the reserve for delay
    full_braking: BrakingPaths  # without
    pair_bounds: tuple[FloatArray, FloatArray]  # (k, P) each, least distances on the one path and the other [m]

    @property
    def outside(self) -> bool:
        """The tool is beyond a tool limit."""
        return max(self.tool[0]) > 0.0


@dataclass(frozen=True)
class Violation:
    """Limit number `limit` (tool limits first, then pairs) is exceeded at a waypoint by `excess` [m]."""

    limit: int
    waypoint: int
    start: int  # of the path
    position: FloatArray  # (n,) at the waypoint
    excess: float


class PathLimits:
    """Tool limits and self-collision of one arm, judged along braking paths by exact kinematics."""

    def __init__(self, model: ArmModel, config: SafetyConfig, acceleration: FloatArray) -> None:
        self._model = model
        self._delay_s = config.delay_s
        self._acceleration = acceleration
        self._tool_levers = model.tool_levers()
        self.tool_limits = _tool_limits(config)
        self._collision = config.self_collision
        self.self_collision = (
            SelfCollision(model, self._collision.pairs, self._collision.ignored_pairs)
            if self._collision.enabled
            else None
        )

    def state(self, position: FloatArray, last_sent: FloatArray, period_s: float) -> State:
        """What holds at measured `position` (n,) while `last_sent` (n,) is under way."""
        drift = self._delay_s * last_sent
        starts = (position + drift, position) if drift.any() else (position,)
        pairs = self.self_collision.distances(starts[0]) if self.self_collision else np.empty(0)
        path = BrakingPaths(starts, self._acceleration, period_s, self._delay_s)
        return State(
            starts=starts,
            tool=tuple([self._tool_values(start) for start in starts]),
            pairs=pairs,
            path=path,
            full_braking=path.without_extra(),
            pair_bounds=self._pair_bounds(starts, pairs, path, period_s),
        )

    def safe(self, state: State, velocity: FloatArray, hard: bool = False) -> bool:
        """Whether the braking path of `velocity` breaks nothing."""
        return next(self.violations(state, velocity, hard), None) is None

    def violations(self, state: State, velocity: FloatArray, hard: bool = False) -> Iterator[Violation]:
        """Limits that the braking path of `velocity` (n,) breaks.

        Not `hard`: with margins and the reserve for delay, as motion must be that is chosen freely.
        `hard`: nearly the surfaces themselves, as full braking must be that an earlier choice
        entailed. Where the arm is beyond a bound already, the bound is not to go further.
        """
        positions = (state.full_braking if hard else state.path).positions(velocity)
        travel = np.abs(positions[STANDSTILL] - state.starts[0])
        yield from self._tool_violations(state, positions, float(self._tool_levers @ travel), hard)
        if self.self_collision is not None:
            yield from self._pair_violations(self.self_collision, state, positions, hard)

    def _tool_violations(self, state: State, positions: FloatArray, reach: float, hard: bool) -> Iterator[Violation]:
        share = HARD_SHARE if hard else 1.0
        bounds = [-limit.margin * share for limit in self.tool_limits]
        nearest = [max(values) for values in zip(*state.tool, strict=True)]
        if all(value + reach <= bound for value, bound in zip(nearest, bounds, strict=True)):
            return  # even the whole way straight outward would break nothing
        start_of = state.path.start_of
        least: dict[tuple[int, int], float] = {}  # so far on the path, by start and limit
        for waypoint, position in enumerate(positions):
            start = start_of[waypoint]
            values, before = self._tool_values(position), state.tool[start]
            for index, bound in enumerate(bounds):
                if before[index] > bound:  # already beyond: never further
                    bound = before[index]
                    if bound > 0.0:  # outside: what has come nearer stays nearer
                        bound = least[start, index] = min(least.get((start, index), bound), values[index] + ROUNDING)
                        bound = max(bound, -self.tool_limits[index].margin * share)
                if values[index] > bound + ROUNDING:
                    yield Violation(index, waypoint, start, position, values[index] - bound)

    def rates(self, state: State, velocity: FloatArray, violations: Iterable[Violation]) -> list[FloatArray]:
        """For each violation, the derivative (n,) [m s/rad] of the excess of chosen motion by the velocity."""
        waypoints = state.path.rates(velocity)
        return [self._gradient(violation) * waypoints[violation.waypoint] for violation in violations]

    def _gradient(self, violation: Violation) -> FloatArray:
        """Derivative (n,) of the limit's excess by the joint position at the waypoint [m/rad]."""
        pair = violation.limit - len(self.tool_limits)
        if pair >= 0 and self.self_collision is not None:
            return -self.self_collision.gradient(violation.position, pair)
        return self.tool_gradient(violation.limit, violation.position)

    def tool_gradient(self, limit: int, position: FloatArray) -> FloatArray:
        """Derivative (n,) of a tool limit's value by the joint position [m/rad]."""
        point, jacobian = self._model.tool_jacobian(position)
        return self.tool_limits[limit].normal(point) @ jacobian

    def name(self, limit: int) -> str:
        """How the limit is called in results."""
        count = len(self.tool_limits)
        if limit < count:
            return self.tool_limits[limit].name
        return f"self_collision:{self.self_collision.names[limit - count]}" if self.self_collision else "self_collision"

    def _tool_values(self, position: FloatArray) -> tuple[float, ...]:
        point = self._model.tool_point(position)
        return tuple([limit.value(point) for limit in self.tool_limits])

    def _pair_violations(
        self, collision: SelfCollision, state: State, positions: FloatArray, hard: bool
    ) -> Iterator[Violation]:
        bounds = state.pair_bounds[hard]
        close = collision.least_distances(state.pairs, positions - state.starts[0]) < bounds
        close[WITHIN_PERIOD] = False  # the margin is larger than what links bend toward each other within a period
        if not close.any():
            return
        start_of = state.path.start_of
        for waypoint in np.flatnonzero(close.any(axis=1)).tolist():
            position, pairs = positions[waypoint], close[waypoint].nonzero()[0].tolist()
            for pair, distance in zip(pairs, collision.some_distances(position, pairs), strict=True):
                excess = float(bounds[waypoint, pair]) - distance
                if excess > 0.0:
                    yield Violation(len(self.tool_limits) + pair, waypoint, start_of[waypoint], position, excess)

    def _pair_bounds(
        self, starts: tuple[FloatArray, ...], pairs: FloatArray, path: BrakingPaths, period_s: float
    ) -> tuple[FloatArray, FloatArray]:
        """Least distances at the waypoints of chosen motion and of full braking: (k, P) each [m]."""
        config, collision = self._collision, self.self_collision
        if collision is None:
            return pairs, pairs
        stops = config.stop_distance + config.margin, config.stop_distance + config.margin * HARD_SHARE
        unchanged = np.array([pairs] * len(path.start_of)) - DISTANCE_ERROR
        if len(starts) > 1:
            # Only where the arm may have been close when it was measured does that distance matter.
            close = (collision.least_distances(pairs, starts[1] - starts[0]) < stops[0]).nonzero()[0].tolist()
            if close:
                unchanged[np.ix_(np.array(path.start_of) == 1, close)] = collision.some_distances(starts[1], close)
        chosen, braking = (np.minimum(stop, unchanged) for stop in stops)
        share = (pairs - config.stop_distance) / (config.slow_distance - config.stop_distance)
        if share.min(initial=1.0) < 1.0:
            slowed = unchanged[0] - config.approach_speed * period_s * np.maximum(share, 0.0)
            chosen[AFTER_PERIOD] = np.maximum(chosen[AFTER_PERIOD], np.where(share < 1.0, slowed, -np.inf))
        return chosen, braking


def _tool_limits(config: SafetyConfig) -> tuple[ToolLimit, ...]:
    sphere = config.sphere
    lengths = [float(np.linalg.norm(plane.normal)) for plane in config.half_spaces]
    return (
        Sphere(sphere.centre, sphere.radius, sphere.margin),
        *(
            HalfSpace(plane.name, _divided(plane.normal, length), plane.offset, plane.margin)
            for plane, length in zip(config.half_spaces, lengths, strict=True)
        ),
        *(KeepOutBox(box.name, box.min_corner, box.max_corner, box.margin) for box in config.keep_out_boxes),
    )


def _divided(vector: tuple[float, float, float], length: float) -> tuple[float, float, float]:
    x, y, z = vector
    return x / length, y / length, z / length
