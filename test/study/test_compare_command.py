"""`naf-robot compare` in the synchronous simulation, and what it refuses."""

import json
from pathlib import Path

import numpy as np
import pytest
from policies import standing_still, untrained

from naf_robot.bringup.cli import main
from naf_robot.core.records import PolicyParameters
from naf_robot.run.checkpoint import Checkpoint, write_checkpoint
from naf_robot.run.config import resolve, save

CONFIG = resolve("reach", overrides=[{"task": {"episode_steps": 12}}])


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    pytest.importorskip("mujoco", reason="needs a simulator")
    save(CONFIG, tmp_path / "config.yaml")
    spec = CONFIG.make_task().observation_spec
    for version, policy in (
        (3, standing_still(spec.size, 7)),
        (5, untrained(spec.size, 7)),
        (6, untrained(spec.size, 7)),
    ):
        parameters = PolicyParameters(policy.arrays(), version, "reach", spec.hash, version, 0)
        write_checkpoint(tmp_path, Checkpoint({"x": np.zeros(1)}, parameters, {}), keep=5)
    return tmp_path


def compare(run_dir: Path, *arguments: str) -> int:
    return main(["compare", "--run-dir", str(run_dir), *arguments])


def test_both_see_the_same_episodes(run_dir: Path, capsys: pytest.CaptureFixture[str]):
    assert compare(run_dir, "--versions", "5", "6", "--pairs", "3") == 0
    same = json.loads(capsys.readouterr().out)
    assert same["return_difference"] == 0.0
    assert (same["versions"], same["pairs"], same["verdict"]) == ([5, 6], 3, "not decided")
    assert compare(run_dir, "--versions", "3", "5", "--pairs", "3") == 0
    other = json.loads(capsys.readouterr().out)
    assert other["return_difference"] > 0.0
    assert other["mean_return"][1] == same["mean_return"][0]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "those with checkpoints: 3, 5, 6"),
        (["--versions", "3", "3"], "cannot be compared with itself"),
        (["--versions", "3"], "a comparison is of two"),
        (["--versions", "3", "4"], "there are versions [3, 5, 6]"),
        (["--versions", "3", "5", "--robots", "nobody"], "unknown robot 'nobody'; valid: robot_1"),
        (["--versions", "3", "5", "--robots", "all", "--set", "seed=1"], "have their own configuration"),
        (["--versions", "3", "5", "--confidence", "1"], "--confidence must lie in"),
        (["--versions", "3", "5", "--set", "trainer.threads=2"], "a comparison"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence(
    run_dir: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
):
    assert compare(run_dir, *arguments) == 2
    error = capsys.readouterr().err
    assert text in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert not (run_dir / "comparison").exists()
