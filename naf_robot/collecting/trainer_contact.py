"""What a robot knows of its trainer: when it was last heard, how far it is, and whether to wait for it."""

from naf_robot.collecting.phase import Phase
from naf_robot.core.clock import Clock
from naf_robot.run.ratio import RatioLimiter


class TrainerContact:
    """The newest counters of the trainer; `clock` is wall time, for the age of its last message."""

    def __init__(self, ratio: RatioLimiter, max_age_s: float, clock: Clock) -> None:
        self.ratio = ratio
        self._max_age_s, self._clock = max_age_s, clock
        self._updates, self._transitions = 0, 0
        self._heard_s = clock.now_s()

    @property
    def age_s(self) -> float:
        """Wall time since the last message from the trainer [s]."""
        return self._clock.now_s() - self._heard_s

    def heard(self, updates: int, transitions: int) -> None:
        """A message from the trainer: its updates and the transitions it has stored.

        After a restart from a checkpoint it has fewer updates than before; the newest value is used.
        """
        self._updates, self._transitions = updates, transitions
        self._heard_s = self._clock.now_s()

    def obstacle(self) -> Phase | None:
        """Why no episode may begin on account of the trainer, None if one may."""
        if self.age_s > self._max_age_s:
            return Phase.POLICY_TOO_OLD
        if self.ratio.collectors_must_wait(self._transitions, self._updates):
            return Phase.WAITING_FOR_TRAINER
        return None
