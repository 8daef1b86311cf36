"""The safety projection: from a desired joint velocity to one that cannot hurt the arm.

Order of the stages, inequalities, precedence and proofs: docs/safety.md.
"""

from dataclasses import dataclass, replace

import numpy as np

from naf_robot.arm.braking_path import Waypoint, braking_path
from naf_robot.arm.limits import limits_from_config
from naf_robot.arm.model import ArmModel
from naf_robot.arm.quadratic import nearest
from naf_robot.arm.safety_config import (
    HalfSpaceConfig,
    KeepOutBoxConfig,
    SafetyConfig,
    SelfCollisionConfig,
    SphereConfig,
)
from naf_robot.arm.safety_status import ProjectionResult, SafetyStatus
from naf_robot.arm.self_collision import SelfCollision
from naf_robot.arm.stopping import VelocityBox, stopping_velocity, velocity_box
from naf_robot.arm.workspace import HalfSpace, KeepOutBox, Sphere, ToolLimit
from naf_robot.core.records import FloatArray

__all__ = [
    "HalfSpaceConfig",
    "KeepOutBoxConfig",
    "ProjectionResult",
    "SafetyConfig",
    "SafetyProjection",
    "SafetyStatus",
    "SelfCollisionConfig",
    "SphereConfig",
]

ITERATIONS = 4  # of linearising and solving; the tool's path bends little within one braking distance
BISECTIONS = 4  # from the solution toward full braking
AIM = 1e-5  # [m] by which a solution aims inside the accepted set, so that it stays accepted
HARD_SHARE = 0.1  # of a margin that even full braking must leave
CORRECTION_SHARE = 0.9  # of the asked correction that counts as correcting
UNCHANGED = 1e-9  # [rad/s] below which a difference is rounding


@dataclass(frozen=True)
class _Step:
    """What one call of `project` works with; arrays (n,), in the model's joint order."""

    starts: tuple[FloatArray, ...]  # as measured; and as it is now if the measurement is old
    box: VelocityBox
    period_s: float
    tool: tuple[tuple[float, ...], ...]  # value of each tool limit in each start
    pairs: FloatArray  # distance of each pair in the latest start [m]
    correct: bool  # inward motion is asked for, not only admitted


@dataclass(frozen=True)
class _Violation:
    """One limit at one waypoint: exceeded by `excess` [m]."""

    limit: int  # index of the tool limit, or of the pair after all tool limits
    waypoint: Waypoint
    excess: float


