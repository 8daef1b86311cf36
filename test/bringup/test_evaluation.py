"""Evaluation over ROS: a folder of its own with the policy pinned, greedy episodes alone, and its result."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from graph import naf_robot
from policies import standing_still

from naf_robot.bringup.cli import OVER_ROS
from naf_robot.bringup.evaluation import EVALUATE_OPTIONS, LIKE_TRAINING, evaluation_result, prepare_evaluation
from naf_robot.bringup.options import SystemOptions, options
from naf_robot.bringup.training import prepare
from naf_robot.core.errors import NafRobotError
from naf_robot.core.records import PolicyParameters
from naf_robot.run.checkpoint import Checkpoint, write_checkpoint
from naf_robot.run.config import load
from naf_robot.run.contract import contract_of
from naf_robot.run.pin import PinFile


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run of two robots with a checkpoint of version 7, which stands still."""
    settings = ["task.episode_steps=15", "collector.evaluation_period=4"]
    run = prepare(SystemOptions(robots="left,right", run_dir=str(tmp_path / "run"), settings=settings))
    run.lock.release()
    spec = run.config.make_task().observation_spec
    policy = PolicyParameters(standing_still(spec.size, 7).arrays(), 7, "reach", spec.hash, 0, 0, "of_another")
    write_checkpoint(run.run_dir, Checkpoint({"x": np.zeros(1)}, policy, {}), keep=2)
    return run.run_dir


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_its_folder_holds_the_pinned_policy_and_the_run_is_only_read(run_dir: Path, tmp_path: Path):
    before = files(run_dir)
    settings = "robots.right.base_pose=[0,1,0,0,0,0]"
    given = {"run_dir": str(run_dir), "episodes": "9", "robots": "right", "simulated": "no", "settings": settings}
    run = prepare_evaluation(given | {"out_dir": str(tmp_path / "out")})
    run.lock.release()
    assert files(run_dir) == before
    config = load(tmp_path / "out" / "config.yaml")
    assert tuple(config.robots) == ("right",)
    assert config.robot("right").real
    assert config.robot("right").base_pose[1] == 1.0
    assert (config.seed, config.max_episodes, config.collector.evaluation_period) == (1000, 9, 1)
    assert config.make_task().episode_steps == 15
    pin = PinFile(tmp_path / "out", "right")
    assert pin.changed()
    policy = pin.read(contract_of(config, tmp_path / "out"))
    assert policy is not None
    assert policy.version == 7
    assert {spec.label for spec in run.specs} == {"right/velocity_control", "right/collector", "trainer"}


@pytest.mark.ros
def test_greedy_episodes_are_run_and_their_result_is_the_last_line(run_dir: Path, tmp_path: Path):
    out = tmp_path / "out"
    process = naf_robot(
        "evaluate", "--run-dir", str(run_dir), "--over-ros", "--episodes", "4", "--out-dir", str(out), merged=True
    )
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    result = json.loads(said.splitlines()[-1])
    assert json.loads((out / "evaluation.json").read_bytes()) == result
    assert (result["episodes"], result["policy_version"], result["run_dir"]) == (4, 7, str(run_dir))
    assert result["success_interval"][0] <= result["success_rate"] <= result["success_interval"][1]
    assert sum(each["episodes"] for each in result["by_robot"].values()) == 4
    records = [json.loads(line) for line in (out / "episodes.jsonl").read_text().splitlines()]
    assert all(record["greedy"] and record["policy_version"] == 7 for record in records)
    assert json.loads((out / "summary.json").read_bytes())["updates"] == 0


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"run_dir": None}, "run_dir must name the run folder"),
        ({"run_dir": "/nowhere"}, "'/nowhere' is not a run folder"),
        ({"version": "8"}, "there are versions [7]"),
        ({"version": "best"}, "no "),
        ({"version": "good"}, "version must be best, newest or a version, got 'good'"),
        ({"episodes": "0"}, "episodes must be a whole number from 1 on, got '0'"),
        ({"seed": "-1"}, "seed must be a whole number from 0 on"),
        ({"robots": "third"}, "unknown robot 'third'"),
        ({"settings": "task.nothing=1"}, "nothing"),
    ],
)
def test_what_cannot_be_evaluated_is_said_in_one_sentence(
    run_dir: Path, tmp_path: Path, given: dict[str, str | None], sentence: str
):
    with pytest.raises(NafRobotError) as error:
        prepare_evaluation({"run_dir": str(run_dir), "out_dir": str(tmp_path / "out")} | given)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_without_evaluation_or_without_episodes_has_no_result(run_dir: Path, tmp_path: Path):
    with pytest.raises(NafRobotError, match="is of no evaluation"):
        evaluation_result(run_dir)
    run = prepare_evaluation({"run_dir": str(run_dir), "out_dir": str(tmp_path / "out")})
    run.lock.release()
    with pytest.raises(NafRobotError, match="finished no episode"):
        evaluation_result(tmp_path / "out")


def test_options_are_called_as_for_a_run():
    assert set(LIKE_TRAINING) <= {each.name for each in options()}
    assert set(OVER_ROS) <= {each.name for each in EVALUATE_OPTIONS}
