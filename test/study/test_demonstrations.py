"""naf-robot demonstrate: scripted episodes in the simulator, kept as a run folder that is read like any other."""

import json
from pathlib import Path

import numpy as np
import pytest
from rendering import skip_if_it_cannot_render

from naf_robot.bringup.cli import main
from naf_robot.core import run_files
from naf_robot.experience.reader import StoreReader
from naf_robot.run.config import load, resolve
from naf_robot.run.contract import contract_of
from naf_robot.run.environments import make_environment
from naf_robot.study.demonstrations import scripted_acting
from naf_robot.tasks.scripted.registry import SCRIPTED

SHORT = {
    "reach": 60,
    "reach_camera": 60,
    "door_push": 100,
    "door_pull": 100,
    "door_real": 100,
    "pick_place": 150,
}  # steps in which the script is done


def stored(folder: Path):
    config = load(folder / run_files.CONFIG)
    reader = StoreReader(folder / run_files.EXPERIENCE, contract_of(config, folder))
    found = [held.message for held in reader.after()]
    reader.close()
    return found


def demonstrated(capsys: pytest.CaptureFixture, folder: Path, *arguments: str):
    assert main(["demonstrate", "--run-dir", str(folder), "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("task", sorted(SCRIPTED))
def test_every_script_does_its_task_on_held_out_goals_and_with_noise(task):
    skip_if_it_cannot_render(task)
    environment = make_environment(resolve(task, overrides=[{"task": {"episode_steps": SHORT[task]}}]))
    acting = scripted_acting(environment, noise=0.05, seed=1)
    for episode in range(2):
        observation, info = environment.reset(seed=4000 + episode)
        act = acting.begin(info)
        over = False
        while not over:
            observation, _, terminated, truncated, info = environment.step(act(observation))
            over = terminated or truncated
        assert info["success"], episode


def test_episodes_are_a_run_folder_with_the_steps_that_were_made(tmp_path: Path, capsys: pytest.CaptureFixture):
    counts = demonstrated(capsys, tmp_path / "a", "--task", "reach", "--episodes", "2", "--noise", "0.1")
    assert counts["episodes"] == counts["successes"] == counts["kept"] == 2
    assert (counts["task"], counts["transitions"]) == ("reach", 300)
    messages = stored(tmp_path / "a")
    assert [(m.collector, m.sequence, m.first_step, len(m.batch)) for m in messages] == [
        ("robot_1", 0, 0, 151),
        ("robot_1", 1, 151, 151),
    ]
    first, second = (m.batch for m in messages)
    assert first.closing[-1]
    assert first.truncated[-1]
    assert first.success[-1]
    assert not first.greedy.any()
    assert np.abs(first.requested_action).max() <= 1.0
    assert (first.observation["target"][0] != second.observation["target"][0]).all()
    stamps = np.concatenate((first.stamp_s, second.stamp_s))
    np.testing.assert_allclose(np.diff(first.stamp_s), 0.05)
    assert (np.diff(stamps) > 0.0).all()
    demonstrated(capsys, tmp_path / "b", "--task", "reach", "--episodes", "2", "--noise", "0.1")
    demonstrated(capsys, tmp_path / "c", "--task", "reach", "--episodes", "2", "--noise", "0.1", "--seed", "1")
    again, other = (stored(tmp_path / name)[0].batch for name in "bc")
    np.testing.assert_array_equal(first.requested_action, again.requested_action)
    assert (first.requested_action != other.requested_action).any()


def test_only_successful_episodes_are_kept_unless_all_are_wanted(tmp_path: Path, capsys: pytest.CaptureFixture):
    few = ["--task", "door_real", "--episodes", "1", "--set", "task.episode_steps=5"]
    assert main(["demonstrate", *few, "--run-dir", str(tmp_path / "none")]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("error: none of 1 episodes of the scripted policy of 'door_real' was a success: nothing")
    assert list(tmp_path.iterdir()) == []
    counts = demonstrated(capsys, tmp_path / "all", *few, "--keep-all")
    assert (counts["successes"], counts["kept"], counts["transitions"]) == (0, 1, 5)
    assert not stored(tmp_path / "all")[0].batch.success.any()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--task", "raech"], "unknown task 'raech'"),
        (["--task", "reach", "--episodes", "0"], "--episodes: must be a whole number of at least 1"),
        (["--task", "reach", "--noise", "-1"], "--noise must be 0 or more, got -1"),
        (["--task", "reach", "--noise", "nan"], "--noise: must be a finite number"),
        (["--task", "reach", "--set", "trainer.threads=2"], "a demonstration does not use trainer.threads"),
        (["--task", "reach", "--robot", "fr33"], "valid: arm6, arm7, "),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture, arguments: list[str], text: str
):
    code: object
    try:
        code = main(["demonstrate", "--run-dir", str(tmp_path / "run"), *arguments])
    except SystemExit as end:  # of argparse
        code = end.code
    assert code == 2
    said = capsys.readouterr().err
    assert text in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture):
    (tmp_path / "mine").write_text("kept", encoding="utf-8")
    assert main(["demonstrate", "--task", "reach", "--run-dir", str(tmp_path)]) == 2
    assert "exists already; name one that does not" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_task_of_another_robot_is_demonstrated_too(tmp_path: Path, capsys: pytest.CaptureFixture):
    counts = demonstrated(capsys, tmp_path / "ur", "--task", "reach", "--robot", "ur5e", "--episodes", "1")
    assert counts["successes"] == 1
    assert stored(tmp_path / "ur")[0].batch.action.shape[1] == 6
