"""Messages of a bag in the order of their stamps. They are recorded as they arrive, which is nearly that order."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from naf_robot.experience.bags.files import RawMessage

WINDOW_NS = 1_000_000_000  # of log time, by which a message may have arrived late
JUMP_NS = 1_000_000_000  # by which stamps of one topic go back only if the clock was set anew


class Stamped(NamedTuple):
    """A message with the time [ns] by which it is sorted; of equal times that of lower rank comes first."""

    stamp_ns: int
    rank: int
    log_ns: int
    number: int  # in the bag: decides between all else that is equal
    raw: RawMessage


def in_stamp_order(
    messages: Iterable[Stamped], window_ns: int = WINDOW_NS, is_cut_off: Callable[[], bool] = lambda: False
) -> Iterator[Stamped]:
    """`messages` sorted, as far as none arrived later than `window_ns` after one that belongs behind it.

    Only the messages of one window are held. Where the stamps of a topic go back by more than a second the clock was
    set anew: everything before comes first. If `is_cut_off` says at the end that what comes last is missing, the
    messages of the last window do not come: others that belong before them may be missing. So what comes of a part
    is how the whole begins.
    """
    waiting: list[Stamped] = []
    newest: dict[str, int] = {}  # stamp by topic
    for message in messages:
        topic = message.raw.topic
        if message.stamp_ns < newest.get(topic, message.stamp_ns) - JUMP_NS:
            yield from (heapq.heappop(waiting) for _ in range(len(waiting)))
            newest.clear()
        newest[topic] = message.stamp_ns
        heapq.heappush(waiting, message)
        while waiting[0].log_ns < message.log_ns - window_ns:
            yield heapq.heappop(waiting)
    if not is_cut_off():
        yield from (heapq.heappop(waiting) for _ in range(len(waiting)))
