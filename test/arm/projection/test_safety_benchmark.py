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
    "p50_units",
    "p99_units",
    "unit_us",
    "arms",
}


@pytest.mark.skipif(not BENCHMARK.exists(), reason="benchmarks are only in the source tree")
@pytest.mark.parametrize(
    ("arm", "options"),
    [
        ("offset_wrist_arm", ("--urdf", "urdf/test_arms/offset_wrist_arm.urdf", "--tool-frame", "tool0")),
        ("gen3", ("--robot", "gen3")),
    ],
)
def test_benchmark_of_one_arm_reports_no_violation(arm, options):
    command = [sys.executable, str(BENCHMARK), "--json", "--steps", "1000", *options]
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
    assert 0.0 < report["p50_units"] < report["p99_units"]
    assert [row["arm"] for row in report["arms"]] == [arm]
    assert {key: report[key] for key in report if key.endswith("violations")} == dict.fromkeys(
        (key for key in report if key.endswith("violations")), 0
    )
