"""The collector's durable side: batches are kept here until the trainer acknowledges them.

The steps of the running episode are journalled one by one, so that no complete step is lost when the
process is killed. A batch takes their place in the same transaction that stores it.
"""

import sqlite3
from pathlib import Path
from typing import Any

from naf_robot.core.errors import CodecError, StoreError
from naf_robot.core.files import ExclusiveLock
from naf_robot.core.records import StepBatch
from naf_robot.experience.background_sync import BackgroundSync
from naf_robot.experience.codec import ExperienceMessage, encode_experience
from naf_robot.experience.contract import Contract
from naf_robot.experience.database import open_database
from naf_robot.experience.journal import JournalRow, recovered

TABLES = """
CREATE TABLE batches (
    sequence INTEGER PRIMARY KEY, steps INTEGER NOT NULL, transitions INTEGER NOT NULL, payload BLOB NOT NULL
);
CREATE TABLE journal (number INTEGER PRIMARY KEY AUTOINCREMENT, observation BLOB NOT NULL, outcome BLOB);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT INTO counters VALUES ('sequence', 0), ('step', 0), ('transition', 0), ('episode', 0), ('begun', 0)
"""


class Outbox:
    """Numbered batches of one collector, on disk before they are sent, gone when acknowledged.

    A replacement that opens the same file continues the name's numbers, and makes a batch of what its predecessor
    left in the journal. Only one process at a time may open it. With `background` nothing waits for the disk: what is
    committed survives the end of the process, and `durable` says what would survive the loss of power as well.

    Raises:
        LockedError: another running collector has this name.
        StoreError: the file belongs to another collector, run, task or observation spec, or is damaged.
    """

    def __init__(
        self, path: Path, collector: str, contract: Contract, max_bytes: int, background: bool = False
    ) -> None:
        self.collector = collector
        self.contract = contract
        self._max_bytes = max_bytes
        self._sync: BackgroundSync | None = None
        self._lock = ExclusiveLock(path.with_suffix(".lock"), f"the outbox of collector {collector!r}")
        try:
            self._database = open_database(path, "outbox", identity_of(collector, contract), TABLES)
            (self._bytes,) = self._one("SELECT COALESCE(SUM(LENGTH(payload)), 0) FROM batches")
            self.recovered = self._recover()
        except StoreError:
            self._lock.release()
            raise
        if background:
            self._first_unsynced = self._counter("sequence")
            self._database.execute("PRAGMA wal_autocheckpoint=0")
            self._sync = BackgroundSync(path)

    def durable(self, sequence: int) -> bool:
        """Whether a batch that was stored is on the disk: before that it must not be sent.

        Raises:
            StoreError: the disk refused; it is tried again.
        """
        if self._sync is None or sequence < self._first_unsynced or sequence <= self._sync.durable:
            return True
        if self._sync.trouble is not None:
            self._sync.request(self._counter("sequence") - 1)
            raise StoreError(f"outbox of {self.collector!r} cannot be brought to the disk: {self._sync.trouble}")
        return False

    def journal(self, row: JournalRow) -> None:
        """Record the outcome of a control tick of the running episode; the batch that contains it removes it.

        It survives the end of the process; only `append` is also safe from the loss of power.

        Raises:
            StoreError: the disk refused.
        """
        try:
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.execute("INSERT INTO journal (observation, outcome) VALUES (?, ?)", row)
        except sqlite3.Error as error:
            raise StoreError(f"outbox of {self.collector!r} cannot store a step: {error}") from None

    def append(self, batch: StepBatch, following: JournalRow | None = None) -> int:
        """Store `batch` in place of the journal, and return its sequence number; durably, or in the background.

        `following` is the observation after the batch, when the episode goes on. A full outbox takes it too: what was
        recorded is kept; `is_full` keeps the next episode from being begun.

        Raises:
            StoreError: the disk refused; nothing was stored, the journal stays.
        """
        sequence, first, transitions = self._counter("sequence"), self._counter("step"), batch.transitions
        message = ExperienceMessage(self.collector, sequence, first, batch)
        payload = encode_experience(message, self.contract)
        closed = bool(batch.closing[-1])
        try:
            self._database.execute(f"PRAGMA synchronous={'FULL' if self._sync is None else 'NORMAL'}")
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                row = (sequence, len(batch), transitions, payload)
                self._database.execute("INSERT INTO batches VALUES (?, ?, ?, ?)", row)
                self._database.execute("DELETE FROM journal")
                if following is not None:
                    self._database.execute("INSERT INTO journal (observation, outcome) VALUES (?, ?)", following)
                self._set("sequence", sequence + 1)
                self._set("step", first + len(batch))
                self._set("transition", self._counter("transition") + transitions)
                self._set("episode", int(batch.episode[-1]) + 1)
                self._set("begun", int(not closed))
        except sqlite3.Error as error:
            raise StoreError(f"outbox of {self.collector!r} cannot store a batch: {error}") from None
        self._bytes += len(payload)
        if self._sync is not None:
            self._sync.request(sequence)
        return sequence

    def is_full(self) -> bool:
        """Whether the unacknowledged bytes have reached the bound."""
        return self._bytes >= self._max_bytes

    def payload(self, sequence: int) -> bytes | None:
        """The bytes of one waiting batch, None when it is acknowledged already."""
        row = self._database.execute("SELECT payload FROM batches WHERE sequence = ?", (sequence,)).fetchone()
        return None if row is None else row[0]

    def waiting(self) -> list[int]:
        """Sequence numbers not yet acknowledged, oldest first."""
        return [row[0] for row in self._database.execute("SELECT sequence FROM batches ORDER BY sequence")]

    def waiting_transitions(self) -> int:
        """Transitions not yet acknowledged, the complete steps of the journal included."""
        (batched,) = self._one("SELECT COALESCE(SUM(transitions), 0) FROM batches")
        (journalled,) = self._one("SELECT COUNT(outcome) FROM journal")
        return batched + journalled

    def acknowledge(self, sequences: tuple[int, ...]) -> None:
        """Forget batches that the trainer holds; numbers that do not wait are passed over.

        A loss of power may undo it: the batches are then sent again, and acknowledged again. So the
        control loop, which this runs in, need not wait for the disk.

        Raises:
            StoreError: the disk refused; they stay, and are sent again.
        """
        try:
            self._database.execute("PRAGMA synchronous=NORMAL")
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                for sequence in sequences:
                    row = self._one("SELECT LENGTH(payload) FROM batches WHERE sequence = ?", sequence)
                    if row is not None:
                        self._database.execute("DELETE FROM batches WHERE sequence = ?", (sequence,))
                        self._bytes -= row[0]
        except (sqlite3.Error, OverflowError) as error:
            raise StoreError(f"outbox of {self.collector!r} cannot forget {sequences}: {error}") from None

    @property
    def run_id(self) -> str:
        """The run that its batches are of."""
        return self.contract.run_id

    @property
    def transitions(self) -> int:
        """Transitions ever stored under this name in batches."""
        return self._counter("transition")

    @property
    def next_sequence(self) -> int:
        """Number of the next batch under this name: so many were ever stored."""
        return self._counter("sequence")

    @property
    def next_episode(self) -> int:
        """Number of the next episode under this name."""
        return self._counter("episode")

    def close(self) -> None:
        """Close the database; what waits stays on disk."""
        if self._sync is not None:
            self._sync.close()
        self._database.close()
        self._lock.release()

    def _recover(self) -> int:
        """Make a batch of a predecessor's journal, its last observation closing; returns the number of complete steps.

        An episode whose steps are all in batches, without a journal, is left open: nothing says how it ended.
        """
        rows = self._database.execute("SELECT observation, outcome FROM journal ORDER BY number").fetchall()
        try:
            batch = recovered(rows, self.contract.steps, bool(self._counter("begun")))
        except CodecError as error:
            raise StoreError(f"the journal of collector {self.collector!r} is damaged: {error}") from None
        if batch is None:
            self._database.execute("DELETE FROM journal")
            return 0
        self.append(batch)
        return batch.transitions

    def _one(self, query: str, *values: object) -> Any:
        return self._database.execute(query, values).fetchone()

    def _counter(self, name: str) -> int:
        return self._database.execute("SELECT value FROM counters WHERE name = ?", (name,)).fetchone()[0]

    def _set(self, name: str, value: int) -> None:
        self._database.execute("UPDATE counters SET value = ? WHERE name = ?", (value, name))


def identity_of(collector: str, contract: Contract) -> dict[str, str]:
    """The identity that an outbox records in its file."""
    words = {"task": contract.task, "observation_spec": contract.observation_spec, "run": contract.run_id}
    return {"collector": collector} | words
