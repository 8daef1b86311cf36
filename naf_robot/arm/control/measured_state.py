"""The measured state of an arm: which joint states are taken, and the faults that they latch. Without ROS."""

from collections.abc import Sequence

import numpy as np

from naf_robot.arm.control.config import VelocityControlConfig
from naf_robot.arm.control.contact import ContactStop
from naf_robot.arm.control.continuity import Continuity
from naf_robot.arm.control.faults import FaultLatch
from naf_robot.arm.control.watchdog import STAMP_ROUNDING_S, Watchdog
from naf_robot.arm.model.joint_values import RefusedMessage, by_name, places_of
from naf_robot.arm.model.limits import JointLimits
from naf_robot.core.clock import Clock
from naf_robot.core.records import FloatArray

JOINT_STATES = "joint_states"
MEASURED_STANDSTILL = 0.01  # [rad/s], a measured velocity below which the arm counts as standing: it has noise
RECENT_MOTION_S = 0.5  # before the last joint state: an arm that moved then may move still


class MeasuredState:
    """The newest joint state that was accepted; `watchdog` has an input `JOINT_STATES`, `faults` is what latches."""

    def __init__(
        self,
        joints: tuple[str, ...],
        limits: JointLimits,
        config: VelocityControlConfig,
        clock: Clock,
        watchdog: Watchdog,
        faults: FaultLatch,
        contact: ContactStop,
    ) -> None:
        self._joints, self._limits, self._config = joints, limits, config
        self._clock, self._watchdog, self._faults, self._contact = clock, watchdog, faults, contact
        self._continuity = Continuity(joints, limits.max_velocity, config.continuity_margin, config.simulated_time)
        self._implausible: str | None = None
        self._publishers: tuple[str, ...] = ()
        self._moved_s = -np.inf  # steady time at which the arm was last commanded to move, or measured moving
        self.position: FloatArray | None = None  # (n,) [rad], None before the first
        self.velocity = np.zeros(len(joints))  # (n,) [rad/s]
        self.watches_effort = False  # the newest joint states carried efforts, so contact can be detected from them

    def take(
        self,
        names: Sequence[str],
        position: Sequence[float],
        velocity: Sequence[float],
        effort: Sequence[float],
        stamp_s: float,
        now_s: float | None,
        awake: bool,
    ) -> str | None:
        """Take a joint state, matched by joint name. Returns why it was refused.

        Efforts that are absent, or not finite for a joint of the arm, are not measured. Silence while this process
        was not `awake` is its own, not the driver's.
        """
        try:
            measured = by_name(self._joints, names, position, "joint_states position")
            moving = by_name(self._joints, names, velocity, "joint_states velocity")
            efforts = measured_efforts(self._joints, names, effort)
        except RefusedMessage as refused:
            return str(refused)
        steady_s = self._clock.now_s()
        reason = self._watchdog.rejection(JOINT_STATES, stamp_s, now_s)
        implausible = self._implausible_joints(measured, moving)
        if reason is not None:
            self._continuity.compare(measured, moving, stamp_s, steady_s)
        elif implausible is None:
            reason = self._continuity.rejection(measured, moving, stamp_s, steady_s)
        if reason is not None:
            self.latch_contradiction()
            return reason
        gap_s = self._watchdog.gap_s(JOINT_STATES, stamp_s)
        if awake and not gap_s <= self._config.joint_states_limit_s + STAMP_ROUNDING_S:
            self._latch_silence(f"joint_states were silent for {gap_s:.3f} s")
        self._watchdog.receive(JOINT_STATES, stamp_s, now_s)
        self.position, self.velocity = measured, moving
        if not np.abs(moving).max() <= MEASURED_STANDSTILL:
            self._moved_s = steady_s
        self.watches_effort = efforts is not None
        self._implausible = implausible
        if implausible is not None:
            self._faults.trip("implausible", implausible, lambda: self._implausible)
        touched = self._contact.effort(efforts) if efforts is not None else None
        if touched is not None:
            self._faults.trip("contact", touched, self._contact.present)
        return None

    def publishers(self, names: Sequence[str]) -> None:
        """Take the full names of the nodes that publish joint states, to name them where states contradict."""
        self._publishers = tuple(sorted(names))

    def commanded_to_move(self) -> None:
        """The arm is commanded to move now."""
        self._moved_s = self._clock.now_s()

    def time_jumped(self) -> None:
        """Stamps have begun anew."""
        self._continuity.restart()

    def stale(self) -> str | None:
        """Why the state is not fresh, or None; silence after motion latches a fault."""
        text = self._watchdog.stale(JOINT_STATES)
        if text is not None and not self._watchdog.awaited(JOINT_STATES):
            self._latch_silence(text)
        return text

    def unusable(self) -> str | None:
        """Why the state is not to be trusted though it is fresh, or None."""
        return self._implausible or self._continuity.contradiction(self._clock.now_s())

    def latch_contradiction(self) -> str | None:
        """What successive states contradict each other in, which latches a fault; None if they do not."""
        text = self._continuity.contradiction(self._clock.now_s())
        if text is not None and len(self._publishers) > 1:
            text = f"{text}; published by {', '.join(self._publishers)}"
        if text is not None:
            self._faults.trip("contradiction", text, lambda: self._continuity.contradiction(self._clock.now_s()))
        return text

    def _latch_silence(self, text: str) -> None:
        """Latch that joint states were silent, if the arm moved shortly before the silence or within it.

        Whether it is still commanded to move makes no difference: that depends on which input was missed first.
        """
        heard_s = self._watchdog.arrival_s(JOINT_STATES)
        if heard_s is not None and self._moved_s >= heard_s - RECENT_MOTION_S:
            self._faults.trip("silence", f"{text} while moving", lambda: self._watchdog.stale(JOINT_STATES))

    def _implausible_joints(self, position: FloatArray, velocity: FloatArray) -> str | None:
        limits, config = self._limits, self._config
        slow = np.abs(velocity) <= config.implausible_velocity * limits.max_velocity
        near = np.maximum(limits.min_position - position, position - limits.max_position) <= config.implausible_position
        bad = [name for name, right in zip(self._joints, slow & near, strict=True) if not right]
        return f"the measured state of {', '.join(bad)} is not physical" if bad else None


def measured_efforts(joints: tuple[str, ...], names: Sequence[str], effort: Sequence[float]) -> FloatArray | None:
    """Efforts (n,) of `joints`, None where they are not measured: absent, or NaN for every one of them.

    A joint_state_broadcaster reports NaN for joints without an effort interface, and an effort for a gripper beside.

    Raises:
        RefusedMessage: as `by_name`; so also where only some of the joints have an effort.
    """
    if len(effort) == 0:
        return None
    if len(effort) == len(names):
        of_arm = [effort[place] for place in places_of(joints, names)]
        if np.isnan(of_arm).all():
            return None
    return by_name(joints, names, effort, "joint_states effort")
