"""A trainer under load in its smallest form: `benchmarks/fleet.py` with a policy of several pieces."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")

from naf_robot.bringup.environment import local_environment
from naf_robot.core.resources import SOURCE_ROOT

BENCHMARK = SOURCE_ROOT / "benchmarks" / "fleet.py"
pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(not BENCHMARK.exists(), reason="benchmarks are only in the source tree"),
]


def test_nothing_is_lost_and_a_large_policy_arrives():
    command = [sys.executable, str(BENCHMARK), "--robots", "6", "--processes", "2", "--seconds", "2", "--json"]
    command += ["--unloaded-seconds", "2", "--policy-bytes", "700000", "--task", "door_pull", "--batch", "10"]
    done = subprocess.run(command, env=local_environment(), capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert (result["lost"], result["duplicated"], result["refusals"]) == (0, 0, [])
    assert result["transitions_per_s"] > 0.5 * result["transitions_per_s_offered"] == 60.0
    assert result["policy_bytes"] > 600_000
    assert result["policy_deliveries"] > 0
    assert 0.0 < result["parameter_delivery_p50_s"] < result["ack_p99_s"] + 5.0
    assert result["updates_per_s"] > 0.0
    assert result["updates_per_s_unloaded"] > 0.0
