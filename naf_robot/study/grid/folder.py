"""The folder of a grid: what it is a study of, one line for each row that is complete, one folder for each cell."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from naf_robot.core.errors import RunFolderError
from naf_robot.core.files import ExclusiveLock, replace_file
from naf_robot.core.resources import expanded
from naf_robot.core.run_files import GRID, GRID_CELLS, GRID_ROWS
from naf_robot.core.source_commit import source_commit
from naf_robot.study.grid.cells import Cell, content_hash

CELL, ROW = "cell.json", "row.json"  # of a cell's folder


class GridFolder:
    """A folder that is new, or holds a study of the same `kind` and `protocol` by the same commit.

    Raises:
        RunFolderError: it holds something else, or cannot be made.
        LockedError: another process works in it.
    """

    def __init__(
        self, folder: Path, kind: str, protocol: Any, command: str, more: dict[str, Any] | None = None
    ) -> None:
        self.path = expanded(folder).resolve()
        self.commit = source_commit()
        self.config_hash = content_hash({"kind": kind, "protocol": protocol})
        identity = {"kind": kind, "config_hash": self.config_hash, "commit": self.commit}
        if (self.path / GRID).exists():
            self._refuse_other(identity)
        elif self.path.exists() and any(self.path.iterdir()):
            raise RunFolderError(f"{str(self.path)!r} exists and is not the folder of a study: it has no {GRID}")
        try:
            (self.path / GRID_CELLS).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunFolderError(f"cannot make the study folder {str(self.path)!r}: {error.strerror}") from None
        self._lock = ExclusiveLock(self.path / "grid.lock", f"study {str(self.path)!r}")
        if not (self.path / GRID).exists():
            document = identity | {"command": command, "protocol": msgspec.to_builtins(protocol), **(more or {})}
            replace_file(self.path / GRID, (json.dumps(document, indent=1) + "\n").encode())
        self._drop_incomplete_line()

    def _refuse_other(self, identity: dict[str, Any]) -> None:
        known = read_json(self.path / GRID)
        names = {"kind": "a study of kind", "config_hash": "a configuration with hash", "commit": "commit"}
        for name, words in names.items():
            if known.get(name) != identity[name]:
                raise RunFolderError(
                    f"{str(self.path)!r} holds {words} {known.get(name)}, and this is {identity[name]}: continue it "
                    "with what it was begun with, or name another folder"
                )

    def rows(self) -> list[dict[str, Any]]:
        """The rows that are complete, in the order in which they became so."""
        path = self.path / GRID_ROWS
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.is_file() else []

    def open_cells(self, cells: Sequence[Cell]) -> list[Cell]:
        """Those of `cells` without a row; a row whose process ended before it was taken is taken now."""
        done = {row["cell"] for row in self.rows()}
        for cell in cells:
            if cell.name not in done and (self.cell_folder(cell) / ROW).is_file():
                self.take_row(cell)
                done.add(cell.name)
        return [cell for cell in cells if cell.name not in done]

    def cell_folder(self, cell: Cell) -> Path:
        """Where a cell works."""
        return self.path / GRID_CELLS / cell.name

    def prepare(self, cell: Cell) -> Path:
        """Write what a worker needs of `cell`; its folder."""
        folder = self.cell_folder(cell)
        folder.mkdir(exist_ok=True)
        replace_file(folder / CELL, msgspec.json.encode(cell))
        return folder

    def take_row(self, cell: Cell) -> dict[str, Any]:
        """Append the row that the worker of `cell` has left; it is complete or not there, also after a crash.

        Raises:
            RunFolderError: the worker left none.
        """
        found = read_json(self.cell_folder(cell) / ROW)
        facts = {"cell": cell.name, "config_hash": self.config_hash, "commit": self.commit}
        row: dict[str, Any] = {**cell.labels, **found, **facts}
        with (self.path / GRID_ROWS).open("ab") as file:
            file.write(json.dumps(row).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        return row

    def close(self) -> None:
        """Let another process work in it."""
        self._lock.release()

    def _drop_incomplete_line(self) -> None:
        """A line that a crash cut off is made again."""
        path = self.path / GRID_ROWS
        content = path.read_bytes() if path.is_file() else b""
        if content and not content.endswith(b"\n"):
            replace_file(path, content[: content.rfind(b"\n") + 1])


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        RunFolderError: there is none.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RunFolderError(f"cannot read {str(path)!r}: {error}") from None
    if not isinstance(found, dict):
        raise RunFolderError(f"{str(path)!r} does not hold a JSON object")
    return found
