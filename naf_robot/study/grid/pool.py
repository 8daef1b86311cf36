"""Runs cells in several processes at a time; one that ends before its row is there is noticed and begins again."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from naf_robot.core.arguments import USER_ERROR
from naf_robot.study.grid.cells import Cell
from naf_robot.study.grid.folder import ROW, GridFolder

ATTEMPTS = 3  # of a cell
LOG = "log.txt"  # of a cell's folder
ENDED_S = 10.0  # that a process has for ending before it is killed
POLL_S = 0.2
SHOWN = 4  # values of a row
Say = Callable[[str], None]


class Running(NamedTuple):
    """A process at work on a cell."""

    cell: Cell
    process: subprocess.Popen[bytes]
    attempt: int


class Interrupted(Exception):
    """SIGINT or SIGTERM was received."""


def run_cells(folder: GridFolder, cells: Sequence[Cell], workers: int, say: Say) -> list[Cell]:
    """Run `cells` with so many processes at a time; those that could not be done, each said in one sentence.

    A process that was ended or failed unexpectedly begins again, up to three times in all; what its algorithm has
    written stays. One that ends with a sentence for its user does not. SIGINT and SIGTERM end all of them.

    Raises:
        KeyboardInterrupt: SIGINT or SIGTERM was received; what was done stays.
    """
    waiting, running, given_up = [(cell, 1) for cell in cells], list[Running](), list[Cell]()
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                cell, attempt = waiting.pop(0)
                running.append(Running(cell, _start(folder, cell), attempt))
            one = _first_to_end(running)
            running.remove(one)
            problem, is_final = _problem(folder, one)
            if problem is None:
                say(f"{one.cell.name}: {_shown(one.cell, folder.take_row(one.cell))}")
            elif is_final or one.attempt == ATTEMPTS:
                say(f"{one.cell.name} {problem}; its row is left out")
                given_up.append(one.cell)
            else:
                say(f"{one.cell.name} {problem}; its row is made again, attempt {one.attempt + 1} of {ATTEMPTS}")
                waiting.insert(0, (one.cell, one.attempt + 1))
    except Interrupted:
        raise KeyboardInterrupt from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _end(running)
    return given_up


def _start(folder: GridFolder, cell: Cell) -> "subprocess.Popen[bytes]":
    place = folder.prepare(cell)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "naf_robot.study.grid.worker", str(place)]
    with (place / LOG).open("ab") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
        )


def _first_to_end(running: Sequence[Running]) -> Running:
    while True:
        for one in running:
            if one.process.poll() is not None:
                return one
        try:
            running[0].process.wait(POLL_S)
        except subprocess.TimeoutExpired:
            continue


def _problem(folder: GridFolder, one: Running) -> tuple[str | None, bool]:
    """What went wrong, None if nothing did, and whether it would again."""
    code, place = one.process.returncode, folder.cell_folder(one.cell)
    if code == 0 and (place / ROW).is_file():
        return None, False
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}", False
    said = _last_line(place / LOG)
    if code == USER_ERROR and said.startswith("error: "):
        return f"cannot be trained: {said.removeprefix('error: ')}", True
    return f"failed with exit code {code} ({said}, in {place / LOG})", False


def _last_line(path: Path) -> str:
    lines = path.read_text("utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "no output"


def _shown(cell: Cell, row: dict[str, Any]) -> str:
    values = {name: value for name, value in row.items() if name not in cell.labels}
    plain = [f"{name} {value}" for name, value in values.items() if value is None or isinstance(value, int | float)]
    return ", ".join(plain[:SHOWN])


def _end(running: Sequence[Running]) -> None:
    for one in running:
        one.process.terminate()
    for one in running:
        try:
            one.process.wait(ENDED_S)
        except subprocess.TimeoutExpired:
            one.process.kill()
            one.process.wait()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise Interrupted
