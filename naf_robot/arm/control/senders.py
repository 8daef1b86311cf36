"""Whose desired velocities are followed: those of one sender at a time."""

from naf_robot.core.clock import Clock

REMEMBERED_S = 1.0  # since a second sender was heard last, until it counts as gone


class SenderWatch:
    """Follows one sender until it leaves or has been silent for `silence_s` on the steady `clock`.

    Another one is rejected meanwhile. That alone is no conflict: it may be the successor of a killed process. Where
    the first goes on sending after that, two nodes command one arm.
    """

    def __init__(self, silence_s: float, clock: Clock) -> None:
        self._silence_s = silence_s
        self._clock = clock
        self._current: str | None = None
        self._current_s = 0.0  # when it was heard last
        self._rival = ""
        self._rival_s: float | None = None  # when it was heard last
        self._conflict_s: float | None = None  # when both were heard last
        self._conflict = ""

    def rejection(self, sender: str) -> str | None:
        """Why a message of `sender` is not followed, or None."""
        now_s = self._clock.now_s()
        if self._current is None or now_s - self._current_s > self._silence_s:
            self._current, self._rival_s = sender, None
        if sender != self._current:
            self._rival, self._rival_s = sender, now_s
            return f"desired_velocity of {named(sender)} while {named(self._current)} commands the arm"
        self._current_s = now_s
        if self._rival_s is not None and now_s - self._rival_s <= REMEMBERED_S:
            self._conflict_s = now_s
            self._conflict = (
                f"desired velocities come from two senders, {named(sender)} and {named(self._rival)}; end one of them"
            )
        return None

    def leave(self, sender: str) -> bool:
        """`sender` gives the arm away; whether it was the one that is followed."""
        if sender != self._current:
            return False
        self._current = self._rival_s = None
        return True

    def conflict(self) -> str | None:
        """Which two send, as long as they do, or None."""
        if self._conflict_s is None or self._rival_s is None:
            return None
        return self._conflict if self._clock.now_s() - self._rival_s <= REMEMBERED_S else None


def named(sender: str) -> str:
    """How people read of a sender; foreign nodes may give no name."""
    return sender or "a node that does not say its name in header.frame_id"
