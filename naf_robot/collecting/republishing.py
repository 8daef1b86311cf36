"""Stored experience of one folder on its way into another run: outboxes that are filled from the store.

Every collector of the folder becomes one of the other run, under a name of its own, with an outbox beside the store. So
what was sent is known when the same folder is published again, and a batch is sent until it is acknowledged.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from naf_robot.collecting.upload import Uploader
from naf_robot.core.clock import Clock
from naf_robot.core.errors import StoreError
from naf_robot.core.records import StepBatch
from naf_robot.experience.contract import Contract
from naf_robot.experience.outbox import Outbox
from naf_robot.experience.reader import StoreReader
from naf_robot.experience.store import Held

WAITING = 16  # batches of a collector in its outbox at most
RESEND_S, MAX_RESEND_S = 1.0, 10.0
NO_BOUND = 1 << 62  # of an outbox: `WAITING` bounds it


@dataclass
class Lane:
    """One collector of the folder."""

    name: str  # in the other run
    outbox: Outbox
    uploader: Uploader
    seen: int = 0  # of its batches in the store
    waiting: int = 0  # of them that are not acknowledged
    held: list[Held] = field(default_factory=list)  # read, and not in the outbox yet


class Republication:
    """Sends what `reader` holds to the run of `contract`, whose task and observation spec are the folder's.

    Args:
        reader: Of the folder's store.
        folder: Where the outboxes are; it exists.
        contract: Of the run that is published to.
        prefix: Of the collectors' names there.
        clock: Of the resends.
    """

    def __init__(self, reader: StoreReader, folder: Path, contract: Contract, prefix: str, clock: Clock) -> None:
        self._folder, self._contract, self._prefix, self._clock = folder, contract, prefix, clock
        self._batches: Iterator[Held] = reader.after()
        self._next: Held | None = next(self._batches, None)
        self.lanes: dict[str, Lane] = {}
        self.batches = self.transitions = 0  # that the folder has
        self.compacted = 0  # batches whose steps are no longer held

    @property
    def done(self) -> bool:
        """Whether everything is acknowledged."""
        return self._next is None and not any(lane.waiting for lane in self.lanes.values())

    @property
    def waiting(self) -> int:
        """Batches that are not acknowledged, apart from those that were not read yet."""
        return sum(lane.waiting for lane in self.lanes.values())

    @property
    def resent(self) -> int:
        """Batches that were sent again."""
        return sum(lane.uploader.resent for lane in self.lanes.values())

    def due(self) -> list[bytes]:
        """Messages to send now.

        Raises:
            StoreError: the folder cannot be read, or an outbox not written.
        """
        self._fill()
        payloads: list[bytes] = []
        for lane in self.lanes.values():
            payloads += lane.uploader.due()
            if lane.uploader.trouble:
                raise StoreError(lane.uploader.trouble)
        return payloads

    def acknowledge(self, name: str, sequences: tuple[int, ...]) -> None:
        """The other run holds these batches of the collector `name`."""
        for lane in self.lanes.values():
            if lane.name == name:
                lane.uploader.acknowledge(sequences)
                lane.waiting = len(lane.outbox.waiting())

    def close(self) -> None:
        """Close the outboxes; what waits stays in them."""
        for lane in self.lanes.values():
            lane.outbox.close()

    def _fill(self) -> None:
        """Take batches in their order until one is of a collector whose outbox has enough."""
        while self._next is not None:
            held = self._next
            lane = self.lanes.get(held.collector) or self._begin(held.collector)
            if lane.waiting >= WAITING:
                return
            self.batches, self.transitions = self.batches + 1, self.transitions + held.transitions
            if held.message is None:
                self.compacted += 1
            else:
                if lane.seen >= lane.outbox.next_sequence:
                    lane.uploader.add(for_another_run(held.message.batch))
                    lane.waiting += 1
                lane.seen += 1
            self._next = next(self._batches, None)

    def _begin(self, collector: str) -> Lane:
        name = name_of(self._prefix, collector)
        path = self._folder / f"{name}.{self._contract.run_id}.sqlite"
        outbox = Outbox(path, name, self._contract, NO_BOUND)
        uploader = Uploader(outbox, self._clock, RESEND_S, MAX_RESEND_S)
        self.lanes[collector] = Lane(name, outbox, uploader, waiting=len(outbox.waiting()))
        return self.lanes[collector]


def for_another_run(batch: StepBatch) -> StepBatch:
    """`batch` as steps of a run whose policies did not make them: they do not count for its evaluation."""
    return replace(batch, greedy=np.zeros_like(batch.greedy), policy_version=np.zeros_like(batch.policy_version))


def name_of(prefix: str, collector: str) -> str:
    """The name of a collector of the folder in the other run, one that a robot may have."""
    return re.sub(r"_+", "_", re.sub(r"[^a-z0-9]", "_", f"{prefix}_{collector}".lower())).strip("_")
