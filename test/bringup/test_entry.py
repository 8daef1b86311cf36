"""Ctrl-C within the first seconds: an end, no traceback."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

LOADING = """
import importlib, os, signal, sys
from naf_robot.bringup import entry
sys.argv = ["naf-robot", {command!r}]
importlib.import_module = lambda name: os.kill(os.getpid(), signal.SIGINT)
sys.exit(entry.main())
"""


@pytest.mark.parametrize(("command", "code"), [("train", 0), ("evaluate", 130)])
def test_while_the_program_is_loaded(command: str, code: int):
    source = LOADING.format(command=command)
    run = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stderr) == (code, "")


@pytest.mark.ros
def test_while_the_processes_are_loaded(tmp_path: Path):
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    from graph import children, graph, naf_robot

    with graph() as g:
        run_dir = tmp_path / "run"
        process = naf_robot("train", "--run-dir", str(run_dir))
        g.children.append(process)

        def has_started_one() -> bool:
            return any("naf_robot.nodes.simulator" in words for words in children(process.pid).values())

        g.wait_for(has_started_one, 30.0, "a child is started")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "Traceback" not in out + err
    for log in (run_dir / "log").glob("*.log"):
        assert "Traceback" not in log.read_text(), log.name
