"""The safety projection: from a desired joint velocity to one that keeps every limit.

Order of the stages, inequalities, precedence and proofs: docs/safety.md.
"""

import traceback
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import NamedTuple

import numpy as np

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.model.limits import limits_from_config
from naf_robot.arm.model.limits_file import load_joint_limits
from naf_robot.arm.model.turns import TURN, way
from naf_robot.arm.projection.compiled_limits import CompiledPathLimits, path_limits
from naf_robot.arm.projection.config import (
    HalfSpaceConfig,
    KeepOutBoxConfig,
    SafetyConfig,
    SelfCollisionConfig,
    SphereConfig,
)
from naf_robot.arm.projection.path_limits import State, Violation
from naf_robot.arm.projection.quadratic import nearest
from naf_robot.arm.projection.status import ProjectionResult, SafetyStatus
from naf_robot.arm.projection.velocity_bounds import VelocityBounds, VelocityBox
from naf_robot.core.errors import RobotModelError
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

ITERATIONS = 3  # of linearising and solving; the tool's path bends little within one braking distance
BISECTIONS = 4  # from the solution toward full braking
AIM = 5e-4  # [m] by which a solution aims inside the accepted set: most then need one linearisation less
CORRECTION_SHARE = 0.9  # of the asked correction that counts as correcting
SMALLEST_GRADIENT = 1e-6  # [m^2/rad^2], squared, by which a correction divides
ROUNDING = 1e-9  # [rad/s]
FALLBACK_PERIOD_S = 0.01  # where the measured period makes no sense: short, so that acceleration stays small

Cuts = dict[tuple[int, int], tuple[FloatArray, float]]


class _Step(NamedTuple):
    """What one call of `project` works with."""

    state: State
    box: VelocityBox
    correct: bool  # the tool is outside the sphere and inward motion is asked for, not only admitted


