"""Messages of a topic that were sent and did not come, from the numbers that their publishers give them."""

MAX_PUBLISHERS = 64  # of one topic, that are told apart
UNKNOWN = (0, 2**64 - 1)  # what a middleware says that does not number messages


class Gaps:
    """Counts gaps in the numbers of one topic's messages.

    Every publisher numbers its own from 1 on, and a message does not say whose it is: it goes on with the highest
    number below its own. The first message of a publisher counts as no gap.
    """

    def __init__(self) -> None:
        self._newest: list[int] = []  # number of each publisher
        self.lost = 0

    def take(self, number: int | None) -> None:
        """A message with this number has come."""
        if number is None or number in UNKNOWN:
            return
        before = max((known for known in self._newest if known < number), default=None)
        if before is None:
            self._newest = [*self._newest, number][-MAX_PUBLISHERS:]
            return
        self.lost += number - before - 1
        self._newest[self._newest.index(before)] = number
