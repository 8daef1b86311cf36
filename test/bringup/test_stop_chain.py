"""From an event to standstill for the end that every run comes to; `benchmarks/stop_chain.py` measures all events."""

import json
import subprocess
import sys

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")

from graph import busyness

from naf_robot.arm.control.config import VelocityControlConfig
from naf_robot.bringup.environment import local_environment
from naf_robot.core.resources import SOURCE_ROOT

BENCHMARK = SOURCE_ROOT / "benchmarks" / "stop_chain.py"
pytestmark = [
    pytest.mark.ros,
    pytest.mark.skipif(not BENCHMARK.exists(), reason="benchmarks are only in the source tree"),
]


def test_an_arm_in_motion_is_braked_by_the_controller_that_is_asked_to_end(backend):
    command = [
        sys.executable,
        str(BENCHMARK),
        "--json",
        "--events",
        "velocity_control interrupted",
        "--backend",
        backend,
    ]
    # The joint states come through a process that waits for a processor too.
    command += ["--joint-states-limit", str(VelocityControlConfig().joint_states_limit_s * busyness())]
    done = subprocess.run(command, env=local_environment(), capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert result["fault"] == "stopped: shutdown"  # and at no time blind
    assert result["moving_commands"] < 100  # each is a braking step; a controller that never gets to zero sends 200
    assert result["stop_time_s"] is not None
    assert result["travel_rad"] < 0.2