class SafetyProjection:
    """Turns desired velocities into velocities that keep every limit.

    The result depends on the arguments of `project` alone. `limits` are those in force; `warnings` says in
    sentences which protection is missing; `compiled` whether paths are checked by compiled functions, which they
    are where the machine has a C compiler, unless the argument `compiled` is false. The projection is tried at
    `home` (n,) [rad], by default where every joint is as near to zero as its limits let it.

    Raises:
        ConfigError: limits that are off, empty or contradictory, or no collision shapes.
        RobotModelError: collision shapes that cannot be loaded, or the projection fails at `home`.
        UnknownNameError: a configured joint or link that the arm has not.
    """

    def __init__(
        self, model: ArmModel, config: SafetyConfig, home: FloatArray | None = None, compiled: bool = True
    ) -> None:
        self.model = model
        self.config = config
        names, default = model.joint_names, config.max_acceleration
        limits = model.limits().narrowed(limits_from_config(names, config.joints, default))
        if config.joint_limits_file is not None:
            of_file = load_joint_limits(config.joint_limits_file)  # it may name joints of other controllers
            of_arm = {name: of_file[name] for name in names if name in of_file}
            limits = limits.narrowed(limits_from_config(names, of_arm, np.inf))
        if config.max_turns is not None:
            ends = np.where(model.continuous, config.max_turns * TURN, np.inf)
            limits = replace(
                limits,
                min_position=np.maximum(limits.min_position, -ends),
                max_position=np.minimum(limits.max_position, ends),
            )
        self.limits = replace(limits, max_velocity=limits.max_velocity * config.velocity_scale)
        self.limits.check(model.joint_names)
        self.bounds = VelocityBounds(model.joint_names, self.limits, config.position_margin, config.delay_s)
        self.path_limits = path_limits(model, config, self.limits.max_acceleration, compiled)
        self.compiled = isinstance(self.path_limits, CompiledPathLimits)
        collision = self.path_limits.self_collision
        self.warnings = ("self-collision is switched off",) if collision is None else collision.warnings
        if home is None:
            home = np.clip(np.zeros(model.size), self.limits.min_position, self.limits.max_position)
        self._try(np.array(home, dtype=np.float64))

    def project(
        self,
        position: FloatArray,
        velocity: FloatArray,
        desired: FloatArray | None,
        last_sent: FloatArray,
        period_s: float,
    ) -> ProjectionResult:
        """The velocity to send now; never raises.

        All arrays are (n,) float64, [rad] or [rad/s], in the order of the model's joint names;
        `desired` None asks for a stop within the acceleration limit; `period_s` is the measured
        time since `last_sent` was sent [s]. Whatever is wrong with the arguments, the result is
        a status and a velocity that decelerates.
        """
        size = self.model.size
        placed, moving, sent = (_is_vector(array, size) for array in (position, velocity, last_sent))
        valid = moving and _is_period(period_s) and (desired is None or _is_vector(desired, size))
        try:
            if not (placed and sent):
                return self._brake_open_loop(last_sent, sent, period_s, SafetyStatus.INVALID_INPUT)
            period = float(period_s) if _is_period(period_s) else FALLBACK_PERIOD_S
            result = self._project(position, desired if valid else None, last_sent, period)
            return result if valid else replace(result, status=SafetyStatus.INVALID_INPUT)
        except Exception:  # noqa: BLE001 - nothing may leave the control loop without a velocity
            result = self._brake_open_loop(last_sent, sent, period_s, SafetyStatus.INTERNAL_ERROR)
            return replace(result, error=traceback.format_exc())

    def way(self, target: FloatArray, position: FloatArray) -> FloatArray:
        """`target` less `position`, (n,) [rad]: of continuous joints the shortest that the position limits admit."""
        margin = self.config.position_margin
        lower, upper = self.limits.min_position + margin, self.limits.max_position - margin
        return way(target, position, self.model.continuous, lower, upper)

    def _try(self, home: FloatArray) -> None:
        """See that a library's error, or a description without finite kinematics, is found before anything moves."""
        sent = np.zeros(self.model.size)
        try:
            if not np.isfinite(self.model.tool_position(home)).all():
                raise ValueError("the tool's position is not finite")
            collision = self.path_limits.self_collision
            if collision is not None and np.isnan(collision.distances(home)).any():
                raise ValueError("a distance of links is not a number")
            for velocity in (sent, self.limits.max_velocity, -self.limits.max_velocity):
                self._project(home, velocity, sent, self.config.max_period_s)
        except Exception as error:  # whatever a library raises would otherwise stop the arm in every step
            where = traceback.extract_tb(error.__traceback__)[-1]
            raise RobotModelError(
                f"the safety projection of {str(self.model.urdf)!r} fails at home {home.round(3).tolist()}: "
                f"{type(error).__name__}: {error} ({Path(where.filename).name}, line {where.lineno})"
            ) from error

    def brake(self, last_sent: FloatArray, period_s: float) -> ProjectionResult:
        """Full braking from `last_sent` (n,) without a position to go by, for when none is to be trusted."""
        finite = _is_vector(last_sent, self.model.size)
        result = self._brake_open_loop(last_sent, finite, period_s, SafetyStatus.DECELERATING)
        return result if result.velocity.any() else replace(result, status=SafetyStatus.STOPPED)

    def _project(
        self, position: FloatArray, desired: FloatArray | None, last_sent: FloatArray, period_s: float
    ) -> ProjectionResult:
        config = self.config
        # Acceleration counts the time that has passed, stopping the time that a command may last.
        passed = min(period_s, config.max_period_s)
        hold = max(passed, config.min_period_s)
        box = self.bounds.box(position, last_sent, passed, hold)
        state = self.path_limits.state(position, last_sent, hold)
        step = _Step(state, box, desired is not None and state.tool[0][0] > 0.0)
        command = np.zeros(self.model.size) if desired is None else desired
        velocity, acted = self._within_workspace(step, command)
        difference = velocity - command
        change = float(difference @ difference) ** 0.5
        if desired is None:
            moving = max(map(abs, velocity.tolist())) > ROUNDING
            status = SafetyStatus.DECELERATING if moving else SafetyStatus.STOPPED
        elif state.outside:
            status = SafetyStatus.CORRECTING
        else:
            status = SafetyStatus.LIMITED if change > ROUNDING else SafetyStatus.OK
        return ProjectionResult(
            velocity=velocity,
            status=status,
            active=(*self.bounds.acting(box, command), *[self.path_limits.name(limit) for limit in sorted(acted)]),
            relaxed=tuple(self.bounds.faster_than_acceleration(velocity - last_sent, passed, ROUNDING)),
            clip_norm=change,
        )

    def _within_workspace(self, step: _Step, command: FloatArray) -> tuple[FloatArray, set[int]]:
        """The velocity that keeps the workspace too, and the numbers of the limits that acted."""
        limits, state = self.path_limits, step.state
        clipped = np.minimum(np.maximum(command, step.box.lower), step.box.upper)
        brake = np.minimum(np.maximum(0.0, step.box.lower), step.box.upper)
        if not step.correct and clipped.tolist() == brake.tolist() and limits.safe(state, brake, hard=True):
            return brake, set()
        candidate, acted, clean = self._solve(step, clipped, np.maximum(max(map(abs, command.tolist())), np.abs(brake)))
        if candidate is not None:
            longest, length = float(command @ command) ** 0.5, float(candidate @ candidate) ** 0.5
            if length > longest + ROUNDING and not step.correct and not any(brake.tolist()):
                candidate, clean = candidate * (longest / length), False
            if clean or limits.safe(state, candidate):
                return candidate, acted
            for halvings in range(1, BISECTIONS + 1):
                shorter = brake + 0.5**halvings * (candidate - brake)
                if limits.safe(state, shorter):
                    return shorter, acted
        if limits.safe(state, brake, hard=True):
            return brake, acted
        if candidate is not None and limits.safe(state, candidate, hard=True):
            return candidate, acted
        # Here acceleration gives way: as much of the braking velocity as is admitted, else zero.
        for share in (0.75, 0.5, 0.25):
            if limits.safe(state, share * brake, hard=True):
                return share * brake, acted
        return np.zeros_like(brake), acted

    def _solve(self, step: _Step, clipped: FloatArray, fastest: FloatArray) -> tuple[FloatArray | None, set[int], bool]:
        """The velocity nearest to `clipped` that keeps the workspace, by repeated linearisation.

        No joint gets faster than `fastest` (n,), what is asked of any joint or needed for braking, but for a
        correction. Returns the velocity (None if the first linearisation leaves nothing), the limits
        that acted, and whether it is known to be safe.
        """
        acted: set[int] = set()
        cuts: Cuts = {}
        lower, upper = step.box.lower, step.box.upper
        if step.correct:
            lower, upper, cuts = self._correction(step, fastest)
        corrected = all(float(row @ clipped) <= bound * CORRECTION_SHARE for row, bound in cuts.values())
        velocity = clipped
        for iteration in range(ITERATIONS):
            violations = self.path_limits.violations(step.state, velocity, tool_first=iteration == 0)
            if not violations and corrected:
                return velocity, acted, True
            if iteration == 0 and not step.correct:
                lower, upper = np.maximum(lower, -fastest), np.minimum(upper, fastest)
            if not corrected:
                acted |= {limit for limit, _ in cuts}
                corrected = True
            # One cut per limit and start suffices, at the waypoint that is furthest out.
            worst: dict[tuple[int, int], Violation] = {}
            for violation in violations:
                key = violation.limit, violation.start
                if key not in worst or not violation.excess < worst[key].excess:
                    worst[key] = violation
            acted.update(limit for limit, _ in worst)
            for key, violation in worst.items():
                row = self.path_limits.gradient(violation)
                cuts[key] = row, float(row @ velocity) - violation.excess - AIM
            rows = np.array([row for row, _ in cuts.values()])
            bounds = np.array([bound for _, bound in cuts.values()])
            solution = nearest(clipped, lower, upper, rows, bounds)
            if solution is None:
                return (velocity if iteration else None), acted, False
            velocity = solution
        return velocity, acted, False

    def _correction(self, step: _Step, fastest: FloatArray) -> tuple[FloatArray, FloatArray, Cuts]:
        """Bounds (n,) of a step outside the sphere, and the inward speed asked for.

        Joints may be as fast as `fastest` or as the smallest velocity that has this inward speed; of the speed,
        as much is asked as these bounds let through.
        """
        sphere = self.config.sphere
        row = self.path_limits.tool_gradient(0, step.state.starts[0])
        speed = min(sphere.correction_gain * (step.state.tool[0][0] + sphere.margin), sphere.correction_speed)
        fastest = np.maximum(fastest, np.abs(row) * (speed / max(float(row @ row), SMALLEST_GRADIENT)))
        lower, upper = np.maximum(step.box.lower, -fastest), np.minimum(step.box.upper, fastest)
        greatest = float(np.minimum(row * lower, row * upper).sum())
        # In a singular posture, or while acceleration allows no more, half of what can be had is asked.
        bound = max(-speed, 0.5 * greatest)
        return lower, upper, {(0, -1): (row, bound)} if bound < 0.0 else {}

    def _brake_open_loop(
        self, last_sent: object, finite: bool, period_s: object, status: SafetyStatus
    ) -> ProjectionResult:
        velocity = np.zeros(self.model.size)
        if finite:
            passed = float(period_s) if _is_period(period_s) else FALLBACK_PERIOD_S  # type: ignore[arg-type]
            step = self.limits.max_acceleration * min(passed, self.config.max_period_s)
            sent = np.clip(np.asarray(last_sent), -self.limits.max_velocity, self.limits.max_velocity)
            velocity = sent - np.clip(sent, -step, step)
        return ProjectionResult(velocity=velocity, status=status)


def _is_vector(array: object, size: int) -> bool:
    return (
        isinstance(array, np.ndarray)
        and array.shape == (size,)
        and array.dtype == np.float64
        and all(map(isfinite, array.tolist()))  # faster than numpy's at this size
    )


def _is_period(period_s: object) -> bool:
    return isinstance(period_s, int | float) and not isinstance(period_s, bool) and 0.0 < period_s < np.inf
