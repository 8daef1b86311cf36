"""Which slots of a replay ring hold transitions of episodes that ended in success."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from naf_robot.core.transitions import Transitions

REMEMBERED = 4  # newest episodes of a source whose batches may still come, in any order


@dataclass
class Trace:
    """An episode as far as it has come: the numbers of its transitions, until it is known how it ended."""

    numbers: list[NDArray[np.int64]] = field(default_factory=list)
    success: bool | None = None


class Successes:
    """Follows the episodes of every source through a ring of `capacity` slots.

    A transition's number counts all that were ever added; it lies in the slot of this modulo the capacity.
    """

    def __init__(self, capacity: int, device: torch.device) -> None:
        self._capacity = capacity
        self._device = device
        self._flags = np.zeros(capacity, np.bool_)  # by slot; untouched memory costs nothing
        self._traces: defaultdict[str, dict[int, Trace]] = defaultdict(dict)
        self._added = 0
        self._oldest = 0  # number of the oldest transition not given up
        self._slots: Tensor | None = None

    def note(self, batch: Transitions, first: int, source: str) -> None:
        """`batch` of `source` was written; its oldest transition has the number `first`."""
        numbers = np.arange(first, first + len(batch))
        self._added = first + len(batch)
        kept = self._held(numbers)
        if self._flags[kept % self._capacity].any():
            self._slots = None
        self._flags[kept % self._capacity] = False
        borders = np.flatnonzero(np.diff(batch.episode)) + 1
        for rows in np.split(np.arange(len(batch)), borders):
            if len(rows):
                self._follow(batch, rows, numbers[rows], source)

    def give_up(self, number: int) -> None:
        """Transition `number`, the oldest one held, was given up."""
        self._oldest = number + 1
        if self._flags[number % self._capacity]:
            self._flags[number % self._capacity] = False
            self._slots = None

    def slots(self) -> Tensor:
        """Slots of transitions of successful episodes, shape `(S,)`, int64, ascending, on the device."""
        if self._slots is None:
            self._slots = torch.from_numpy(np.flatnonzero(self._flags)).to(self._device)
        return self._slots

    def _follow(self, batch: Transitions, rows: NDArray[np.int64], numbers: NDArray[np.int64], source: str) -> None:
        traces = self._traces[source]
        trace = traces.setdefault(int(batch.episode[rows[0]]), Trace())
        while len(traces) > REMEMBERED:
            del traces[min(traces)]
        trace.numbers.append(numbers)
        ended = rows[batch.terminated[rows] | batch.truncated[rows]]
        if len(ended):
            trace.success = bool(batch.success[ended[-1]])
        if trace.success:
            self._flags[self._held(np.concatenate(trace.numbers)) % self._capacity] = True
            self._slots = None
        if trace.success is not None:
            trace.numbers.clear()

    def _held(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Those that have neither been overwritten nor given up."""
        return numbers[numbers >= max(self._added - self._capacity, self._oldest)]
