"""The order of a robot's batches: that of their numbers, in whatever order they come."""

from collections import OrderedDict
from typing import NamedTuple

from naf_robot.core.records import StepBatch
from naf_robot.experience.compacted import EpisodePart
from naf_robot.experience.store import Held

MAX_WAITING = 64  # batches of one robot that wait for one before them,
MAX_WAITING_BYTES = 64 * 1024 * 1024  # and the bytes of their steps


class Next(NamedTuple):
    """The next batch in order."""

    collector: str
    parts: list[EpisodePart]
    batch: StepBatch | None  # None: its steps were evicted
    transitions: int  # that end in it
    before: StepBatch | None  # the batch whose last step a transition leads from into this one
    continues: bool  # whether such a transition exists, held or evicted


class _Waiting(NamedTuple):
    held: Held
    bytes: int


class _Line:
    """The batches of one robot."""

    def __init__(self) -> None:
        self.next = 0  # number of the batch whose turn it is
        self.waiting: OrderedDict[int, _Waiting] = OrderedDict()
        self.last: EpisodePart | None = None  # of the batch before, unless it is missing
        self.steps: StepBatch | None = None  # of the batch before


class Sequencer:
    """Gives out the batches of every robot in the order of their numbers, each once, with what links it to the last.

    What comes early waits. If a batch never comes (a lost outbox), those after it wait until they are many or
    large; then it is passed over: the episode ends there for learning, and should the batch come after all, it
    counts by itself.
    """

    def __init__(self, max_waiting: int = MAX_WAITING, max_bytes: int = MAX_WAITING_BYTES) -> None:
        self._max_waiting, self._max_bytes = max_waiting, max_bytes
        self._lines: dict[str, _Line] = {}

    @property
    def waiting(self) -> int:
        """Batches that wait for others."""
        return sum(len(line.waiting) for line in self._lines.values())

    def add(self, held: Held) -> list[Next]:
        """Take one batch; those whose turn it is by now."""
        line = self._lines.setdefault(held.collector, _Line())
        if held.sequence < line.next:
            return [_alone(held)]
        if held.sequence == line.next and not line.waiting:
            line.next += 1
            return [self._linked(line, held)]
        line.waiting[held.sequence] = _Waiting(held, held.message.batch.bytes if held.message else 0)
        ready = self._ready(line)
        while self._is_over(line):
            ready += self._pass_over(line)
        return ready

    def rest(self) -> list[Next]:
        """Everything that still waits, in order, at the end."""
        ready: list[Next] = []
        for line in self._lines.values():
            while line.waiting:
                ready += self._pass_over(line)
        return ready

    def _is_over(self, line: _Line) -> bool:
        return len(line.waiting) > self._max_waiting or (
            sum(entry.bytes for entry in line.waiting.values()) > self._max_bytes
        )

    def _pass_over(self, line: _Line) -> list[Next]:
        line.next, line.last, line.steps = min(line.waiting), None, None
        return self._ready(line)

    def _ready(self, line: _Line) -> list[Next]:
        ready = []
        while (entry := line.waiting.pop(line.next, None)) is not None:
            ready.append(self._linked(line, entry.held))
            line.next += 1
        return ready

    @staticmethod
    def _linked(line: _Line, held: Held) -> Next:
        continues = line.last is not None and line.last.is_followed_by(held.parts[0])
        before = line.steps if continues else None
        batch = held.message.batch if held.message is not None else None
        line.last, line.steps = held.parts[-1], batch
        return Next(held.collector, held.parts, batch, _inside(held) + continues, before, continues)


def _alone(held: Held) -> Next:
    batch = held.message.batch if held.message is not None else None
    return Next(held.collector, held.parts, batch, _inside(held), None, False)


def _inside(held: Held) -> int:
    """Transitions whose steps are both in the batch."""
    return held.transitions - (held.parts[-1].open_step >= 0)
