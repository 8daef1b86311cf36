import json
import subprocess
import sys

import pytest

from naf_robot.core.resources import SOURCE_ROOT

BENCHMARK = SOURCE_ROOT / "benchmarks" / "safety.py"
KEYS = {
    "steps",
    "sphere_violations",
    "joint_violations",
    "speed_violations",
    "acceleration_violations",
    "worst_sphere_margin_m",
    "p50_us",
    "p99_us",
    "arms",
}


@pytest.mark.skipif(not BENCHMARK.exists(), reason="benchmarks are only in the source tree")
def test_benchmark_of_a_foreign_arm_reports_no_violation():
    urdf = "urdf/test_arms/offset_wrist_arm.urdf"
    command = [sys.executable, str(BENCHMARK), "--json", "--steps", "1000", "--urdf", urdf, "--tool-frame", "tool0"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        cwd=SOURCE_ROOT,
        env={"PYTHONPATH": str(SOURCE_ROOT), "OMP_NUM_THREADS": "1"},
    )
    report = json.loads(done.stdout)
    assert report.keys() >= KEYS
    assert report["steps"] >= 1000
    assert [arm["arm"] for arm in report["arms"]] == ["offset_wrist_arm"]
    assert {key: report[key] for key in report if key.endswith("violations")} == dict.fromkeys(
        (key for key in report if key.endswith("violations")), 0
    )
