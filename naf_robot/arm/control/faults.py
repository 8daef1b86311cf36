"""Faults that latch until an operator clears them, and counters of what the limits did."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Cause = Callable[[], str | None]  # why the fault is still there, or None when its cause is gone


def gone() -> str | None:
    """The cause of a fault that ended with the event itself, such as a pressed stop."""
    return None


@dataclass(frozen=True)
class Fault:
    """One latched fault."""

    reason: str
    cause: Cause


class FaultLatch:
    """Keeps every fault from its event until `clear` finds its cause gone; the first one names the state."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self.count = 0  # of faults ever latched
        self.counts: Counter[str] = Counter()  # the same by kind

    @property
    def reason(self) -> str | None:
        """All latched reasons, first event first; None when there is none."""
        return "; ".join(fault.reason for fault in self._faults.values()) or None

    def trip(self, kind: str, reason: str, cause: Cause = gone) -> None:
        """Latch a fault; one of the same kind keeps its first reason."""
        if kind not in self._faults:
            self._faults[kind] = Fault(reason, cause)
            self.count += 1
            self.counts[kind] += 1

    def clear(self) -> tuple[bool, str]:
        """Drop all faults if every cause is gone; else drop none and say what is still there."""
        if not self._faults:
            return True, "there was no fault"
        present = [text for fault in self._faults.values() if (text := fault.cause()) is not None]
        if present:
            return False, f"not cleared, the cause is still there: {'; '.join(present)}"
        text = f"cleared: {self.reason}"
        self._faults.clear()
        return True, text


class Interventions:
    """How often each limit acted."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, limits: Iterable[str]) -> None:
        """Count one control step in which `limits` acted."""
        self._counts.update(limits)

    def counts(self) -> dict[str, int]:
        """Control steps by limit, such as {"sphere": 12, "velocity:joint_3": 4}."""
        return dict(self._counts)
