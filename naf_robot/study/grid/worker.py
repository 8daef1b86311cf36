"""The process of one cell: `python -m naf_robot.study.grid.worker CELL_FOLDER`."""

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from naf_robot.core.arguments import USER_ERROR
from naf_robot.core.errors import NafRobotError
from naf_robot.core.files import replace_file
from naf_robot.study.grid.cells import Cell
from naf_robot.study.grid.folder import CELL, ROW

STOPPED = 143


class Workplace:
    """What a cell needs of its process: a folder for what it keeps, and whether the study goes on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._parent = os.getppid()

    def check(self) -> None:
        """End this process, orderly, if the study's has ended; cells call it between two episodes.

        Raises:
            SystemExit: the study's process is gone.
        """
        if os.getppid() != self._parent:
            raise SystemExit(STOPPED)


def main(arguments: list[str]) -> int:
    """Train the cell and leave its row; the exit code."""
    folder = Path(arguments[0])
    cell = msgspec.json.decode((folder / CELL).read_bytes(), type=Cell)
    train: Callable[[Cell, Workplace], dict[str, Any]] = importlib.import_module(cell.module).train_cell
    begin = time.monotonic()
    try:
        row = train(cell, Workplace(folder))
    except NafRobotError as error:
        print(f"error: {error}", flush=True)
        return USER_ERROR
    row["wall_s"] = round(time.monotonic() - begin, 1)  # of this attempt
    replace_file(folder / ROW, json.dumps(row).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
