"""A cell of a grid that trains nothing, for tests of the grid: it notes its start, and does what its settings say."""

import os
import signal
import time
from pathlib import Path
from typing import Any

from naf_robot.core.errors import ConfigError
from naf_robot.study.grid.cells import Cell
from naf_robot.study.grid.worker import Workplace


def train_cell(cell: Cell, place: Workplace) -> dict[str, Any]:
    starts = place.folder / "starts"
    with starts.open("a") as file:
        file.write("x")
    count = len(starts.read_text())
    if cell.settings.get("killed", 0) >= count:
        os.kill(os.getpid(), signal.SIGKILL)
    if cell.settings.get("refused"):
        raise ConfigError("its spaces do not fit")
    if cell.settings.get("broken"):
        raise ZeroDivisionError("a mistake of ours")
    gate = cell.settings.get("waits_for")
    while gate is not None and not Path(gate).exists():
        time.sleep(0.01)
        place.check()
    return {"value": count}
