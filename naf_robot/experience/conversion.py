"""Stores and outboxes of older versions, which held transitions, as steps; the old files are kept beside them."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from naf_robot.core import run_files
from naf_robot.core.errors import CodecError, StoreError
from naf_robot.core.files import ExclusiveLock, sync_folder
from naf_robot.core.records import StepBatch
from naf_robot.experience import outbox, store
from naf_robot.experience.codec import ExperienceMessage, encode_experience
from naf_robot.experience.compacted import compacted_bytes
from naf_robot.experience.contract import Contract
from naf_robot.experience.database import OLD_SCHEMA_VERSION, open_database
from naf_robot.experience.old_format import Border, OldBatch, parts_of_compacted, read_batch, read_journal, steps_of

KEPT = ".before-conversion"  # behind the name of a file that was converted
Key = tuple[str, int]  # collector and sequence number


class Converted(NamedTuple):
    """A batch in the new format."""

    first_step: int
    steps: int
    transitions: int
    payload: bytes


class _Place(NamedTuple):
    border: Border
    first_transition: int
    transitions: int


def convert_experience(run_dir: Path, contract: Contract, period_s: float) -> dict[str, int]:
    """Convert the store and the outboxes of `run_dir`; how many batches each file holds by its name.

    Every file is replaced at one instant, its old content kept under its name and `.before-conversion`. Interrupted,
    it can be called again. What is in the new format already is left alone. `period_s` is the control period.

    Raises:
        LockedError: a running process works in the folder.
        StoreError: a file that is damaged, or of another task; nothing of it was changed.
    """
    paths = [run_dir / run_files.EXPERIENCE, *sorted((run_dir / run_files.OUTBOX).glob("*.sqlite"))]
    paths = [path for path in paths if path.is_file()]
    locks = [ExclusiveLock(path.with_suffix(".lock"), f"experience store {str(path)!r}") for path in paths]
    try:
        old = {path: _source(path) for path in paths}
        conversion = _Conversion(contract, period_s, [source for source in old.values() if source is not None])
        done = {}
        for path, source in old.items():
            if source == path:
                done[path.name] = conversion.write(path)
        return done
    except (sqlite3.Error, CodecError) as error:
        raise StoreError(f"cannot convert the experience of {str(run_dir)!r}: {error}") from None
    finally:
        for lock in locks:
            lock.release()


def _source(path: Path) -> Path | None:
    """Where the old content of `path` is: itself, or the file that a conversion has kept."""
    if _version(path) == OLD_SCHEMA_VERSION:
        return path
    kept = path.with_name(path.name + KEPT)
    return kept if kept.is_file() else None


def _version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        held = dict(database.execute("SELECT key, value FROM identity"))
    return int(held.get("schema_version", "0"))


class _Conversion:
    """The batches of a run in their order, over all its files."""

    def __init__(self, contract: Contract, period_s: float, sources: list[Path]) -> None:
        self._contract, self._period_s = contract, period_s
        self._places: dict[Key, _Place] = {}
        self._journals: dict[str, OldBatch] = {}
        for source in sources:
            with closing(sqlite3.connect(source)) as database:
                self._check(source, database)
                for key, first, payload in self._batches(database):
                    batch = read_batch(payload)
                    self._places[key] = _Place(batch.border, first, batch.count)
                self._read_journal(database)
        self._first_steps: dict[Key, int] = {}
        self._number(sources)

    def _check(self, path: Path, database: sqlite3.Connection) -> None:
        held = dict(database.execute("SELECT key, value FROM identity"))
        if held.get("task") != self._contract.task:
            raise StoreError(f"{str(path)!r} is of task {held.get('task')!r}, this run of {self._contract.task!r}")
        check = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if check != "ok":
            raise StoreError(f"experience store {str(path)!r} is damaged: {check}")

    @staticmethod
    def _batches(database: sqlite3.Connection) -> Iterator[tuple[Key, int, bytes]]:
        """Key, number of the first transition and payload of every batch of a store or an outbox."""
        if _role(database) == store.ROLE:
            rows = database.execute(
                "SELECT collector, sequence, first_transition, payload FROM batches ORDER BY arrival"
            )
            for collector, sequence, first, payload in rows:
                yield (collector, sequence), first, payload
            return
        (collector,) = database.execute("SELECT value FROM identity WHERE key = 'collector'").fetchone()
        (following,) = database.execute("SELECT value FROM counters WHERE name = 'transition'").fetchone()
        waiting = database.execute("SELECT sequence, count, payload FROM batches ORDER BY sequence").fetchall()
        first = following - sum(count for _, count, _ in waiting)
        for sequence, count, payload in waiting:
            yield (collector, sequence), first, payload
            first += count

    def _read_journal(self, database: sqlite3.Connection) -> None:
        if _role(database) != "outbox":
            return
        (collector,) = database.execute("SELECT value FROM identity WHERE key = 'collector'").fetchone()
        counters = dict(database.execute("SELECT name, value FROM counters"))
        rows = [row[0] for row in database.execute("SELECT payload FROM journal ORDER BY number")]
        batch = read_journal(rows, self._contract)
        if batch is not None:
            key = (collector, counters["sequence"])
            self._journals[collector] = batch
            self._places[key] = _Place(batch.border, counters["transition"], batch.count)

    def _number(self, sources: list[Path]) -> None:
        """Number the steps of every collector over its batches; transitions that are missing count as one step each."""
        lengths: dict[Key, int] = {}
        for source in sources:
            with closing(sqlite3.connect(source)) as database:
                for key, _, payload in self._batches(database):
                    lengths[key] = self._length(key, read_batch(payload))
        for collector, batch in self._journals.items():
            key = max(key for key in self._places if key[0] == collector)
            lengths[key] = self._length(key, batch)
        ends: dict[str, tuple[int, int]] = {}  # of each collector: transitions and steps so far
        for key in sorted(self._places):
            transitions, steps = ends.get(key[0], (0, 0))
            place = self._places[key]
            self._first_steps[key] = steps + place.first_transition - transitions
            ends[key[0]] = place.first_transition + place.transitions, self._first_steps[key] + lengths[key]
        self._ends = {collector: steps for collector, (_, steps) in ends.items()}

    def _length(self, key: Key, batch: OldBatch) -> int:
        if batch.arrays is None:
            return batch.count + sum(part.ended for part in parts_of_compacted(batch, [], self._after(key)))
        return len(self._steps(key, batch))

    def _steps(self, key: Key, batch: OldBatch) -> StepBatch:
        before = self._places.get((key[0], key[1] - 1))
        steps = steps_of(batch, before.border if before else None, self._after(key), self._contract, self._period_s)
        steps.validate(self._contract.steps)
        return steps

    def _after(self, key: Key) -> Border | None:
        after = self._places.get((key[0], key[1] + 1))
        return after.border if after else None

    def convert(self, key: Key, batch: OldBatch) -> Converted:
        """One batch as it stands in a new file."""
        first = self._first_steps[key]
        if batch.arrays is None:
            parts = parts_of_compacted(batch, [], self._after(key))
            return Converted(first, self._length(key, batch), batch.count, compacted_bytes(batch.checksum, parts))
        steps = self._steps(key, batch)
        payload = encode_experience(ExperienceMessage(*key, first, steps), self._contract)
        return Converted(first, len(steps), steps.transitions, payload)

    def write(self, path: Path) -> int:
        """Put the new content in place of the old; the number of batches."""
        partial = path.with_name(path.name + ".converting")
        for leftover in (partial, Path(f"{partial}-wal"), Path(f"{partial}-shm")):
            leftover.unlink(missing_ok=True)
        with closing(sqlite3.connect(path, isolation_level=None)) as old:
            old.execute("PRAGMA journal_mode=DELETE")  # everything into the one file that is kept
            count = self._write_store(old, partial) if _role(old) == store.ROLE else self._write_outbox(old, partial)
        kept = path.with_name(path.name + KEPT)
        kept.unlink(missing_ok=True)
        os.link(path, kept)
        partial.replace(path)
        sync_folder(path.parent)
        return count

    def _write_store(self, old: sqlite3.Connection, partial: Path) -> int:
        count = 0
        with closing(open_database(partial, store.ROLE, store.identity_of(self._contract), store.TABLES)) as new:
            new.execute("BEGIN")
            for key, _, payload in self._batches(old):
                made = self.convert(key, read_batch(payload))
                new.execute(
                    "INSERT INTO batches (collector, sequence, first_step, steps, transitions, payload) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (*key, *made),
                )
                count += 1
            new.execute("COMMIT")
            new.execute("PRAGMA journal_mode=DELETE")
        return count

    def _write_outbox(self, old: sqlite3.Connection, partial: Path) -> int:
        (collector,) = old.execute("SELECT value FROM identity WHERE key = 'collector'").fetchone()
        counters = dict(old.execute("SELECT name, value FROM counters"))
        batches = [(key, read_batch(payload)) for key, _, payload in self._batches(old)]
        journal = self._journals.get(collector)
        if journal is not None and journal.arrays is not None:
            batches.append(((collector, counters["sequence"]), journal))
            counters["sequence"] += 1
            counters["transition"] += journal.count
            counters["episode"] = int(journal.arrays["episode"][-1]) + 1
        counters["step"] = self._ends.get(collector, 0)
        identity = outbox.identity_of(collector, self._contract)
        with closing(open_database(partial, "outbox", identity, outbox.TABLES)) as new:
            new.execute("BEGIN")
            for key, batch in batches:
                made = self.convert(key, batch)
                row = (key[1], made.steps, made.transitions, made.payload)
                new.execute("INSERT INTO batches VALUES (?, ?, ?, ?)", row)
            for name, value in counters.items():
                new.execute("UPDATE counters SET value = ? WHERE name = ?", (value, name))
            new.execute("COMMIT")
            new.execute("PRAGMA journal_mode=DELETE")
        return len(batches)


def _role(database: sqlite3.Connection) -> str:
    return database.execute("SELECT value FROM identity WHERE key = 'role'").fetchone()[0]
