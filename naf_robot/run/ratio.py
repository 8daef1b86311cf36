"""The ratio of gradient updates to transitions, held from both sides or left free."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RatioLimiter:
    """How far the learner may be ahead of the data, and the data of the learner.

    `updates_per_transition` 0 means free-running, as in Gu et al. 2016, Algorithm 1.
    """

    updates_per_transition: float
    tolerance: int  # updates
    learning_starts: int  # transitions

    def allowed_updates(self, transitions: int, updates: int, at_most: int) -> int:
        """Updates the learner may do now, at most `at_most`."""
        if transitions < self.learning_starts:
            return 0
        if self.updates_per_transition == 0.0:
            return at_most
        due = int(self.updates_per_transition * (transitions - self.learning_starts + 1)) - updates
        return max(0, min(at_most, due))

    def collectors_must_wait(self, transitions: int, updates: int) -> bool:
        """Whether the trainer is so far behind that no episode should begin."""
        due = self.updates_per_transition * (transitions - self.learning_starts)
        return self.updates_per_transition > 0.0 and due - updates > self.tolerance
