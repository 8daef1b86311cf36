"""A few random kills and freezes of a whole living system; `benchmarks/faults.py` does the same a hundred times."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")

from naf_robot.bringup.environment import local_environment

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.ros, pytest.mark.timeout(600)]


def test_nothing_is_lost_or_counted_twice_and_nothing_moves_unsafely(tmp_path: Path):
    command = [sys.executable, str(ROOT / "benchmarks" / "faults.py"), "--kills", "8", "--seed", "3", "--json"]
    command += ["--final-episodes", "0", "--run-dir", str(tmp_path / "run")]
    done = subprocess.run(command, env=local_environment(), capture_output=True, text=True, timeout=180, check=False)
    assert done.stdout, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert result["error"] is None
    assert result["kills"] == 8
    assert result["transitions_recorded"] > 0
    assert result["messages"]["passed"] > 0
    for name in ("transitions_lost", "transitions_duplicated", "checkpoints_unreadable", "states_moving_in_silence"):
        assert result[name] == 0, result
    assert result["worst_outside_m"] < 0.02, result  # docs/nothing_lost.md, what falls short
