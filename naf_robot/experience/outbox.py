"""The collector's durable side: batches wait here until the trainer says it holds them."""

import sqlite3
from pathlib import Path

from naf_robot.core.errors import StoreError
from naf_robot.core.records import TransitionBatch
from naf_robot.experience.codec import Contract, ExperienceMessage, encode_experience
from naf_robot.experience.database import open_database

TABLES = """
CREATE TABLE batches (sequence INTEGER PRIMARY KEY, count INTEGER NOT NULL, payload BLOB NOT NULL);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT INTO counters VALUES ('sequence', 0), ('transition', 0), ('episode', 0)
"""


class Outbox:
    """Numbered batches of one collector, on disk before they are sent, gone when acknowledged.

    A replacement that opens the same file takes up the name's numbers where they stopped.

    Raises:
        StoreError: the file belongs to another collector, task or observation spec.
    """

    def __init__(self, path: Path, collector: str, contract: Contract, max_bytes: int) -> None:
        self.collector = collector
        self._contract = contract
        self._max_bytes = max_bytes
        identity = {"collector": collector, "task": contract.task, "observation_spec": contract.observation_spec}
        self._database = open_database(path, "outbox", identity, TABLES)

    def append(self, batch: TransitionBatch) -> int:
        """Store `batch` durably and return its sequence number.

        Raises:
            StoreError: the disk refused, or the outbox is full; nothing was stored.
        """
        if self.is_full():
            raise StoreError(f"outbox of {self.collector!r} is full ({self._max_bytes} bytes unacknowledged)")
        sequence, transition = self._counter("sequence"), self._counter("transition")
        message = ExperienceMessage(self.collector, sequence, transition, batch)
        payload = encode_experience(message, self._contract)
        try:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                self._database.execute("INSERT INTO batches VALUES (?, ?, ?)", (sequence, len(batch), payload))
                self._set("sequence", sequence + 1)
                self._set("transition", transition + len(batch))
                self._set("episode", int(batch.episode[-1]) + 1)
        except sqlite3.Error as error:
            raise StoreError(f"outbox of {self.collector!r} cannot store a batch: {error}") from None
        return sequence

    def is_full(self) -> bool:
        """Whether the unacknowledged bytes have reached the bound."""
        (size,) = self._database.execute("SELECT COALESCE(SUM(LENGTH(payload)), 0) FROM batches").fetchone()
        return size >= self._max_bytes

    def payload(self, sequence: int) -> bytes | None:
        """The bytes of one waiting batch, None when it is acknowledged already."""
        row = self._database.execute("SELECT payload FROM batches WHERE sequence = ?", (sequence,)).fetchone()
        return None if row is None else row[0]

    def waiting(self) -> list[int]:
        """Sequence numbers not yet acknowledged, oldest first."""
        return [row[0] for row in self._database.execute("SELECT sequence FROM batches ORDER BY sequence")]

    def waiting_transitions(self) -> int:
        """Transitions not yet acknowledged."""
        return self._database.execute("SELECT COALESCE(SUM(count), 0) FROM batches").fetchone()[0]

    def acknowledge(self, sequences: tuple[int, ...]) -> None:
        """Forget batches that the trainer holds."""
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("DELETE FROM batches WHERE sequence = ?", [(n,) for n in sequences])

    @property
    def transitions(self) -> int:
        """Transitions ever stored under this name."""
        return self._counter("transition")

    @property
    def next_episode(self) -> int:
        """Number of the next episode under this name."""
        return self._counter("episode")

    def close(self) -> None:
        """Close the database; what waits stays on disk."""
        self._database.close()

    def _counter(self, name: str) -> int:
        return self._database.execute("SELECT value FROM counters WHERE name = ?", (name,)).fetchone()[0]

    def _set(self, name: str, value: int) -> None:
        self._database.execute("UPDATE counters SET value = ? WHERE name = ?", (value, name))