class SafetyProjection:
    """Turns desired velocities into velocities that keep every limit.

    Pure: the result depends on the arguments alone. Never raises in `project`.

    Raises:
        ConfigError: limits that are off, empty or contradictory.
        UnknownNameError: a configured joint or link that the arm has not.
    """

    def __init__(self, model: ArmModel, config: SafetyConfig) -> None:
        self.model = model
        self.config = config
        limits = model.limits()
        narrowing = limits_from_config(model.joint_names, config.joints, config.max_acceleration)
        self.limits = limits.narrowed(narrowing)
        self.limits.check(model.joint_names)
        self._max_velocity = self.limits.max_velocity * config.velocity_scale
        self._acceleration = self.limits.max_acceleration
        sphere = config.sphere
        self.tool_limits: tuple[ToolLimit, ...] = (
            Sphere(np.array(sphere.centre), sphere.radius, sphere.margin),
            *(
                HalfSpace(h.name, np.array(h.normal) / np.linalg.norm(h.normal), h.offset, h.margin)
                for h in config.half_spaces
            ),
            *(
                KeepOutBox(b.name, np.array(b.min_corner), np.array(b.max_corner), b.margin)
                for b in config.keep_out_boxes
            ),
        )
        collision = config.self_collision
        self.self_collision = (
            SelfCollision(model, collision.pairs, collision.ignored_pairs) if collision.enabled else None
        )

    def project(
        self,
        position: FloatArray,
        velocity: FloatArray,
        desired: FloatArray | None,
        last_sent: FloatArray,
        period_s: float,
    ) -> ProjectionResult:
        """The velocity to send now.

        All arrays are (n,), [rad] or [rad/s], in the order of the model's joint names; `desired`
        None asks for a stop within the acceleration limit; `period_s` is the measured time since
        `last_sent` was sent [s]. Whatever is wrong with the arguments, the result is a status and
        a velocity that decelerates.
        """
        size = self.model.size
        finite = [_is_vector(array, size) for array in (position, velocity, last_sent)]
        valid = all(finite) and _is_period(period_s) and (desired is None or _is_vector(desired, size))
        try:
            if not (finite[0] and finite[2]):
                return self._brake_blindly(last_sent, finite[2], period_s, SafetyStatus.INVALID_INPUT)
            period = float(period_s) if _is_period(period_s) else self.config.min_period_s
            wish = desired if valid else None
            return self._project(position, wish, last_sent, period, valid)
        except Exception:  # noqa: BLE001 - nothing may leave the control loop without a velocity
            return self._brake_blindly(last_sent, finite[2], period_s, SafetyStatus.INTERNAL_ERROR)

    def brake(self, last_sent: FloatArray, period_s: float) -> ProjectionResult:
        """Full braking from `last_sent` (n,) without a position to go by, for when none is to be trusted."""
        finite = _is_vector(last_sent, self.model.size)
        result = self._brake_blindly(last_sent, finite, period_s, SafetyStatus.DECELERATING)
        return result if result.velocity.any() else replace(result, status=SafetyStatus.STOPPED)

    def _project(
        self, position: FloatArray, desired: FloatArray | None, last_sent: FloatArray, period_s: float, valid: bool
    ) -> ProjectionResult:
        step = self._prepare(position, last_sent, period_s, desired is not None)
        box = step.box
        wish = np.zeros(self.model.size) if desired is None else desired
        clipped = np.minimum(np.maximum(wish, box.lower), box.upper)
        brake = np.minimum(np.maximum(0.0, box.lower), box.upper)
        chosen, acted, relaxed = self._within_workspace(step, wish, clipped, brake, last_sent)
        names = self.model.joint_names
        gave_way = box.relaxed | relaxed
        active = (*self._active_joints(step, wish, last_sent), *(self._limit_name(limit) for limit in sorted(acted)))
        difference = chosen - wish
        changed = float((difference @ difference) ** 0.5)
        if not valid:
            status = SafetyStatus.INVALID_INPUT
        elif desired is None:
            status = SafetyStatus.DECELERATING if np.abs(chosen).max() > UNCHANGED else SafetyStatus.STOPPED
        elif max(step.tool[0]) > 0.0:
            status = SafetyStatus.CORRECTING
        else:
            status = SafetyStatus.LIMITED if changed > UNCHANGED else SafetyStatus.OK
        return ProjectionResult(
            velocity=chosen,
            status=status,
            active=active,
            relaxed=tuple(f"acceleration:{names[i]}" for i in np.flatnonzero(gave_way)),
            clip_norm=changed,
        )

    def _prepare(self, position: FloatArray, last_sent: FloatArray, period_s: float, correct: bool) -> _Step:
        config, limits = self.config, self.limits
        # Acceleration counts the time that has passed, stopping the time a command may last.
        passed = min(period_s, config.max_period_s)
        hold = max(passed, config.min_period_s)
        drift = config.delay_s * last_sent
        starts = (position + drift, position) if config.delay_s > 0.0 and drift.any() else (position,)
        above = limits.max_position - position - np.maximum(drift, 0.0)
        below = position + np.minimum(drift, 0.0) - limits.min_position
        a = self._acceleration
        wanted = (
            -stopping_velocity(below - config.position_margin, a, hold + config.delay_s),
            stopping_velocity(above - config.position_margin, a, hold + config.delay_s),
        )
        needed = (-stopping_velocity(below, a, hold), stopping_velocity(above, a, hold))
        box = velocity_box(last_sent, self._max_velocity, a * passed, wanted, needed)
        tool = tuple(
            tuple(limit.value(point) for limit in self.tool_limits)
            for point in (self.model.tool_position(start) for start in starts)
        )
        pairs = self.self_collision.distances(starts[0]) if self.self_collision else np.empty(0)
        return _Step(starts, box, hold, tool, pairs, correct)

    def _within_workspace(
        self, step: _Step, wish: FloatArray, clipped: FloatArray, brake: FloatArray, last_sent: FloatArray
    ) -> tuple[FloatArray, set[int], FloatArray]:
        """The velocity, the limits that acted, and per joint whether acceleration gave way."""
        kept = np.zeros(self.model.size, dtype=bool)
        acted: set[int] = set()
        if (
            np.array_equal(clipped, brake)
            and not self._wants_correction(step)
            and not self._violations(step, brake, True)
        ):
            return brake, acted, kept
        candidate, acted = self._solve(step, clipped)
        if candidate is not None:
            longest = float((wish @ wish) ** 0.5)
            length = float((candidate @ candidate) ** 0.5)
            if not brake.any() and not self._wants_correction(step) and length > longest + UNCHANGED:
                candidate = candidate * (longest / length)
            for share in (1.0, *(0.5**k for k in range(1, BISECTIONS + 1))):
                shorter = candidate if share == 1.0 else brake + share * (candidate - brake)
                if not self._violations(step, shorter, False):
                    return shorter, acted, kept
        for admitted in (brake, *(() if candidate is None else (candidate,))):
            if not self._violations(step, admitted, True):
                return admitted, acted, kept
        for share in (0.75, 0.5, 0.25):
            if not self._violations(step, share * brake, True):
                return share * brake, acted, np.abs(brake) > UNCHANGED
        return np.zeros_like(brake), acted, np.abs(brake) > UNCHANGED

    def _solve(self, step: _Step, clipped: FloatArray) -> tuple[FloatArray | None, set[int]]:
        """Nearest velocity to `clipped` that keeps the workspace, by repeated linearisation."""
        acted: set[int] = set()
        cuts: dict[tuple[int, int, bool], tuple[FloatArray, float]] = {}
        if self._wants_correction(step):
            cuts |= self._correction_cuts(step)
        velocity = clipped
        for iteration in range(ITERATIONS):
            violations = self._violations(step, velocity, False)
            correcting = iteration == 0 and any(
                row @ velocity > bound * CORRECTION_SHARE for row, bound in cuts.values()
            )
            if not violations and not correcting:
                return velocity, acted
            if correcting:
                acted |= {key[0] for key in cuts}
            for violation in violations:
                acted.add(violation.limit)
                waypoint = violation.waypoint
                row = self._gradient(violation) * waypoint.rate
                key = (violation.limit, waypoint.start, waypoint.last)
                cuts[key] = (row, float(row @ velocity) - violation.excess - AIM)
            solution = nearest(
                clipped,
                step.box.lower,
                step.box.upper,
                np.array([row for row, _ in cuts.values()]),
                np.array([bound for _, bound in cuts.values()]),
            )
            if solution is None:
                return (velocity if iteration else None), acted
            velocity = solution
        return velocity, acted

    def _violations(self, step: _Step, velocity: FloatArray, hard: bool) -> list[_Violation]:
        """Limits that the braking path of `velocity` breaks.

        Not `hard`: with margins and the reserve for delay, as motion must be that is chosen freely.
        `hard`: the surfaces themselves, as full braking must be that an earlier choice entailed.
        """
        extra = 0.0 if hard else self.config.delay_s
        path = braking_path(step.starts, velocity, self._acceleration, step.period_s, extra)
        found = []
        values_before: tuple[float, ...] = ()
        for waypoint in path:
            point = self.model.tool_position(waypoint.position)
            before = step.tool[waypoint.start]
            values = tuple(limit.value(point) for limit in self.tool_limits)
            for index, limit in enumerate(self.tool_limits):
                bound = -limit.margin * (HARD_SHARE if hard else 1.0)
                if before[index] > bound:  # already beyond: never further
                    bound = before[index]
                    if waypoint.last and not hard:
                        bound = max(-limit.margin, min(bound, values_before[index]))
                if values[index] > bound + 1e-12:
                    found.append(_Violation(index, waypoint, values[index] - bound))
            if not waypoint.last:
                values_before = values
        if self.self_collision is not None:
            found += self._collisions(step, path, hard)
        return found

    def _collisions(self, step: _Step, path: list[Waypoint], hard: bool) -> list[_Violation]:
        assert self.self_collision is not None
        config = self.config.self_collision
        found = []
        stop = config.stop_distance + (0.0 if hard else config.margin)
        least = np.minimum(stop, step.pairs)
        for waypoint in (path[0], path[2]):
            distances = self.self_collision.distances(waypoint.position)
            bound = least
            if not hard and not waypoint.last:
                share = (step.pairs - config.stop_distance) / (config.slow_distance - config.stop_distance)
                approach = config.approach_speed * np.maximum(share, 0.0) * float(waypoint.rate[0])
                bound = np.where(step.pairs < config.slow_distance, np.maximum(least, step.pairs - approach), least)
            for pair in np.flatnonzero(distances < bound - 1e-9):
                found.append(_Violation(len(self.tool_limits) + int(pair), waypoint, float((bound - distances)[pair])))
        return found

    def _gradient(self, violation: _Violation) -> FloatArray:
        """Derivative (n,) of the limit's excess by the joint position at the waypoint [m/rad]."""
        position = violation.waypoint.position
        pair = violation.limit - len(self.tool_limits)
        if pair >= 0 and self.self_collision is not None:
            return -self.self_collision.gradient(position, pair)
        point, jacobian = self.model.tool_jacobian(position)
        return self.tool_limits[violation.limit].normal(point) @ jacobian

    def _wants_correction(self, step: _Step) -> bool:
        return step.correct and step.tool[0][0] > 0.0

    def _correction_cuts(self, step: _Step) -> dict[tuple[int, int, bool], tuple[FloatArray, float]]:
        """Inward speed asked for outside the sphere, as much of it as the box lets through."""
        sphere = self.config.sphere
        point, jacobian = self.model.tool_jacobian(step.starts[0])
        row = self.tool_limits[0].normal(point) @ jacobian
        speed = min(sphere.correction_gain * (step.tool[0][0] + sphere.margin), sphere.correction_speed)
        fastest = float(np.minimum(row * step.box.lower, row * step.box.upper).sum())
        # In a singular posture, or while acceleration allows no more, half of what can be had is asked.
        bound = max(-speed, 0.5 * fastest)
        return {(0, -1, False): (row, bound)} if bound < 0.0 else {}

    def _active_joints(self, step: _Step, wish: FloatArray, last_sent: FloatArray) -> tuple[str, ...]:
        names = self.model.joint_names
        box = step.box
        active = []
        for index in np.flatnonzero((wish > box.upper) | (wish < box.lower)):
            name = names[index]
            if wish[index] > 0.0:
                position, speed = box.position_upper[index], self._max_velocity[index]
            else:
                position, speed = -box.position_lower[index], self._max_velocity[index]
            if abs(wish[index]) > speed:
                active.append(f"velocity:{name}")
            if position < speed and abs(wish[index]) > position:
                active.append(f"position:{name}")
            if not active or not active[-1].endswith(f":{name}"):
                active.append(f"acceleration:{name}")
        return tuple(active)

    def _limit_name(self, limit: int) -> str:
        count = len(self.tool_limits)
        if limit < count:
            return self.tool_limits[limit].name
        return f"self_collision:{self.self_collision.names[limit - count]}" if self.self_collision else "self_collision"

    def _brake_blindly(
        self, last_sent: object, finite: bool, period_s: object, status: SafetyStatus
    ) -> ProjectionResult:
        """Full braking from the last velocity, without looking at the position."""
        velocity = np.zeros(self.model.size)
        if finite:
            passed = float(period_s) if _is_period(period_s) else self.config.min_period_s  # type: ignore[arg-type]
            step = self._acceleration * min(passed, self.config.max_period_s)
            sent = np.clip(np.asarray(last_sent, dtype=np.float64), -self._max_velocity, self._max_velocity)
            velocity = sent - np.clip(sent, -step, step)
        return ProjectionResult(velocity=velocity, status=status)


def _is_vector(array: object, size: int) -> bool:
    return (
        isinstance(array, np.ndarray)
        and array.shape == (size,)
        and array.dtype == np.float64
        and bool(np.isfinite(array).all())
    )


def _is_period(period_s: object) -> bool:
    return isinstance(period_s, int | float) and not isinstance(period_s, bool) and 0.0 < period_s < np.inf
