"""Which workspace and self-collision limits a braking path would break, and their gradients."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.projection.braking_path import BrakingPaths, Waypoints
from naf_robot.arm.projection.config import SafetyConfig
from naf_robot.arm.projection.pair_limits import PairLimits
from naf_robot.arm.projection.self_collision import SelfCollision
from naf_robot.arm.projection.velocity_bounds import HARD_SHARE
from naf_robot.arm.projection.workspace import HalfSpace, KeepOutBox, Sphere, ToolLimit
from naf_robot.core.records import FloatArray

ROUNDING = 1e-12  # [m]
SHARES = ((False, 1.0), (True, HARD_SHARE))  # of the margins, of chosen motion and of full braking


@dataclass(slots=True)
class State:
    """Where a step begins, and what holds there."""

    starts: tuple[FloatArray, ...]  # (n,) each: as it is now if the measurement is old, and as measured
    tool: list[list[float]]  # value of each tool limit in each start [m]
    period_s: float

    @property
    def outside(self) -> bool:
        """The tool is beyond a tool limit."""
        return not max(self.tool[0]) <= 0.0


@dataclass(slots=True)
class PathState(State):
    """The same with what is computed here."""

    pairs: FloatArray  # distance of each of P pairs in the first start [m]
    path: BrakingPaths
    # Least distances (k, P) along the path [m], of chosen motion and of full braking, once asked for.
    pair_bounds: dict[bool, FloatArray]


class Violation(NamedTuple):
    """Limit number `limit` (tool limits first, then pairs) is exceeded at a waypoint by `excess` [m]."""

    limit: int
    waypoint: int
    start: int  # of the path
    excess: float
    path: Waypoints

    @property
    def position(self) -> FloatArray:
        """(n,) [rad] at the waypoint."""
        return self.path.positions[self.waypoint]


class PathLimits:
    """Tool limits and self-collision of one arm, checked along braking paths by exact kinematics."""

    def __init__(self, model: ArmModel, config: SafetyConfig, acceleration: FloatArray) -> None:
        self._model = model
        self._delay_s = config.delay_s
        self._acceleration = acceleration
        self.tool_limits = _tool_limits(config)
        self._tool_bounds = {hard: [-limit.margin * share for limit in self.tool_limits] for hard, share in SHARES}
        collision = config.self_collision
        self.self_collision = (
            SelfCollision(model, collision.pairs, collision.ignored_pairs, collision.stop_distance + collision.margin)
            if collision.enabled
            else None
        )
        self._pair_limits = PairLimits(self.self_collision, collision) if self.self_collision else None
        # Of the tool in the first column, then of each pair: one product bounds how far everything moves.
        columns = [model.tool_lipschitz_bounds()[:, None]]
        if self.self_collision is not None:
            columns.append(self.self_collision.lipschitz.T)
        self._lipschitz = np.ascontiguousarray(np.concatenate(columns, axis=1))

    def state(self, position: FloatArray, last_sent: FloatArray, period_s: float) -> State:
        """What holds at measured `position` (n,) while `last_sent` (n,) is under way."""
        drift = self._delay_s * last_sent
        starts = (position + drift, position) if drift.any() else (position,)
        return PathState(
            starts=starts,
            tool=[self._tool_values(start) for start in starts],
            period_s=period_s,
            pairs=self.self_collision.distances(starts[0]) if self.self_collision else np.empty(0),
            path=BrakingPaths(starts, self._acceleration, period_s, self._delay_s),
            pair_bounds={},
        )

    def safe(self, state: State, velocity: FloatArray, hard: bool = False) -> bool:
        """Whether the braking path of `velocity` breaks nothing."""
        return not self.violations(state, velocity, hard, only_first=True)

    def violations(
        self, state: State, velocity: FloatArray, hard: bool = False, only_first: bool = False, tool_first: bool = False
    ) -> list[Violation]:
        """Limits that the braking path of `velocity` (n,) breaks.

        `only_first`: one of them suffices. `tool_first`: links are checked only if the tool breaks
        nothing, which is cheaper where a velocity will be changed and checked again anyway.

        Not `hard`: with margins and the reserve for delay, as motion must be that is chosen freely.
        `hard`: nearly the surfaces themselves, as full braking must be that an earlier choice
        entailed. Where the arm is beyond a bound already, the bound is not to go further.
        """
        if not isinstance(state, PathState):
            raise TypeError(f"a state of these limits is needed, not {type(state).__name__}")
        path = state.path.waypoints(velocity, without_extra=hard)
        reach = np.abs(path.positions - state.starts[0]) @ self._lipschitz  # (k, 1 + P) [m] from the first start
        found = self._tool_violations(state, path, reach[:, 0].tolist(), hard, only_first)
        if self._pair_limits is not None and not (found and (only_first or tool_first)):
            least, bounds = state.pairs - reach[:, 1:], self._pair_bounds(state, hard)
            for waypoint, pair, excess in self._pair_limits.broken(path.positions, least, bounds, only_first):
                number, start = len(self.tool_limits) + pair, state.path.start_of[waypoint]
                found.append(Violation(number, waypoint, start, excess, path))
        return found

    def _tool_violations(
        self, state: PathState, path: Waypoints, reach: list[float], hard: bool, only_first: bool
    ) -> list[Violation]:
        found: list[Violation] = []
        bounds = self._tool_bounds[hard]
        # What the tool may move straight outward and break nothing.
        spare = [bound - value for bound, value in zip(bounds, state.tool[0], strict=True)]
        free = min(spare) if math.isfinite(sum(spare)) else -math.inf
        if math.isfinite(sum(reach)) and max(reach) <= free:
            return found
        # "Not within" instead of "beyond": a value that is not a number breaks its limit, here and below.
        beyond = [[not value <= bound for value, bound in zip(values, bounds, strict=True)] for values in state.tool]
        if any(map(any, beyond)):
            free = -math.inf  # what happens at one waypoint then matters at the next
        start_of = state.path.start_of
        least: dict[tuple[int, int], float] = {}  # so far on the path, by start and limit
        for waypoint, moved in enumerate(reach):
            if moved <= free:
                continue
            start = start_of[waypoint]
            values = self._tool_values(path.positions[waypoint])
            for index, bound in enumerate(bounds):
                value = values[index]
                if beyond[start][index]:  # already: never further
                    bound = state.tool[start][index]
                    if bound > 0.0:  # outside: what has come nearer stays nearer
                        bound = least[start, index] = min(least.get((start, index), bound), value + ROUNDING)
                        bound = max(bound, bounds[index])
                if not value <= bound + ROUNDING:
                    found.append(Violation(index, waypoint, start, value - bound, path))
                    if only_first:
                        return found
        return found

    def _pair_bounds(self, state: PathState, hard: bool) -> FloatArray:
        if self._pair_limits is not None and hard not in state.pair_bounds:
            share, approach_s = (HARD_SHARE, 0.0) if hard else (1.0, state.period_s)
            count = len(state.path.start_of)
            state.pair_bounds[hard] = self._pair_limits.bounds(state.starts, state.pairs, count, share, approach_s)
        return state.pair_bounds[hard]

    def gradient(self, violation: Violation) -> FloatArray:
        """Derivative (n,) [m s/rad] of the violation's excess by the velocity."""
        pair = violation.limit - len(self.tool_limits)
        if pair >= 0 and self.self_collision is not None:
            by_position = -self.self_collision.gradient(violation.position, pair)
        else:
            by_position = self.tool_gradient(violation.limit, violation.position)
        return by_position * violation.path.rate(violation.waypoint)

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

    def _tool_values(self, position: FloatArray) -> list[float]:
        point = self._model.tool_point(position)
        if not math.isfinite(sum(point)):
            return [math.nan] * len(self.tool_limits)
        return [limit.value(point) for limit in self.tool_limits]


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
