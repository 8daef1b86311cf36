"""How both stores open SQLite: write-ahead log, one schema version, errors in plain words.

A commit survives the end of the process in either mode; in `FULL`, the default here, it is on
the disk before it returns and survives the loss of power too. SQLite serialises the threads of a connection.
"""

import sqlite3
from pathlib import Path

from naf_robot.core import run_files
from naf_robot.core.errors import StoreError

SCHEMA_VERSION = 3  # steps; 2 held transitions
OLD_SCHEMA_VERSION = 2


def open_database(path: Path, role: str, identity: dict[str, str], tables: str) -> sqlite3.Connection:
    """Open or create the database at `path` for `role`, and check that it is what it should be.

    `identity` (task, observation spec, ...) is written at creation and compared afterwards.

    Raises:
        StoreError: not a database, of another role or schema, or with another identity.
    """
    try:
        connection = sqlite3.connect(path, isolation_level=None, timeout=10.0, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE IF NOT EXISTS identity (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        held = dict(connection.execute("SELECT key, value FROM identity"))
        if not held:
            connection.executemany("INSERT INTO identity VALUES (?, ?)", _expected(role, identity).items())
            for statement in filter(str.strip, tables.split(";")):
                connection.execute(statement)
        connection.execute("COMMIT")
        check = connection.execute("PRAGMA quick_check(1)").fetchone()[0] if held else "ok"
    except sqlite3.Error as error:
        raise StoreError(f"cannot open experience store {str(path)!r}: {error}") from None
    try:
        if held:
            check_identity(path, held, role, identity)
        if check != "ok":
            raise StoreError(f"experience store {str(path)!r} is damaged: {check}")
    except StoreError:
        connection.close()
        raise
    return connection


def open_read_only(path: Path, role: str, identity: dict[str, str]) -> sqlite3.Connection:
    """A connection that cannot write, beside the process that does.

    Raises:
        StoreError: there is no such database, or it is not what it should be.
    """
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=10.0
        )
        held = dict(connection.execute("SELECT key, value FROM identity"))
    except sqlite3.Error as error:
        raise StoreError(f"cannot read experience store {str(path)!r}: {error}") from None
    try:
        check_identity(path, held, role, identity)
    except StoreError:
        connection.close()
        raise
    return connection


def check_identity(path: Path, held: dict[str, str], role: str, identity: dict[str, str]) -> None:
    """Compare the identity in a database with the expected one.

    Raises:
        StoreError: naming the first thing that differs.
    """
    version = held.get("schema_version")
    if version == str(OLD_SCHEMA_VERSION):
        run_dir = path.parent.parent if path.parent.name == run_files.OUTBOX else path.parent
        if (run_dir.parent / "study.yaml").is_file():
            raise StoreError(
                f"{str(path)!r} is of a study of an older version, which cannot be resumed; begin it again"
            )
        raise StoreError(
            f"experience store {str(path)!r} has the format of an older version; convert the run folder first: "
            f"naf-robot convert --run-dir {str(run_dir)!r}"
        )
    for key, value in _expected(role, identity).items():
        if held.get(key) != value:
            raise StoreError(f"experience store {str(path)!r} has {key} {held.get(key)!r}; this run needs {value!r}")


def _expected(role: str, identity: dict[str, str]) -> dict[str, str]:
    return {"role": role, "schema_version": str(SCHEMA_VERSION)} | identity
