"""The trainer's durable side: every batch once, in order of arrival, whoever sends it how often."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from naf_robot.core.errors import CodecError, ConflictError, StoreError
from naf_robot.core.files import ExclusiveLock
from naf_robot.experience.codec import Contract, ExperienceMessage, decode_experience
from naf_robot.experience.database import open_database
from naf_robot.experience.envelope import MAX_BYTES, same_content

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

Received = tuple[ExperienceMessage, bytes]  # a decoded message and its bytes


class ExperienceStore:
    """All experience of a run, keyed by collector and sequence number, for one living process.

    Threads may take turns with it.

    Raises:
        LockedError: another living trainer works on it.
        StoreError: the file is of another task, observation spec or schema, or damaged.
    """

    def __init__(self, path: Path, contract: Contract, max_bytes: int = 1 << 62) -> None:
        self._contract = contract
        self._max_bytes = max_bytes
        self._lock = ExclusiveLock(path.with_suffix(".lock"), f"the experience store {str(path)!r}")
        identity = {"task": contract.task, "observation_spec": contract.observation_spec}
        try:
            self._database = open_database(path, "store", identity, TABLES)
        except StoreError:
            self._lock.release()
            raise
        (self._page_bytes,) = self._database.execute("PRAGMA page_size").fetchone()

    def insert(self, message: ExperienceMessage, payload: bytes) -> bool:
        """Store a batch durably; False if it is held already (a resend).

        Raises:
            ConflictError: the key is held with another content; nothing must be acknowledged.
            StoreError: the disk refused, or the bound is reached; the batch must not be acknowledged.
        """
        (outcome,) = self.insert_group([(message, payload)])
        if isinstance(outcome, StoreError):
            raise outcome
        return outcome

    def insert_group(self, group: Sequence[Received]) -> list[bool | StoreError]:
        """Store batches durably in one transaction, which costs the disk no more than a single one.

        Returns:
            For each batch what `insert` would return or raise. A disk that refuses concerns the whole group.
        """
        outcomes: list[bool | StoreError] = []
        try:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                for message, payload in group:
                    try:
                        outcomes.append(self._insert(message, payload))
                    except StoreError as refusal:
                        outcomes.append(refusal)
        except sqlite3.Error as error:
            numbers = ", ".join(str(message.sequence) for message, _ in group[:5])
            return [StoreError(f"experience store cannot take batch {numbers}: {error}")] * len(group)
        return outcomes

    def _insert(self, message: ExperienceMessage, payload: bytes) -> bool:
        key = (message.collector, message.sequence)
        held = self._database.execute("SELECT payload FROM batches WHERE (collector, sequence) = (?, ?)", key)
        if (found := held.fetchone()) is not None:
            self._check_resend(message, same_content(found[0], payload))
            return False
        self._check_place(message)
        self._database.execute(
            "INSERT INTO batches (collector, sequence, first_transition, count, payload) VALUES (?, ?, ?, ?, ?)",
            (*key, message.first_transition, len(message.batch), payload),
        )
        return True

    def batches(self) -> Iterator[ExperienceMessage]:
        """Every batch in order of arrival; for rebuilding the replay buffer.

        Raises:
            StoreError: a batch that is damaged.
        """
        for collector, sequence, payload in self._database.execute(
            "SELECT collector, sequence, payload FROM batches ORDER BY arrival"
        ):
            try:
                yield decode_experience(payload, self._contract, MAX_BYTES)
            except CodecError as error:
                raise StoreError(f"batch {sequence} of {collector!r} in the store is damaged: {error}") from None

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
        self._lock.release()

    def _check_resend(self, message: ExperienceMessage, same: bool) -> None:
        if not same:
            raise ConflictError(
                f"batch {message.sequence} of collector {message.collector!r} is held with another content: two "
                "collectors have this name, or one has lost its outbox; give it a name of its own"
            )

    def _check_place(self, message: ExperienceMessage) -> None:
        """The transitions of a new batch must not be numbered like those of its neighbours."""
        first, end = message.first_transition, message.first_transition + len(message.batch)
        before, after = (
            self._database.execute(
                "SELECT first_transition, count FROM batches WHERE collector = ? AND sequence "
                f"{compare} ? ORDER BY sequence {order} LIMIT 1",
                (message.collector, message.sequence),
            ).fetchone()
            for compare, order in (("<", "DESC"), (">", "ASC"))
        )
        if (before and sum(before) > first) or (after and after[0] < end):
            raise ConflictError(
                f"batch {message.sequence} of collector {message.collector!r} numbers its transitions {first} to "
                f"{end - 1}, which other batches of that name hold already"
            )
        (pages,) = self._database.execute("PRAGMA page_count").fetchone()
        if pages * self._page_bytes >= self._max_bytes:
            raise StoreError(f"experience store is full ({self._max_bytes} bytes); no more can be taken")
