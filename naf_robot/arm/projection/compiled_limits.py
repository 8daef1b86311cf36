"""Path limits of which all but coal's distances is computed by path_check.c."""

import ctypes
import math

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.projection.braking_path import STANDSTILL, START_OF, Waypoints, mix_of
from naf_robot.arm.projection.compiled_arm import CompiledArm, can_be_compiled
from naf_robot.arm.projection.compiled_library import library
from naf_robot.arm.projection.config import SafetyConfig
from naf_robot.arm.projection.path_limits import PathLimits, State, Violation
from naf_robot.arm.projection.self_collision import SelfCollision
from naf_robot.core.records import FloatArray

LOW_BITS, HIGH_BITS = 0xFFFF, 16  # of two counts in one number


def path_limits(model: ArmModel, config: SafetyConfig, acceleration: FloatArray, compiled: bool) -> PathLimits:
    """Those in C if `compiled` and where the machine has a compiler and the arm no coupled joints, else in Python."""
    limits = PathLimits(model, config, acceleration)
    functions = library() if compiled else None
    if functions is None or not can_be_compiled(model, limits.tool_limits, limits.self_collision):
        return limits
    return CompiledPathLimits(limits, model, config, acceleration, functions)


class CompiledPathLimits(PathLimits):
    """The same limits as `limits`, several times faster; see path_check.c."""

    def __init__(
        self,
        limits: PathLimits,
        model: ArmModel,
        config: SafetyConfig,
        acceleration: FloatArray,
        functions: ctypes.CDLL,
    ) -> None:
        vars(self).update(vars(limits))
        self._arm = CompiledArm(
            model, limits.tool_limits, limits.self_collision, config.self_collision, acceleration, config.delay_s
        )
        for name in ("begin", "check"):
            getattr(functions, name).restype = ctypes.c_int32
        self._current: State | None = None
        self._begin, self._check = functions.begin, functions.check
        self._tool_gradient, self._pair_gradient = functions.tool_gradient, functions.pair_gradient

    def state(self, position: FloatArray, last_sent: FloatArray, period_s: float) -> State:
        """What holds at measured `position` (n,) while `last_sent` (n,) is under way; good until the next call."""
        arm, collision = self._arm, self.self_collision
        arm.position[:] = position
        arm.last_sent[:] = last_sent
        arm.struct.period_s = period_s
        asked = self._begin(arm.address)
        starts = arm.starts.copy()
        count = arm.struct.count
        if asked and collision is not None:
            first, both = asked & LOW_BITS, (asked & LOW_BITS) + (asked >> HIGH_BITS)
            pairs = arm.asked[:both].tolist()
            for start, numbers in ((0, pairs[:first]), (1, pairs[first:])):
                if numbers:
                    for pair, distance in zip(numbers, collision.some_distances(starts[start], numbers), strict=True):
                        arm.least[start, pair] = distance
        moving = count > STANDSTILL + 1
        self._current = State(
            starts=(starts[0], starts[1]) if moving else (starts[0],),
            tool=arm.values.tolist() if moving else [arm.values[0].tolist()],
            period_s=period_s,
        )
        return self._current

    def violations(
        self, state: State, velocity: FloatArray, hard: bool = False, only_first: bool = False, tool_first: bool = False
    ) -> list[Violation]:
        """Limits that the braking path of `velocity` (n,) breaks; see `PathLimits.violations`."""
        if state is not self._current:
            raise ValueError("only the state that was made last can be checked")
        arm, collision = self._arm, self.self_collision
        arm.velocity[:] = velocity
        counts = self._check(arm.address, hard, only_first, tool_first)
        if not counts:
            return []
        of_tool, of_pairs = counts & LOW_BITS, counts >> HIGH_BITS
        rows = arm.found[: of_tool + of_pairs].tolist()
        broken = [(row, excess) for row, excess in zip(rows, arm.excess[:of_tool].tolist(), strict=False)]
        if of_pairs and collision is not None:
            broken += self._near(collision, rows[of_tool:], arm.queries[:of_pairs].tolist(), only_first)
        if not broken:
            return []
        mix = mix_of(arm.struct.count, state.period_s, 0.0 if hard else self._delay_s)
        path = Waypoints(arm.positions.copy(), mix, arm.rate.copy())
        return [Violation(limit, w, START_OF[w], excess, path) for (w, limit), excess in broken]

    def gradient(self, violation: Violation) -> FloatArray:
        """Derivative (n,) [m s/rad] of the violation's excess by the velocity."""
        arm, pair = self._arm, violation.limit - len(self.tool_limits)
        if pair < 0 or self.self_collision is None:
            by_position = self.tool_gradient(violation.limit, violation.position)
        else:
            arm.position[:] = violation.position
            arm.point[:] = self.self_collision.nearest_points(violation.position, pair)
            self._pair_gradient(arm.address, pair)
            by_position = -arm.gradient
        return by_position * violation.path.rate(violation.waypoint)

    def tool_gradient(self, limit: int, position: FloatArray) -> FloatArray:
        """Derivative (n,) of a tool limit's value by the joint position [m/rad]."""
        self._arm.position[:] = position
        self._tool_gradient(self._arm.address, limit)
        return self._arm.gradient.copy()

    def _near(
        self, collision: SelfCollision, rows: list[list[int]], queries: list[list[float]], only_first: bool
    ) -> list[tuple[list[int], float]]:
        """Which of the pairs in `rows` (waypoint, pair) coal finds nearer than asked in `queries`, and by how much.

        The second of a query is how far the pair can move from there to the standstill, which is looked at first:
        what is far apart there needs no look on the way to it.
        """
        offset, positions = len(self.tool_limits), self._arm.positions
        found: list[tuple[list[int], float]] = []
        ends = {
            pair: least for (waypoint, pair), (least, _) in zip(rows, queries, strict=True) if waypoint == STANDSTILL
        }
        at_end: dict[int, float] = {}
        if ends:
            distances = collision.some_distances(positions[STANDSTILL], list(ends))
            for (pair, least), distance in zip(ends.items(), distances, strict=True):
                if not distance >= least:
                    found.append(([STANDSTILL, offset + pair], least - distance))
                if distance > 0.0:  # the depth of an overlap is no distance
                    at_end[pair] = distance
            if found and only_first:
                return found
        ways: dict[int, dict[int, float]] = {}
        for (waypoint, pair), (least, reach) in zip(rows, queries, strict=True):
            if waypoint != STANDSTILL and not at_end.get(pair, -math.inf) - reach >= least:
                ways.setdefault(waypoint, {})[pair] = least
        for waypoint, asked in ways.items():
            below = collision.nearer(positions[waypoint], list(asked), list(asked.values()))
            found += [([waypoint, offset + pair], asked[pair] - distance) for pair, distance in below]
            if found and only_first:
                break
        return found
