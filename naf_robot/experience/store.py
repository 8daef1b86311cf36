"""The trainer's durable side: every batch once, in order of arrival, whoever sends it how often."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from naf_robot.core.errors import StoreError
from naf_robot.experience.codec import Contract, ExperienceMessage, decode_experience
from naf_robot.experience.database import open_database
from naf_robot.experience.envelope import MAX_BYTES

TABLES = """
CREATE TABLE batches (
    arrival INTEGER PRIMARY KEY AUTOINCREMENT,
    collector TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    first_transition INTEGER NOT NULL,
    count INTEGER NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (collector, sequence)
)
"""


class ExperienceStore:
    """All experience of a run, keyed by collector and sequence number.

    Raises:
        StoreError: the file is of another task, observation spec or schema.
    """

    def __init__(self, path: Path, contract: Contract) -> None:
        self._contract = contract
        identity = {"task": contract.task, "observation_spec": contract.observation_spec}
        self._database = open_database(path, "store", identity, TABLES)

    def insert(self, message: ExperienceMessage, payload: bytes) -> bool:
        """Store a batch durably; False if it is held already (a resend).

        Raises:
            StoreError: the disk refused; the batch must not be acknowledged.
        """
        row = (message.collector, message.sequence, message.first_transition, len(message.batch), payload)
        try:
            cursor = self._database.execute(
                "INSERT OR IGNORE INTO batches (collector, sequence, first_transition, count, payload) "
                "VALUES (?, ?, ?, ?, ?)",
                row,
            )
        except sqlite3.Error as error:
            raise StoreError(f"experience store cannot take batch {message.sequence}: {error}") from None
        return cursor.rowcount == 1

    def batches(self) -> Iterator[ExperienceMessage]:
        """Every batch in order of arrival; for rebuilding the replay buffer."""
        for (payload,) in self._database.execute("SELECT payload FROM batches ORDER BY arrival"):
            yield decode_experience(payload, self._contract, MAX_BYTES)

    def transitions(self) -> int:
        """Transitions held."""
        return self._database.execute("SELECT COALESCE(SUM(count), 0) FROM batches").fetchone()[0]

    def missing(self) -> int:
        """Transitions that collectors have numbered below ones that are held, but that are not held."""
        rows = self._database.execute(
            "SELECT SUM(count), MAX(first_transition + count) FROM batches GROUP BY collector"
        )
        return sum(highest - held for held, highest in rows)

    def close(self) -> None:
        """Close the database."""
        self._database.close()
