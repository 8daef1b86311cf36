"""Grids: what was done stays, whatever ends; other configurations and commits are refused."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from naf_robot.core.errors import LockedError, RunFolderError
from naf_robot.study.grid import folder as grid_folder
from naf_robot.study.grid.cells import Cell, content_hash
from naf_robot.study.grid.folder import GridFolder
from naf_robot.study.grid.pool import run_cells

SUPPORT = Path(__file__).resolve().parents[1] / "support"
PROTOCOL = {"episodes": 3}


@pytest.fixture(autouse=True)
def cells_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    root = str(SUPPORT.parents[1])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(SUPPORT), root, os.environ.get("PYTHONPATH", "")]))


def cell(name: str, **settings: Any) -> Cell:
    return Cell(module="counting_cells", labels={"task": name}, settings=settings)


def run(folder: Path, *cells: Cell, workers: int = 2) -> tuple[list[dict], list[str], list[str]]:
    """The rows in the order of their names, what was said, and the names of the cells that were given up."""
    opened, said = GridFolder(folder, "counting", PROTOCOL, "command"), list[str]()
    try:
        given_up = run_cells(opened, opened.open_cells(cells), workers, said.append)
        return sorted(opened.rows(), key=lambda row: row["cell"]), said, [each.name for each in given_up]
    finally:
        opened.close()


def test_a_killed_worker_is_said_in_one_sentence_and_its_row_made_again(tmp_path: Path):
    rows, said, given_up = run(tmp_path / "study", cell("a", killed=1), cell("b"))
    assert [(row["task"], row["value"]) for row in rows] == [("a", 2), ("b", 1)]
    assert given_up == []
    assert "a was ended by SIGKILL; its row is made again, attempt 2 of 3" in said
    known = {"config_hash": content_hash({"kind": "counting", "protocol": PROTOCOL})}
    assert all({"config_hash", "commit"} <= row.keys() and row["config_hash"] == known["config_hash"] for row in rows)


def test_what_cannot_be_trained_is_left_out_and_the_others_are_done(tmp_path: Path):
    broken, refused = cell("broken", broken=True), cell("refused", refused=True)
    rows, said, given_up = run(tmp_path / "study", broken, refused, cell("whole"))
    assert [row["task"] for row in rows] == ["whole"]
    assert sorted(given_up) == ["broken", "refused"]
    assert "refused cannot be trained: its spaces do not fit; its row is left out" in said
    failed = [sentence for sentence in said if sentence.startswith("broken")]
    assert len(failed) == 3
    assert "failed with exit code 1 (ZeroDivisionError: a mistake of ours, in " in failed[-1]
    assert len((tmp_path / "study" / "cells" / "refused" / "starts").read_text()) == 1  # it would fail again


def test_a_study_goes_on_where_it_was_ended_and_makes_no_row_twice(tmp_path: Path):
    folder = tmp_path / "study"
    run(folder, cell("a"))
    rows = folder / "rows.jsonl"
    rows.write_bytes(rows.read_bytes() + b'{"task": "torn')  # by a crash within the write
    found, said, _ = run(folder, cell("a"), cell("b"))
    assert [(row["task"], row["value"]) for row in found] == [("a", 1), ("b", 1)]
    assert len(said) == 1


def test_a_row_that_was_ready_when_the_study_ended_is_taken(tmp_path: Path):
    folder = tmp_path / "study"
    run(folder, cell("a"))
    (folder / "rows.jsonl").unlink()
    found, said, _ = run(folder, cell("a"))
    assert ([row["value"] for row in found], said) == ([1], [])


def test_another_configuration_commit_or_folder_is_refused_and_nothing_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "study"
    run(folder, cell("a"))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(RunFolderError, match=r"holds a configuration with hash .*, and this is .*: continue it with"):
        GridFolder(folder, "counting", {"episodes": 4}, "command")
    with pytest.raises(RunFolderError, match="holds a study of kind counting, and this is other"):
        GridFolder(folder, "other", PROTOCOL, "command")
    monkeypatch.setattr(grid_folder, "source_commit", lambda: "0123abc")
    with pytest.raises(RunFolderError, match=r"holds commit .*, and this is 0123abc"):
        GridFolder(folder, "counting", PROTOCOL, "command")
    with pytest.raises(RunFolderError, match="is not the folder of a study"):
        GridFolder(tmp_path, "counting", PROTOCOL, "command")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_two_processes_cannot_work_in_one_folder(tmp_path: Path):
    opened = GridFolder(tmp_path / "study", "counting", PROTOCOL, "command")
    with pytest.raises(LockedError, match=f"in use by process {os.getpid()}"):
        GridFolder(tmp_path / "study", "counting", PROTOCOL, "command")
    opened.close()


CODE = """
import sys
from pathlib import Path
from naf_robot.study.grid.cells import Cell
from naf_robot.study.grid.folder import GridFolder
from naf_robot.study.grid.pool import run_cells
folder = GridFolder(Path(sys.argv[1]), "counting", {"episodes": 3}, "command")
waiting = Cell(module="counting_cells", labels={"task": "waits"}, settings={"waits_for": sys.argv[2]})
run_cells(folder, [waiting], 1, print)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlasts_a_study_that_is_ended(tmp_path: Path, number: int):
    starts = tmp_path / "study" / "cells" / "waits" / "starts"
    study = subprocess.Popen([sys.executable, "-c", CODE, str(tmp_path / "study"), str(tmp_path / "gate")])
    wait_until(starts.exists)
    (worker,) = children(study.pid)
    os.kill(study.pid, number)
    study.wait(30)
    wait_until(lambda: not alive(worker))
    (tmp_path / "gate").touch()
    rows, _, _ = run(tmp_path / "study", cell("waits", waits_for=str(tmp_path / "gate")))
    assert [json.loads(line)["value"] for line in (tmp_path / "study" / "rows.jsonl").read_text().splitlines()] == [2]
    assert len(rows) == 1


def wait_until(condition, limit_s: float = 30.0) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def children(process: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def alive(process: int) -> bool:
    """Whether it runs: one that nobody waits for any more may stay as a zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
