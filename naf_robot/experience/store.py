"""The trainer's durable side: every batch once, in order of arrival, however often it is sent."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from naf_robot.core.errors import CodecError, ConflictError, StoreError
from naf_robot.core.files import ExclusiveLock
from naf_robot.experience.codec import ExperienceMessage, decode_experience
from naf_robot.experience.compacted import MARK, EpisodePart, compact, is_compacted, parts_of, read_compacted
from naf_robot.experience.contract import Contract
from naf_robot.experience.database import open_database
from naf_robot.experience.envelope import MAX_BYTES, checksum_of, same_content

TABLES = """
CREATE TABLE batches (
    arrival INTEGER PRIMARY KEY AUTOINCREMENT,
    collector TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    first_step INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    transitions INTEGER NOT NULL,
    payload BLOB NOT NULL,
    UNIQUE (collector, sequence)
)
"""

Received = tuple[ExperienceMessage, bytes]  # a decoded message and its bytes
COMPACT_FROM = 0.95  # of the bound
ROLE = "store"
ROWS = "SELECT arrival, collector, sequence, steps, transitions, payload FROM batches"
WHOLE = f"substr(payload, 1, {len(MARK)}) != x'{MARK.hex()}'"


class Held(NamedTuple):
    """One batch of the store; of a compacted one the message is gone."""

    arrival: int
    collector: str
    sequence: int
    steps: int
    transitions: int  # that begin in it
    parts: list[EpisodePart]
    message: ExperienceMessage | None


class ExperienceStore:
    """All experience of a run, keyed by collector and sequence number, for one process.

    Threads may take turns with it, and other processes may read it (`experience.reader`). When it comes near
    `max_bytes` and `keep` is given, the oldest batches are compacted: their steps are evicted, never those of the
    newest `keep` transitions; which batches there were, and what their episodes came to, is kept. Without `keep` a
    full store takes nothing more.

    Raises:
        LockedError: another running trainer works on it.
        StoreError: the file is of another task, observation spec or schema, or damaged.
    """

    def __init__(self, path: Path, contract: Contract, max_bytes: int = 1 << 62, keep: int | None = None) -> None:
        self._contract = contract
        self._max_bytes, self._keep = max_bytes, keep
        self._lock = ExclusiveLock(path.with_suffix(".lock"), f"the experience store {str(path)!r}")
        try:
            self._database = open_database(path, ROLE, identity_of(contract), TABLES)
        except StoreError:
            self._lock.release()
            raise
        (self._page_bytes,) = self._database.execute("PRAGMA page_size").fetchone()
        first = self._database.execute(f"SELECT arrival FROM batches WHERE {WHOLE} ORDER BY arrival LIMIT 1").fetchone()
        self._first_whole = first[0] if first else 0  # compacted ones are the oldest
        self.whole_transitions = self._database.execute(
            "SELECT COALESCE(SUM(transitions), 0) FROM batches WHERE arrival >= ?", (self._first_whole,)
        ).fetchone()[0]

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
                first_whole, whole = self._make_room(4 * len(group))
                for message, payload in group:
                    try:
                        fresh = self._insert(message, payload)
                        outcomes.append(fresh)
                        whole += message.batch.transitions if fresh else 0
                    except StoreError as refusal:
                        outcomes.append(refusal)
        except sqlite3.Error as error:
            numbers = ", ".join(str(message.sequence) for message, _ in group[:5])
            return [StoreError(f"experience store cannot take batch {numbers}: {error}")] * len(group)
        self._first_whole, self.whole_transitions = first_whole, whole
        return outcomes

    def _make_room(self, at_most: int) -> tuple[int, int]:
        """Compact up to so many of the oldest batches; the first whole one then, the transitions of all whole ones."""
        first, whole = self._first_whole, self.whole_transitions
        if self._keep is None or self._used_bytes() < COMPACT_FROM * self._max_bytes:
            return first, whole
        oldest = self._database.execute(
            "SELECT * FROM batches WHERE arrival >= ? ORDER BY arrival LIMIT ?", (first, at_most)
        ).fetchall()
        for arrival, collector, sequence, first_step, steps, transitions, payload in oldest:
            if whole - transitions - self._before_link(arrival, collector, sequence) < self._keep:
                break
            try:
                batch = decode_experience(payload, self._contract, MAX_BYTES).batch
            except CodecError:
                break  # damaged: an operator should look before it is removed; until then the store is full
            # not by UPDATE: only where rows are deleted are pages that have become almost empty joined
            self._database.execute("DELETE FROM batches WHERE arrival = ?", (arrival,))
            self._database.execute(
                "INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)",
                (arrival, collector, sequence, first_step, steps, transitions, compact(batch, payload)),
            )
            first, whole = arrival + 1, whole - transitions
        return first, whole

    def _before_link(self, arrival: int, collector: str, sequence: int) -> int:
        """Transitions that begin in batches between this one and the next of its collector.

        The transition from this batch's last step comes with the next batch: until newer ones make it old, the step
        must not be given up.
        """
        return self._database.execute(
            "SELECT COALESCE(SUM(transitions), 0) FROM batches WHERE arrival > ? AND arrival < COALESCE("
            "(SELECT arrival FROM batches WHERE collector = ? AND sequence = ?), 0)",
            (arrival, collector, sequence + 1),
        ).fetchone()[0]

    def _used_bytes(self) -> int:
        (pages,), (free,) = (self._database.execute(f"PRAGMA {p}").fetchone() for p in ("page_count", "freelist_count"))
        return (pages - free) * self._page_bytes

    def _insert(self, message: ExperienceMessage, payload: bytes) -> bool:
        key = (message.collector, message.sequence)
        held = self._database.execute("SELECT payload FROM batches WHERE (collector, sequence) = (?, ?)", key)
        if (found := held.fetchone()) is not None:
            self._check_resend(message, _says_the_same(found[0], payload))
            return False
        self._check_place(message)
        self._database.execute(
            "INSERT INTO batches (collector, sequence, first_step, steps, transitions, payload) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (*key, message.first_step, len(message.batch), message.batch.transitions, payload),
        )
        return True

    def held(self) -> Iterator[Held]:
        """Every batch in order of arrival; for rebuilding the replay buffer and the episodes.

        Raises:
            StoreError: a batch that is damaged.
        """
        return (read_row(row, self._contract) for row in self._database.execute(f"{ROWS} ORDER BY arrival"))

    def batches(self) -> Iterator[ExperienceMessage]:
        """Every whole batch in order of arrival.

        Raises:
            StoreError: a batch that is damaged.
        """
        return (held.message for held in self.held() if held.message is not None)

    def transitions(self) -> int:
        """Transitions that begin in the batches held."""
        return self._database.execute("SELECT COALESCE(SUM(transitions), 0) FROM batches").fetchone()[0]

    def missing(self) -> int:
        """Steps that collectors have numbered below ones that are held, but that are not held."""
        rows = self._database.execute("SELECT SUM(steps), MAX(first_step + steps) FROM batches GROUP BY collector")
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
        """The steps of a new batch must not be numbered like those of its neighbours."""
        first, end = message.first_step, message.first_step + len(message.batch)
        before, after = (
            self._database.execute(
                "SELECT first_step, steps FROM batches WHERE collector = ? AND sequence "
                f"{compare} ? ORDER BY sequence {order} LIMIT 1",
                (message.collector, message.sequence),
            ).fetchone()
            for compare, order in (("<", "DESC"), (">", "ASC"))
        )
        if (before and sum(before) > first) or (after and after[0] < end):
            raise ConflictError(
                f"batch {message.sequence} of collector {message.collector!r} numbers its steps {first} to "
                f"{end - 1}, which other batches of that name hold already"
            )
        if self._used_bytes() >= self._max_bytes:
            raise StoreError(f"experience store is full ({self._max_bytes} bytes); no more can be taken")


def _says_the_same(held: bytes, payload: bytes) -> bool:
    return read_compacted(held)[0] == checksum_of(payload) if is_compacted(held) else same_content(held, payload)


def identity_of(contract: Contract) -> dict[str, str]:
    """The identity that a store records in its file."""
    return {"task": contract.task, "observation_spec": contract.observation_spec, "run": contract.run_id}


def held_of(message: ExperienceMessage, arrival: int = 0) -> Held:
    """`message` as the store holds it."""
    batch = message.batch
    return Held(arrival, message.collector, message.sequence, len(batch), batch.transitions, parts_of(batch), message)


def read_row(row: tuple[int, str, int, int, int, bytes], contract: Contract) -> Held:
    """One row of `ROWS`.

    Raises:
        StoreError: the batch is damaged.
    """
    arrival, collector, sequence, steps, transitions, payload = row
    try:
        if is_compacted(payload):
            return Held(arrival, collector, sequence, steps, transitions, read_compacted(payload)[1], None)
        return held_of(decode_experience(payload, contract, MAX_BYTES), arrival)
    except CodecError as error:
        raise StoreError(f"batch {sequence} of {collector!r} in the store is damaged: {error}") from None
