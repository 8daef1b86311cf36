"""By how much another machine's clock is ahead of ours, from questions and answers that carry four times."""

from collections import deque
from typing import NamedTuple

EXCHANGES = 32  # the newest, of which the quickest counts: clocks drift, so an old one says little


class _Exchange(NamedTuple):
    delay_s: float
    offset_s: float


class ClockOffset:
    """The offset as NTP computes it (RFC 5905, section 8), by the exchange of the least delay among the newest ones.

    With the question sent at t0 and its answer back at t3 by our clock, received at t1 and answered at t2 by theirs:
    offset = ((t1 - t0) + (t2 - t3)) / 2, delay = (t3 - t0) - (t2 - t1). However the delay is shared between the two
    ways, the offset is wrong by half of it at most.
    """

    def __init__(self, exchanges: int = EXCHANGES) -> None:
        self._newest: deque[_Exchange] = deque(maxlen=exchanges)

    def take(self, sent_s: float, received_s: float, answered_s: float, back_s: float) -> None:
        """One exchange, all times in seconds; one whose delay is negative (a clock was set) is passed over."""
        delay_s = (back_s - sent_s) - (answered_s - received_s)
        if delay_s >= 0.0:
            self._newest.append(_Exchange(delay_s, ((received_s - sent_s) + (answered_s - back_s)) / 2.0))

    @property
    def is_known(self) -> bool:
        """Whether there was an exchange."""
        return bool(self._newest)

    @property
    def offset_s(self) -> float:
        """Their clock minus ours [s]."""
        return min(self._newest).offset_s

    @property
    def error_s(self) -> float:
        """By how much `offset_s` may be wrong [s]."""
        return min(self._newest).delay_s / 2.0
