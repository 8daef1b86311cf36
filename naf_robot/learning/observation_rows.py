"""Which row of the observation table belongs to which transition: rows are shared, counted and used again."""

import numpy as np
from numpy.typing import NDArray

MAX_TAILS = 64  # sources whose newest observation is remembered


class ObservationRows:
    """Allocates rows for a ring of `capacity` transitions between observations.

    A row is in use as long as a transition refers to it. The newest observation of a source may be the first of what
    comes next from it: its row is remembered while it is in use.
    """

    def __init__(self, capacity: int) -> None:
        self.size = 2 * capacity  # enough even if no two transitions share an observation
        self.used = 0
        self._pairs = np.zeros((capacity, 2), np.int32)  # by slot, one more than the row; 0: none
        self._count = np.zeros(self.size, np.int32)  # of references; untouched memory costs nothing
        self._spare: list[int] = []  # rows that were in use
        self._top = 0  # rows that ever were
        self._tails: dict[str, int] = {}

    @property
    def bytes_per_transition(self) -> float:
        """Of the bookkeeping here."""
        return self._pairs.itemsize * 2 + self._count.itemsize * self.used / max(1, len(self._pairs))

    def release(self, slots: NDArray[np.int64]) -> NDArray[np.int64]:
        """Forget the transitions of `slots`; the rows that are free by that."""
        pairs = self._pairs[slots].ravel()
        rows: NDArray[np.int64] = pairs[pairs > 0].astype(np.int64) - 1
        if not len(rows):
            return rows
        self._pairs[slots] = 0
        np.subtract.at(self._count, rows, 1)
        free = np.sort(rows[self._count[rows] == 0])
        free = free[np.append(True, free[1:] != free[:-1])[: len(free)]]  # each once
        freed = free.tolist()
        self._spare.extend(freed)
        if not set(freed).isdisjoint(self._tails.values()):
            self._tails = {source: row for source, row in self._tails.items() if self._count[row] > 0}
        self.used -= len(free)
        return free

    def refer(
        self,
        slots: NDArray[np.int64],
        origin: NDArray[np.int64],
        successor: NDArray[np.int64],
        count: int,
        continues: bool,
        source: str,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Rows for transitions of `slots` between `count` observations, given by their indices.

        Returns:
            The row of each observation, -1 where no transition refers to it, shape (count,); the rows of each slot's
            observation and of its successor, shape (N, 2); and the indices of those that are new and have to be
            written.
        """
        rows = np.full(count, -1, np.int64)
        needed = np.zeros(count, np.bool_)
        needed[origin] = True
        needed[successor] = True
        tail = self._tails.pop(source, None)
        if continues and tail is not None:
            rows[0], needed[0] = tail, False
        fresh = np.flatnonzero(needed)
        rows[fresh] = self._allocate(len(fresh))
        pairs = np.empty((len(origin), 2), np.int64)
        pairs[:, 0], pairs[:, 1] = rows[origin], rows[successor]
        np.add.at(self._count, pairs.ravel(), 1)
        self._pairs[slots] = pairs + 1
        if len(successor) and successor[-1] == count - 1:
            self._tails[source] = int(rows[-1])
            if len(self._tails) > MAX_TAILS:
                del self._tails[next(iter(self._tails))]
        return rows, pairs, fresh

    def _allocate(self, count: int) -> NDArray[np.int64]:
        """Rows that are free, neighbours where possible: they are read together."""
        kept = max(0, len(self._spare) - count)
        again = self._spare[kept:]
        del self._spare[kept:]
        new = count - len(again)
        self._top += new
        self.used += count
        fresh = np.arange(self._top - new, self._top)
        return np.append(np.array(again, np.int64), fresh) if again else fresh
