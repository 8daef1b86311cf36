"""Whether an arm may be moved: latched faults, an operator's consent, the controller below, other publishers."""

from naf_robot.arm.control.faults import FaultLatch

INACTIVE = "inactive: naf-robot activate lets velocity_control write to the arm"
WAITS_FOR_OPERATOR = "disabled: naf-robot enable (service velocity_control/enable) lets the arm move"


class Permission:
    """Holds what was found; `faults` is what latches.

    A `real` arm is disabled at the start and after each fault: only an operator's `enable` lets it move.
    """

    def __init__(self, faults: FaultLatch, enabled: bool, real: bool) -> None:
        self._faults = faults
        self._real = real
        self._enabled = enabled and not real
        self._active = True
        self._obstacle: str | None = None
        self._second_writer: str | None = None
        self._second_state_publisher: str | None = None

    @property
    def enabled(self) -> bool:
        """Whether desired velocities are followed at all."""
        return self._enabled

    @property
    def given(self) -> bool:
        """Whether the arm is ours to move; a disabled one may be moved by others."""
        return self._active and self._enabled and self._faults.reason is None

    @property
    def held(self) -> str | None:
        """Why desired velocities are not followed though there is no fault, or None."""
        if not self._active:
            return INACTIVE
        if self._obstacle is not None:
            return self._obstacle
        if self._enabled:
            return None
        return WAITS_FOR_OPERATOR if self._real else "disabled"

    def refusal(self) -> str | None:
        """Why the arm is not moved in this step, or None; a fault takes a real arm's consent away."""
        self.faulted()
        return self.held if self._faults.reason is None else f"fault: {self._faults.reason}"

    def faulted(self) -> None:
        """See whether a fault has been latched, before it may be cleared."""
        if self._real and self._faults.reason is not None:
            self._enabled = False

    def enable(self, on: bool) -> tuple[bool, str]:
        """Follow desired velocities or not; refused while a fault is latched. Returns success and a sentence."""
        if on and self._faults.reason is not None:
            return False, f"not enabled, a fault is latched: {self._faults.reason}"
        if on and not self._active:
            return False, f"not enabled, {INACTIVE}"
        if on and self._obstacle is not None:
            return False, f"not enabled: {self._obstacle}"
        self._enabled = on
        return True, "enabled" if on else "disabled: decelerating to zero"

    def activate(self, on: bool) -> None:
        """Whether commands are sent at all; a real arm waits for `enable` again afterwards."""
        self._active = on
        if self._real and not on:
            self._enabled = False

    def controller(self, obstacle: str | None) -> None:
        """Take `ControllerJoints.obstacle`: the arm is not moved while there is one.

        One that comes up while a real arm is enabled latches a fault.
        """
        self._obstacle = obstacle
        if obstacle is not None and self._enabled and self._real:
            self._faults.trip("controller", obstacle, lambda: self._obstacle)

    def writers(self, violation: str | None) -> None:
        """Take the result of `SoleWriter.violation`; a second publisher of commands latches a fault."""
        self._second_writer = violation
        if violation is not None:
            self._faults.trip("writers", violation, lambda: self._second_writer)

    def state_publishers(self, violation: str | None) -> None:
        """Take the result of `StatePublishers.violation`; a second publisher of the same joints latches a fault."""
        self._second_state_publisher = violation
        if violation is not None:
            self._faults.trip("state publishers", violation, lambda: self._second_state_publisher)
