"""In every simulator two robots learn over ROS, an IMU on each door, and nothing is lost."""

import json
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from graph import graph, naf_robot

from naf_robot.run.config import load
from naf_robot.run.robot import DEFAULT_BACKEND
from naf_robot.sensing.registry import make_sensor
from naf_robot.sim.registry import SIMULATORS

pytestmark = [pytest.mark.ros, pytest.mark.timeout(300)]
OTHERS = sorted(set(SIMULATORS) - {DEFAULT_BACKEND})  # in that one test_door_end_to_end.py trains
SHORT = (
    "--set",
    "task.episode_steps=40",
    "trainer.learning_starts=60",
    "trainer.publish_period_updates=10",
    "trainer.ratio_tolerance=20",
    "collector.evaluation_period=2",
)


@pytest.mark.parametrize("backend", OTHERS, indirect=True)
def test_two_doors_with_imus_are_learned_from_and_nothing_is_lost(backend, tmp_path: Path):
    run_dir = tmp_path / "run"
    with graph() as g:
        process = naf_robot(
            "train", "--task", "door_real", "--backend", backend, "--robots", "2", "--run-dir", str(run_dir),
            "--max-episodes", "12", *SHORT,
        )  # fmt: skip
        g.wait_for(lambda: process.poll() is not None, 200.0, "the run ends")
        _, err = process.communicate(timeout=30)
        assert process.returncode == 3, err
    summary = json.loads((run_dir / "summary.json").read_text())
    assert summary["episodes"] >= 12
    assert summary["steps_lost"] == 0
    assert summary["updates"] > 0
    assert {json.loads(line)["robot"] for line in (run_dir / "episodes.jsonl").read_text().splitlines()} == {
        "robot_1", "robot_2",
    }  # fmt: skip
    sensor = make_sensor("door_imu", (), load(run_dir / "config.yaml").sensors)
    for robot in ("robot_1", "robot_2"):
        assert (run_dir / sensor.calibration.format(robot=robot)).is_file()
