"""Brings what a SQLite database has committed to the disk in a thread, for a control loop that cannot wait."""

import os
import sqlite3
from pathlib import Path
from threading import Condition, Thread

CHECKPOINT_BYTES = 4 * 1024 * 1024  # of the write-ahead log, as SQLite's own default


class BackgroundSync:
    """Makes commits of a database in write-ahead mode durable, and keeps its log short.

    The database must not do either itself: `PRAGMA synchronous=NORMAL`, `PRAGMA wal_autocheckpoint=0`. A commit is then
    in the log, where it survives the end of the process; after `request(n)` a thread waits for the disk, and `durable`
    becomes n. An error stands in `trouble` until a later attempt succeeds; `request` makes one.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._log = database.with_name(f"{database.name}-wal")
        self._changed = Condition()
        self._asked = self._done = -1
        self._again = self._closed = False
        self.trouble: str | None = None
        self._thread = Thread(target=self._work, name="background sync", daemon=True)
        self._thread.start()

    @property
    def durable(self) -> int:
        """The highest number asked for that is on the disk, -1 before the first."""
        return self._done

    def request(self, number: int) -> None:
        """Bring everything that is committed by now to the disk; `number` never decreases."""
        with self._changed:
            self._asked, self._again = number, True
            self._changed.notify()

    def close(self) -> None:
        """Finish what was asked for, and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._again or self._closed)
                if not self._again:
                    return
                number, self._again = self._asked, False
            try:
                self._sync()
            except (OSError, sqlite3.Error) as error:
                self.trouble = str(error)
                continue
            self._done, self.trouble = number, None

    def _sync(self) -> None:
        """The log, and the folder that its name is in."""
        for path in (self._log, self._log.parent):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        if self._log.stat().st_size > CHECKPOINT_BYTES:
            connection = sqlite3.connect(self._database, isolation_level=None)
            try:
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            finally:
                connection.close()
