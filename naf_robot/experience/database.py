"""How both stores open SQLite: write-ahead log, one schema version, errors in plain words.

A commit survives the death of the process in either mode; in `FULL`, the default here, it is on
the disk before it returns and survives the loss of power too. SQLite serialises the threads of a connection.
"""

import sqlite3
from pathlib import Path

from naf_robot.core.errors import StoreError

SCHEMA_VERSION = 2


def open_database(path: Path, role: str, identity: dict[str, str], tables: str) -> sqlite3.Connection:
    """Open or create the database at `path` for `role`, and check that it is what it should be.

    `identity` (task, observation spec, ...) is written at creation and compared afterwards.

    Raises:
        StoreError: not a database, of another role or schema, or with another identity.
    """
    expected = {"role": role, "schema_version": str(SCHEMA_VERSION)} | identity
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=10.0, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE IF NOT EXISTS identity (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        held = dict(connection.execute("SELECT key, value FROM identity"))
        if not held:
            connection.executemany("INSERT INTO identity VALUES (?, ?)", expected.items())
            for statement in filter(str.strip, tables.split(";")):
                connection.execute(statement)
        connection.execute("COMMIT")
        check = connection.execute("PRAGMA quick_check(1)").fetchone()[0] if held else "ok"
    except sqlite3.Error as error:
        raise StoreError(f"cannot open experience store {str(path)!r}: {error}") from None
    for key, value in expected.items():
        if held and held.get(key) != value:
            connection.close()
            raise StoreError(f"experience store {str(path)!r} has {key} {held.get(key)!r}; this run needs {value!r}")
    if check != "ok":
        connection.close()
        raise StoreError(f"experience store {str(path)!r} is damaged: {check}")
    return connection
