"""A run whose output is cut off saves what it came to, and ends with the code that it would have had."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from graph import Graph, graph, naf_robot

from naf_robot.run.checkpoint import read_checkpoint

pytestmark = [pytest.mark.ros, pytest.mark.timeout(600)]
SHORT = ("task.episode_steps=40", "trainer.learning_starts=60", "collector.evaluation_period=2")


def start(g: Graph, run_dir: Path, *arguments: str) -> subprocess.Popen:
    words = ("train", "--robots", "1", "--run-dir", str(run_dir), *arguments, "--set", *SHORT)
    process = naf_robot(*words, merged=True)
    g.children.append(process)
    return process


def test_ctrl_c_with_a_tee_that_dies_first_saves_everything(tmp_path: Path):
    run_dir = tmp_path / "run"
    with graph() as g:
        process = start(g, run_dir)
        tee = subprocess.Popen(["tee", str(tmp_path / "log")], stdin=process.stdout, stdout=subprocess.DEVNULL)
        g.children.append(tee)
        assert process.stdout is not None
        process.stdout.close()
        episodes = run_dir / "episodes.jsonl"
        g.wait_for(lambda: episodes.is_file() and episodes.read_text().count("\n") >= 4, 90.0, "episodes are finished")
        tee.kill()
        tee.wait()
        process.send_signal(signal.SIGINT)
        g.wait_for(lambda: process.poll() is not None, 30.0, "the run ends")
    assert process.returncode == 0
    summary = json.loads((run_dir / "summary.json").read_text())
    assert summary["episodes"] >= 4
    assert summary["steps_lost"] == 0
    assert read_checkpoint(run_dir).counters["episodes"] == summary["episodes"]


def test_a_reader_of_the_first_line_alone_changes_no_exit_code(tmp_path: Path):
    run_dir = tmp_path / "run"
    with graph() as g:
        process = start(g, run_dir, "--max-episodes", "4")
        head = subprocess.Popen(["head", "-n", "1"], stdin=process.stdout, stdout=subprocess.PIPE, text=True)
        g.children.append(head)
        assert process.stdout is not None
        process.stdout.close()
        g.wait_for(lambda: process.poll() is not None, 120.0, "the run ends")
        out, _ = head.communicate(timeout=10)
    assert process.returncode == 3
    assert out == f"run folder: {run_dir}\n"
    assert json.loads((run_dir / "summary.json").read_text())["episodes"] >= 4
