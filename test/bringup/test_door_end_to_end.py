"""The door tasks over real ROS 2, as a user would start them."""

import json
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from graph import graph, naf_robot

from naf_robot.bringup.system import RobotNodes, training_system
from naf_robot.experience.store import ExperienceStore
from naf_robot.run.config import load
from naf_robot.run.contract import contract_of

pytestmark = [pytest.mark.ros, pytest.mark.timeout(600)]
SHORT = ("--set", "task.episode_steps=40", "trainer.learning_starts=60")


def train(task: str, run_dir: Path, *options: str) -> dict:
    with graph() as g:
        process = naf_robot("train", "--task", task, "--run-dir", str(run_dir), "--max-episodes", "4", *options, *SHORT)
        g.wait_for(lambda: process.poll() is not None, 200.0, "the run ends")
        _, err = process.communicate(timeout=30)
        assert process.returncode == 3, err  # the end of the episodes without success
    return json.loads((run_dir / "summary.json").read_text())


def test_the_real_protocol_learns_from_an_imu(tmp_path: Path):
    run_dir = tmp_path / "run"
    summary = train("door_real", run_dir, "--robots", "2")
    assert summary["steps_lost"] == 0
    for robot in ("robot_1", "robot_2"):
        assert (run_dir / "door_imu" / f"{robot}.yaml").is_file()
    config = load(run_dir / "config.yaml")
    store = ExperienceStore(run_dir / "experience.sqlite", contract_of(config, run_dir))
    for message in store.batches():
        observed = message.batch.observation["door_orientation"]
        assert abs((observed**2).sum(axis=1) - 1.0).max() < 1e-3
        assert observed[:, 3].min() > 0.9


def test_push_and_pull_know_the_door_without_one(tmp_path: Path):
    assert train("door_push", tmp_path / "run", "--robots", "1")["steps_lost"] == 0


def test_each_robot_has_a_door_sensor_that_outlives_its_collector(tmp_path: Path):
    specs = training_system(tmp_path / "config.yaml", RobotNodes(("left", "right"), sensor_nodes=["door_sensor"]))
    sensors = {spec.label: spec for spec in specs if spec.name == "door_sensor"}
    assert set(sensors) == {"left/door_sensor", "right/door_sensor"}
    collectors = [spec for spec in specs if spec.name == "collector"]
    assert all(sensor.stop_order > collector.stop_order for sensor in sensors.values() for collector in collectors)
    assert not [
        spec for spec in training_system(tmp_path / "config.yaml", RobotNodes(("left",))) if spec.name == "door_sensor"
    ]
