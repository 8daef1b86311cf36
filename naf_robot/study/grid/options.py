"""What the commands of all grids have in common. Loads no torch."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from naf_robot.core.arguments import whole
from naf_robot.core.console import protect_output
from naf_robot.core.errors import ConfigError, RunFolderError
from naf_robot.core.files import replace_file
from naf_robot.core.resources import expanded
from naf_robot.study.grid.cells import Cell
from naf_robot.study.grid.folder import GridFolder
from naf_robot.study.grid.pool import run_cells

INCOMPLETE = 3  # exit code: rows were left out


def add_common(parser: argparse.ArgumentParser, tasks: Sequence[str], seeds: Sequence[int]) -> None:
    """Declare on `parser` what every grid has."""
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of the study: a new one, or one to continue that the same configuration and commit began",
    )
    parser.add_argument("--tasks", nargs="+", default=list(tasks), metavar="TASK", help=f"tasks [{' '.join(tasks)}]")
    parser.add_argument(
        "--seeds", type=whole(0), nargs="+", default=list(seeds), help=f"seeds [{' '.join(map(str, seeds))}]"
    )
    parser.add_argument("--workers", type=whole(1), default=1, help="processes at a time, each on one thread [1]")
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="single values over the tasks' own"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the complete rows to this file too")


def run_grid(
    kind: str, protocol: Any, cells: Sequence[Cell], options: argparse.Namespace, more: dict[str, Any] | None = None
) -> int:
    """Run what is left of `cells` in the folder of `options`, write its rows as JSON; the exit code."""
    names = [cell.name for cell in cells]
    if len(set(names)) != len(names):
        raise ConfigError("tasks, seeds and what is trained must be named once each")
    protect_output()
    command = " ".join(["naf-robot", *sys.argv[1:]])
    folder = GridFolder(options.output, kind, protocol, command, more)
    try:
        left = folder.open_cells(cells)
        print(f"{len(cells) - len(left)} of {len(cells)} rows are in {folder.path}", flush=True)
        given_up = run_cells(folder, left, options.workers, lambda sentence: print(sentence, flush=True))
    finally:
        _write(folder, kind, {"protocol": msgspec.to_builtins(protocol), **(more or {})}, options.json, command)
        folder.close()
    return INCOMPLETE if given_up else 0


def _write(folder: GridFolder, kind: str, more: dict[str, Any], other: Path | None, command: str) -> None:
    rows = sorted(folder.rows(), key=lambda row: row["cell"])
    facts = {"kind": kind, "command": command, "commit": folder.commit, "config_hash": folder.config_hash}
    lines = ",\n  ".join(json.dumps(row) for row in rows)
    head = ",\n ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in {**facts, **more}.items())
    text = f'{{\n {head},\n "rows": [\n  {lines}\n ]\n}}\n'
    paths = [folder.path / f"{kind}.json"] + ([expanded(other).resolve()] if other else [])
    for path in paths:
        try:
            replace_file(path, text.encode())
        except OSError as error:
            raise RunFolderError(f"cannot write {str(path)!r}: {error.strerror}") from None
