"""The versions of a run's policy: numbers only increase, and a version's arrays never change."""

from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.records import PolicyParameters
from naf_robot.core.reserved_counter import ReservedCounter
from naf_robot.experience.codec import Contract

RECENT = 64  # versions kept in memory, for the gate: an episode ends some versions after its own came out
ASKED_FOR = 64  # versions kept beyond that on request: candidates under evaluation, one per robot


class Publication:
    """Hands out the learner's parameters as versions; numbers go on above those of any process before.

    Raises:
        StoreError: the file at `counter` holds no number.
    """

    def __init__(self, counter: Path, contract: Contract, period_updates: int) -> None:
        self._numbers = ReservedCounter(counter)
        self._contract = contract
        self._period_updates = period_updates
        self._recent: OrderedDict[int, PolicyParameters] = OrderedDict()
        self._asked_for: OrderedDict[int, PolicyParameters] = OrderedDict()
        self.newest: PolicyParameters | None = None

    @property
    def version(self) -> int:
        """Number of the newest version, 0 before the first."""
        return self.newest.version if self.newest else 0

    def is_due(self, updates: int) -> bool:
        """Whether a new version should come out: at the start, then every so many updates."""
        return self.newest is None or updates - self.newest.updates >= self._period_updates

    def new(self, arrays: dict[str, NDArray[np.float32]], updates: int, transitions: int) -> PolicyParameters:
        """`arrays` under a number higher than any before in this run.

        Raises:
            OSError: the number cannot be made durable.
        """
        parameters = PolicyParameters(
            arrays=arrays,
            version=self._numbers.next(),
            task=self._contract.task,
            observation_spec=self._contract.observation_spec,
            updates=updates,
            transitions=transitions,
        )
        self.newest = self._recent[parameters.version] = parameters
        while len(self._recent) > RECENT:
            self._recent.popitem(last=False)
        return parameters

    def again(self, updates: int, transitions: int) -> PolicyParameters | None:
        """The newest version with how far the trainer is by now, None before the first."""
        return replace(self.newest, updates=updates, transitions=transitions) if self.newest else None

    def recent(self, version: int) -> PolicyParameters | None:
        """A version by its number, if it is new or was requested recently; it is kept for the next request."""
        found = self._recent.get(version) or self._asked_for.get(version)
        if found is not None:
            self._asked_for[version] = found
            self._asked_for.move_to_end(version)
            while len(self._asked_for) > ASKED_FOR:
                self._asked_for.popitem(last=False)
        return found
