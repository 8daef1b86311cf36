"""What comes on one topic: how often, how old, from how many publishers; for people who wonder why nothing moves."""

import math

from naf_robot.core.clock import Clock
from naf_robot.core.rate import RateMeter

WINDOW_S = 3.0  # over which the rate is measured


class InputWatch:
    """Counts the messages of `topic`; `label` begins the names of its values on `/diagnostics`.

    `clock` is steady; ages are in the time of the stamps, or of arrival for messages that have none.
    """

    def __init__(self, topic: str, clock: Clock, label: str = "joint states") -> None:
        self.topic = topic
        self.label = label
        self.publishers = 0  # as the graph says
        self._rates = RateMeter(clock, WINDOW_S)
        self._count = 0
        self._stamp_s: float | None = None

    def came(self, stamp_s: float) -> None:
        """A message came."""
        self._count += 1
        self._stamp_s = stamp_s

    def values(self, now_s: float) -> dict[str, object]:
        """For diagnostics; `now_s` is in the time of the stamps. Call it about once a second."""
        age = "" if self._stamp_s is None else round(self.age_s(now_s), 3)
        return {
            f"{self.label} topic": self.topic,
            f"{self.label} publishers": self.publishers,
            f"{self.label} rate [Hz]": round(self._rates.per_s("messages", self._count), 1),
            f"{self.label} age [s]": age,
        }

    def age_s(self, now_s: float) -> float:
        """Age of the newest message, infinite before the first."""
        return math.inf if self._stamp_s is None else now_s - self._stamp_s

    def sentence(self, now_s: float) -> str:
        """What is there, as the end of a sentence about what is missing."""
        _, _, rate, age = self.values(now_s).values()
        newest = f", the newest {age} s old" if age != "" else ""
        count = "1 publisher" if self.publishers == 1 else f"{self.publishers or 'no'} publishers"
        return f"{self.topic} has {count}, {rate} messages/s{newest}"
