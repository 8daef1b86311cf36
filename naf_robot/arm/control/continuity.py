"""Checks that successive joint states agree with each other and with their stamps."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from naf_robot.core.records import FloatArray

SPEED_FACTOR = 2.0  # times the velocity limit, or the measured velocity where that is larger
JITTER_S = 0.01  # by which stamps may be unevenly spaced
WINDOW_S = 1.0  # contradictions are counted over this
CONTRADICTIONS = 3  # in the window: not one bad reading, but two sources or a joint that has jumped


@dataclass(frozen=True)
class _Reading:
    position: FloatArray  # (n,) [rad]
    speed: FloatArray  # (n,) [rad/s]
    stamp_s: float


class Continuity:
    """Rejects joint states that the arm cannot have reached from the last one that was accepted.

    Between two states a joint moves by no more than `margin` [rad] (noise, quantisation) and SPEED_FACTOR times
    its velocity limit `max_velocity` (n,) [rad/s], or its measured velocity, over the difference of their stamps.
    A second publisher of other positions thus contradicts the first one whichever of them is right. Where states
    agree among themselves but not with the past, the joint has jumped, and the new place is accepted: with a
    fault, unless `jumps_allowed`, as a simulated arm may be put elsewhere.
    """

    def __init__(
        self, names: tuple[str, ...], max_velocity: FloatArray, margin: float, jumps_allowed: bool = False
    ) -> None:
        self._names = names
        self._max_velocity = max_velocity
        self._margin = margin
        self._jumps_allowed = jumps_allowed
        self._accepted: _Reading | None = None
        self._rejected: list[_Reading] = []  # since the last one accepted, each in agreement with the one before
        self._times: deque[float] = deque(maxlen=CONTRADICTIONS)  # steady clock, of contradictions
        self._text = ""

    def rejection(self, position: FloatArray, velocity: FloatArray, stamp_s: float, steady_s: float) -> str | None:
        """Accept a state, or say why it is rejected. `steady_s` is its arrival on a steady clock."""
        reading = _Reading(position, np.maximum(self._max_velocity, np.abs(velocity)), stamp_s)
        excess = self._excess(self._accepted, reading)
        if excess is None:
            self._accepted = reading
            self._rejected.clear()
            return None
        self._count(excess, steady_s)
        if self._rejected and self._excess(self._rejected[-1], reading) is not None:
            self._rejected.clear()
        self._rejected.append(reading)
        if len(self._rejected) < CONTRADICTIONS:
            return self._text
        self._accepted = reading
        self._rejected.clear()
        if self._jumps_allowed:
            self._times.clear()
            self._times.append(steady_s)
        return None

    def compare(self, position: FloatArray, velocity: FloatArray, stamp_s: float, steady_s: float) -> None:
        """Count a contradiction of a state that is rejected for its stamp, of about the time of the accepted one."""
        reading = _Reading(position, np.maximum(self._max_velocity, np.abs(velocity)), stamp_s)
        if self._accepted is not None and abs(stamp_s - self._accepted.stamp_s) <= WINDOW_S:
            excess = self._excess(self._accepted, reading)
            if excess is not None:
                self._count(excess, steady_s)

    def contradiction(self, steady_s: float) -> str | None:
        """What the states of the last second contradict each other in, if they do so again and again."""
        recent = sum(steady_s - when <= WINDOW_S for when in self._times)
        return self._text if recent >= CONTRADICTIONS else None

    def restart(self) -> None:
        """Forget the past: stamps have begun anew."""
        self._accepted = None
        self._rejected.clear()

    def _count(self, excess: str, steady_s: float) -> None:
        self._text = f"joint_states contradict each other: {excess}"
        self._times.append(steady_s)

    def _excess(self, before: _Reading | None, after: _Reading) -> str | None:
        if before is None:
            return None
        passed = abs(after.stamp_s - before.stamp_s)
        moved = np.abs(after.position - before.position)
        possible = self._margin + SPEED_FACTOR * np.maximum(before.speed, after.speed) * (passed + JITTER_S)
        within = moved <= possible
        if within.all():
            return None
        worst = int((moved - possible).argmax())
        return f"{self._names[worst]} by {moved[worst]:.3f} rad within {passed:.3f} s"
