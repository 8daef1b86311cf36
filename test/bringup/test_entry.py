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
importlib.import_module = lambda name: {when}
sys.exit(entry.main())
"""
KILL = "os.kill(os.getpid(), signal.{number})"
NUMBERS = ("SIGINT", "SIGTERM", "SIGHUP")


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize(("command", "code"), [("train", 0), ("trainer", 0), ("robot", 0), ("evaluate", 128)])
def test_while_the_program_is_loaded(command: str, code: int, number: str):
    if signal.getsignal(getattr(signal, number)) is signal.SIG_IGN:
        pytest.skip("ignored here, as under nohup, and so by what is started")
    source = LOADING.format(command=command, when=KILL.format(number=number))
    run = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stderr) == (code and code + getattr(signal, number), "")


@pytest.mark.parametrize("number", NUMBERS)
def test_while_the_options_of_a_system_are_read_and_after_it_has_ended(number: str):
    if signal.getsignal(getattr(signal, number)) is signal.SIG_IGN:
        pytest.skip("ignored here, as under nohup, and so by what is started")
    asked = KILL.format(number=number)
    begins = LOADING.format(command="train", when=f"__import__('types').SimpleNamespace(main=lambda: {asked})")
    run = subprocess.run([sys.executable, "-c", begins], capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    source = LOADING.format(command="train", when="__import__('types').SimpleNamespace(main=lambda: 3)")
    source = source.replace("sys.exit(entry.main())", f"code = entry.main(); {asked}; sys.exit(code)")
    run = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stderr) == (3, "")


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
