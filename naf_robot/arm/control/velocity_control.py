"""One control step: freshness, faults and the safety projection tied together, without ROS."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from naf_robot.arm.control.config import VelocityControlConfig
from naf_robot.arm.control.contact import ContactStop
from naf_robot.arm.control.faults import FaultLatch, Interventions
from naf_robot.arm.control.following import FollowingCheck
from naf_robot.arm.control.measured_state import JOINT_STATES, MeasuredState
from naf_robot.arm.control.permission import WAITS_FOR_OPERATOR, Permission
from naf_robot.arm.control.senders import SenderWatch
from naf_robot.arm.control.watchdog import Watchdog
from naf_robot.arm.model.joint_values import NonFiniteMessage, RefusedMessage, by_name
from naf_robot.arm.projection.projection import ProjectionResult, SafetyProjection, SafetyStatus
from naf_robot.core.clock import Clock
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.core.records import FloatArray

__all__ = ["ControlOutput", "VelocityControl", "VelocityControlConfig"]

DESIRED_VELOCITY = "desired_velocity"
HANDOVER_S = 0.5  # of silence after which another sender is followed; under simulated time it is the wall limit
STANDSTILL = 1e-6  # [rad/s], a sent velocity below which the arm counts as standing


@dataclass(frozen=True)
class ControlOutput:
    """What to send this period, and why."""

    velocity: FloatArray  # (n,) [rad/s]
    status: SafetyStatus
    reasons: tuple[str, ...] = ()  # why the arm is not simply following, in words
    active: tuple[str, ...] = ()  # limits that acted
    relaxed: tuple[str, ...] = ()  # limits that gave way
    fault: str | None = None  # latched; None when there is none
    held: str | None = None  # why desired velocities are not followed though there is no fault; None when they are
    desired: FloatArray | None = None  # (n,) what was asked for; None when nothing fresh was
    clip_norm: float = 0.0  # [rad/s] taken from the desired velocity
    error: str = ""  # traceback, where the projection itself failed


class VelocityControl:
    """Takes messages as they arrive and answers every `step` with one velocity.

    A `real` arm is disabled at the start and after each fault: only an operator's `enable` lets it move.
    `clock` is a steady clock; stamps and step times are of the ROS clock, wall or simulated. No
    method but the constructor raises for anything a message can hold; not thread-safe.

    Raises:
        ConfigError, UnknownNameError: settings that contradict the arm.
    """

    def __init__(
        self, projection: SafetyProjection, config: VelocityControlConfig, clock: Clock, real: bool = False
    ) -> None:
        self.projection = projection
        self.config = config
        self.joint_names = projection.model.joint_names
        limits = {JOINT_STATES: config.joint_states_limit_s, DESIRED_VELOCITY: config.desired_velocity_limit_s}
        for name in config.sensor_limits_s:
            if name in limits:
                raise ConfigError(f"{name!r} cannot be the name of a required sensor: it is an input already")
        limits |= config.sensor_limits_s
        self._watchdog = Watchdog(
            limits, clock, config.simulated_time, config.wall_limit_s, config.future_s, config.jump_s
        )
        self._contact = ContactStop(config.contact, self.joint_names, projection.limits.max_effort)
        self._faults = FaultLatch()
        self.measured = MeasuredState(
            self.joint_names, projection.limits, config, clock, self._watchdog, self._faults, self._contact
        )
        self.interventions = Interventions()
        self._following = FollowingCheck(self.joint_names, config.following) if config.following.enabled else None
        self.permission = Permission(self._faults, config.enabled, real)
        self._senders = SenderWatch(config.wall_limit_s if config.simulated_time else HANDOVER_S, clock)
        self._desired: FloatArray | None = None
        self._speed = 1.0
        self._desired_is_defective: str | None = None
        self._clock = clock
        self._last_sent = np.zeros(projection.model.size)
        # Whether the arm does what was last sent. It may not at the start (a predecessor's command), after a
        # gap (a drive may have stopped it, or not) and after simulated time stood still.
        self._follows = False
        self._stepped_s = self._stepped_steady_s = -np.inf

    @property
    def fault(self) -> str | None:
        """The latched fault in words, or None."""
        return self._faults.reason

    @property
    def fault_counts(self) -> dict[str, int]:
        """Faults ever latched by this process, by kind."""
        return dict(self._faults.counts)

    @property
    def position(self) -> FloatArray | None:
        """The newest measured joint position (n,) [rad], or None."""
        return self.measured.position

    def joint_state(
        self,
        names: Sequence[str],
        position: Sequence[float],
        velocity: Sequence[float],
        effort: Sequence[float],
        stamp_s: float,
        now_s: float | None = None,
    ) -> str | None:
        """Take the measured state, matched by joint name. Returns why it was refused."""
        # Messages are also lost while this process is frozen: then the silence is its own.
        awake = self._clock.now_s() - self._stepped_steady_s <= self.projection.config.max_period_s
        reason = self.measured.take(names, position, velocity, effort, stamp_s, now_s, awake)
        measured = self.measured.position
        if reason is None and measured is not None and self._following is not None and self.permission.given:
            wrong = self._following.state(measured, self.measured.velocity, stamp_s)
            if wrong is not None:
                self._faults.trip("following", wrong)
        return reason

    def desired(
        self,
        names: Sequence[str],
        velocity: Sequence[float],
        stamp_s: float,
        now_s: float | None = None,
        sender: str = "",
    ) -> str | None:
        """Take a desired velocity, matched by joint name. Returns why it was refused.

        One that is not finite latches a fault: its sender is defective. So do two senders at a time.
        """
        try:
            wanted = by_name(self.joint_names, names, velocity, DESIRED_VELOCITY)
        except NonFiniteMessage as refused:
            self._desired_is_defective, self._desired = str(refused), None
            self._faults.trip("defective", str(refused), lambda: self._desired_is_defective)
            return str(refused)
        except RefusedMessage as refused:
            return str(refused)
        if (reason := self._senders.rejection(sender)) is not None:
            return reason
        if (conflict := self._senders.conflict()) is not None:
            self._faults.trip("senders", conflict, self._senders.conflict)
        reason = self._watchdog.receive(DESIRED_VELOCITY, stamp_s, now_s)
        if reason is None:
            self._desired, self._desired_is_defective = wanted, None
        return reason

    def leave(self, sender: str) -> None:
        """`sender` gives the arm away: it decelerates, and the next desired velocity may be of another sender."""
        if self._senders.leave(sender):
            self._desired = None

    def activate(self, on: bool) -> None:
        """Begin to command the arm, from the velocity that it is measured at, or decelerate it and end."""
        self.permission.activate(on)
        if on:
            self._follows = False

    def slow_down(self, speed: float) -> None:
        """From now on ask for this share, from 0 to 1, of each desired velocity; the limits stay as they are."""
        self._speed = speed

    def sensor(self, name: str, stamp_s: float, now_s: float | None = None) -> str | None:
        """Note a message of required sensor `name`. Returns why that was refused."""
        try:
            return self._watchdog.receive(name, stamp_s, now_s)
        except UnknownNameError as error:
            return str(error)

    def external_force(self, force: Sequence[float]) -> str | None:
        """Take an external force (3,) [N]; over its threshold it latches a fault. Returns why it was refused."""
        array = np.array(force, dtype=np.float64)
        if array.shape != (3,) or not np.isfinite(array).all():
            return f"external force must be three finite numbers, got {list(force)}"
        touched = self._contact.force(array)
        if touched is not None:
            self._faults.trip("contact", touched, self._contact.present)
        return None

    def step(self, now_s: float, period_s: float) -> ControlOutput:
        """The velocity to send at `now_s`, `period_s` after the last one was sent [s].

        Where the arm need not be doing what was last sent, the measured velocity takes its place; with
        no state at all, zero is sent: it is the only command that does not move an arm that has stopped.
        """
        jump = self._watchdog.observe(now_s)
        reasons = [] if jump is None else [jump]
        measured = self.measured
        if jump is not None:
            measured.time_jumped()
        steady_s = self._clock.now_s()
        if self._moving():
            measured.commanded_to_move()
        state, contradiction = measured.stale(), measured.latch_contradiction()
        command = self._desired if self._desired is None or self._speed == 1.0 else self._speed * self._desired
        for text in (state, contradiction, self._silence(), *self._silent_sensors(), self.permission.refusal()):
            if text is not None:
                reasons.append(text)
                command = None
        # Without a state to go by, braking is open loop.
        open_loop = state is not None or measured.position is None or measured.unusable() is not None
        if not self._follows or not period_s <= self.projection.config.max_period_s:
            self._last_sent = np.zeros(self.projection.model.size) if open_loop else measured.velocity
            self._follows = not open_loop
        if self.config.simulated_time and now_s <= self._stepped_s:
            self._follows = False  # what is sent while simulated time stands moves nothing
        self._stepped_s, self._stepped_steady_s = now_s, steady_s
        if open_loop or measured.position is None:
            result = self.projection.brake(self._last_sent, period_s)
        else:
            result = self.projection.project(measured.position, measured.velocity, command, self._last_sent, period_s)
        if result.status is SafetyStatus.INTERNAL_ERROR:
            reason = result.error.strip().splitlines()[-1:]
            self._faults.trip("internal", " ".join([result.status.sentence, *(f"({line})" for line in reason)]))
        self._last_sent = result.velocity
        if self._following is not None:
            if self.permission.given and self._follows:
                self._following.sent(result.velocity, now_s)
            else:
                self._following.restart()
        self.interventions.add(result.active)
        return self._output(result, reasons, command)

    def stop(self, reason: str) -> None:
        """Latch a stop: decelerate to zero and stay there until cleared."""
        self._faults.trip("stop", f"stopped: {reason}")

    def clear_fault(self) -> tuple[bool, str]:
        """Clear all faults if the arm stands and every cause is gone; returns success and a sentence."""
        if self._faults.reason is not None and self._moving():
            return False, "not cleared, the arm is still decelerating"
        self.permission.faulted()
        if self._watchdog.stale(DESIRED_VELOCITY) is not None:
            self._desired_is_defective = None  # a defective sender that has fallen silent is gone
        cleared, text = self._faults.clear()
        return cleared, f"{text}; {WAITS_FOR_OPERATOR}" if cleared and not self.permission.enabled else text

    def enable(self, on: bool) -> tuple[bool, str]:
        """Follow desired velocities or not; see `Permission.enable`."""
        return self.permission.enable(on)

    def _moving(self) -> bool:
        return not np.abs(self._last_sent).max() <= STANDSTILL

    def _silence(self) -> str | None:
        return self._watchdog.stale(DESIRED_VELOCITY)

    def _silent_sensors(self) -> list[str]:
        return [text for name in self.config.sensor_limits_s if (text := self._watchdog.stale(name)) is not None]

    def _output(self, result: ProjectionResult, reasons: list[str], command: FloatArray | None) -> ControlOutput:
        return ControlOutput(
            velocity=result.velocity,
            status=result.status,
            reasons=tuple(reasons),
            active=result.active,
            relaxed=result.relaxed,
            fault=self._faults.reason,
            held=self.permission.held,
            desired=command,
            clip_norm=result.clip_norm,
            error=result.error,
        )
