"""The trainer's store for other processes: read beside the one that writes, without its lock."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from naf_robot.core.errors import StoreError
from naf_robot.experience.contract import Contract
from naf_robot.experience.database import open_read_only
from naf_robot.experience.store import ROLE, ROWS, Held, identity_of, read_row

ROWS_AT_ONCE = 16  # no transaction stays open between them, so that the writer's log can be cut back


class StoreReader:
    """Reads a run's experience in the order of arrival, and goes on with what arrives later.

    Keep the `arrival` of the last batch taken, and read what arrived after it at any time::

        reader = StoreReader(run_dir / run_files.EXPERIENCE, contract)
        last = 0
        while learning:
            for held in reader.after(last):
                replay(held)
                last = held.arrival

    Batches compacted meanwhile come without their steps. Any number of processes may read.

    Raises:
        StoreError: there is no store, or it is of another run, task, observation spec or schema.
    """

    def __init__(self, path: Path, contract: Contract) -> None:
        self._path, self._contract = path, contract
        self._database = open_read_only(path, ROLE, identity_of(contract))

    def after(self, arrival: int = 0) -> Iterator[Held]:
        """Every batch that has arrived by now after number `arrival`, in order.

        Raises:
            StoreError: a batch that is damaged, or a file that cannot be read.
        """
        while True:
            try:
                rows = self._database.execute(
                    f"{ROWS} WHERE arrival > ? ORDER BY arrival LIMIT ?", (arrival, ROWS_AT_ONCE)
                ).fetchall()
            except sqlite3.Error as error:
                raise StoreError(f"cannot read experience store {str(self._path)!r}: {error}") from None
            for row in rows:
                yield read_row(row, self._contract)
            if len(rows) < ROWS_AT_ONCE:
                return
            arrival = rows[-1][0]

    def steps(self) -> int:
        """Steps that have arrived by now, those of compacted batches among them."""
        try:
            return self._database.execute("SELECT COALESCE(SUM(steps), 0) FROM batches").fetchone()[0]
        except sqlite3.Error as error:
            raise StoreError(f"cannot read experience store {str(self._path)!r}: {error}") from None

    def close(self) -> None:
        """Close the connection."""
        self._database.close()
