"""The task that sees over real ROS 2: pictures from the simulator to the trainer, and a policy that acts on them."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from graph import graph, naf_robot
from rendering import needs_rendering

from naf_robot.core.images import decode_image
from naf_robot.experience.reader import StoreReader
from naf_robot.run.checkpoint import read_checkpoint
from naf_robot.run.config import load
from naf_robot.run.contract import contract_of

pytestmark = [pytest.mark.ros, pytest.mark.timeout(600), needs_rendering]
SHORT = ("task.episode_steps=30", "trainer.learning_starts=30", "trainer.updates_per_transition=0.5")


def test_what_two_robots_see_is_learned_from(tmp_path: Path):
    run_dir = tmp_path / "run"
    options = ("--task", "reach_camera", "--robots", "2", "--run-dir", str(run_dir), "--max-episodes", "4")
    with graph() as g:
        process = naf_robot("train", *options, "--set", *SHORT)
        g.wait_for(lambda: process.poll() is not None, 200.0, "the run ends")
        _, err = process.communicate(timeout=30)
        assert process.returncode == 3, err  # the end of the episodes without success
    policy = read_checkpoint(run_dir).policy
    assert (policy.kind, policy.updates > 0) == ("vision", True)
    contract = contract_of(load(run_dir / "config.yaml"), run_dir)
    reader, (spec,) = StoreReader(run_dir / "experience.sqlite", contract), contract.steps.observation.images
    acted = 0
    for held in reader.after():
        batch = held.message.batch
        acted += int(batch.has_action.sum())
        first, last = (decode_image(batch.images[spec.name][row], spec) for row in (0, len(batch) - 1))
        assert first.max() > 100, "nothing is seen"
        assert len(batch) < 5 or np.abs(first.astype(int) - last).max() > 20, "the picture stands still"
    reader.close()
    assert acted >= 4 * 30 - 2
    for robot in ("robot_1", "robot_2"):
        assert (run_dir / "calibrations" / robot / "camera.yaml").is_file()
