"""Output that fails costs text, never the program."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from naf_robot.core.console import SteadyStream

PROGRAM = """
import sys
from naf_robot.core.console import protect_output
protect_output()
for number in range({lines}):
    print("x" * 100, number, flush=True)
    print("y" * 100, number, file=sys.stderr)
open({done!r}, "w").write("whole")
sys.exit(3)
"""


def program(tmp_path: Path, lines: int, **streams) -> subprocess.Popen:
    source = PROGRAM.format(lines=lines, done=str(tmp_path / "done"))
    return subprocess.Popen([sys.executable, "-c", source], **streams)


def test_a_reader_that_leaves_changes_neither_the_work_nor_the_exit_code(tmp_path: Path):
    child = program(tmp_path, 2000, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert child.stdout is not None
    assert child.stdout.readline().startswith(b"x")
    child.stdout.close()
    assert child.wait(timeout=60) == 3
    assert (tmp_path / "done").read_text() == "whole"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux alone has it")
def test_a_full_disk_under_the_log_changes_neither(tmp_path: Path):
    with open("/dev/full", "wb") as full:
        assert program(tmp_path, 20, stdout=full, stderr=full).wait(timeout=60) == 3
    assert (tmp_path / "done").read_text() == "whole"


def test_a_reader_that_has_been_stopped_is_waited_for_once(tmp_path: Path):
    child = program(tmp_path, 2000, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # 400 KB; a pipe takes 64
    begin = time.monotonic()
    assert child.wait(timeout=60) == 3
    assert time.monotonic() - begin < 20.0
    assert (tmp_path / "done").read_text() == "whole"


def test_what_can_be_written_arrives_whole():
    read, write = os.pipe()
    stream = SteadyStream(write, "<test>")
    text = "é" * 20000
    assert print(text, file=stream) is None
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        assert pipe.read().decode() == text + "\n"
    assert stream.write("nobody") == len("nobody")
