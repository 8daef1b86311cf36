"""A stored run is shown as it was: every robot at the same instant, with its goal and its episode."""

from pathlib import Path

import numpy as np
import pytest
from stored_run import PERIOD_S, STEPS, make_stored_run

from naf_robot.core import run_files
from naf_robot.core.errors import RunFolderError
from naf_robot.run.config import resolve, save
from naf_robot.run.contract import contract_of
from naf_robot.view.scene import Scene
from naf_robot.view.stored import StoredRun, read_robots


def test_all_robots_are_shown_at_the_same_instant(tmp_path: Path):
    config = make_stored_run(tmp_path / "run")
    run, scene = StoredRun(read_robots(tmp_path / "run", config)), Scene(config, "")
    left, right = scene.robots["left"], scene.robots["right"]

    first, second = run.episodes["left"]
    assert (first.number, first.greedy, first.success, first.policy_version) == (0, False, False, 5)
    assert (second.number, second.greedy, second.success, second.policy_version) == (1, True, True, 6)
    assert first.span == pytest.approx((10.0, 10.0 + STEPS * PERIOD_S))

    run.show(scene, first.span.begin_s + 5.5 * PERIOD_S, now_s=0.0)
    assert left.position[0] == pytest.approx(0.055)
    assert right.position[0] == pytest.approx(0.0)
    assert left.caption == f"episode 0, exploring, step 5 of {STEPS}: no success"
    assert left.policy_version == "5"
    np.testing.assert_allclose(left.goal, [0.5, 0.0, 0.4], rtol=1e-6)
    assert len(left.trail) == 7

    run.show(scene, 11.3, now_s=0.0)  # between the left robot's episodes: where it ended
    assert left.position[0] == pytest.approx(STEPS / 100)
    run.show(scene, second.span.begin_s, now_s=0.0)
    assert left.position[0] == pytest.approx(1.0)
    np.testing.assert_allclose(left.goal, [0.5, 0.0, 0.5], rtol=1e-6)
    assert len(left.trail) == 2


def test_continuous_joints_turn_the_short_way(tmp_path: Path):
    config = make_stored_run(tmp_path / "run", profile="gen3")
    stored = read_robots(tmp_path / "run", config)["left"]
    turning = [joint in config.robot("left").arm.continuous for joint in config.robot("left").arm.joints]
    assert any(turning)
    first_episode = stored.position[: STEPS + 1, turning]
    assert np.abs(np.diff(first_episode, axis=0)).max() < 0.02


def test_a_folder_without_steps_is_one_sentence(tmp_path: Path):
    config = resolve("reach")
    save(config, tmp_path / run_files.CONFIG)
    with pytest.raises(RunFolderError, match=f"has no {run_files.EXPERIENCE}: nothing to replay"):
        read_robots(tmp_path, config)
    run = tmp_path / "run"
    made = make_stored_run(run)
    other = made.with_robots("left")
    assert set(read_robots(run, other)) == {"left"}
    assert contract_of(made, run).run_id


def test_a_task_that_does_not_observe_joints_cannot_be_replayed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    config = make_stored_run(tmp_path / "run")
    monkeypatch.setattr("naf_robot.view.stored.joint_positions", lambda observed, turning: None)
    with pytest.raises(RunFolderError, match="does not observe joint positions"):
        read_robots(tmp_path / "run", config)
