"""The options of a study: every one is used or refused, by one name with --task and with --env."""

from pathlib import Path

import pytest

from naf_robot.bringup.cli import main
from naf_robot.study.config import load_study

SHORT = ["--episodes", "1", "--evaluate-every", "2", "--evaluation-episodes", "1"]


def said(capsys: pytest.CaptureFixture, *arguments: str) -> str:
    code: object
    try:
        code = main(["study", *arguments])
    except SystemExit as end:  # of argparse
        code = end.code
    assert code == 2
    text = capsys.readouterr().err
    assert text.count("\n") == 1
    return text


@pytest.mark.parametrize("subject", [["--task", "reach"], ["--env", "Pendulum-v1"]])
@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("trainer.threads=2", "does not use trainer.threads (command line); it uses algorithm"),
        ("max_episodes=3", "does not use max_episodes"),
        ("exploration.scale=1", "does not use exploration.scale"),
        ("trainer.reward_scal=1", "does not use trainer.reward_scal"),
        ("algorithm.batch=1", "unknown configuration key 'batch' in algorithm"),
        ("collector.exploration.scal=1", "unknown configuration key 'scal' in collector.exploration"),
        ("collector.exploration.scale=nan", "collector.exploration.scale"),
    ],
)
def test_a_setting_that_a_study_has_no_use_for_is_refused(
    capsys: pytest.CaptureFixture, tmp_path: Path, subject: list[str], setting: str, text: str
):
    assert text in said(capsys, *subject, "--set", setting, "--output", str(tmp_path / "study"))
    assert list(tmp_path.iterdir()) == []


def test_a_task_is_no_part_of_a_foreign_environment(capsys: pytest.CaptureFixture):
    assert "a study of an environment does not use task.x" in said(capsys, "--env", "Pendulum-v1", "--set", "task.x=1")


@pytest.mark.parametrize("subject", [["--task", "reach"], ["--env", "Pendulum-v1"]])
def test_one_name_for_each_setting_whatever_is_learned(tmp_path: Path, subject: list[str]):
    file = tmp_path / "mine.yaml"
    file.write_text("trainer: {replay_capacity: 500, learning_starts: 100000}\nalgorithm: {batch_size: 32}\n")
    settings = ["--set", "collector.exploration.scale=0.125", "--set", "trainer.reward_scale=0.5"]
    assert main(["study", *subject, *SHORT, "--config", str(file), *settings, "--output", str(tmp_path / "s")]) == 0
    study = load_study(tmp_path / "s")
    assert study.options.exploration.scale == 0.125
    assert (study.options.reward_scale, study.options.replay_capacity) == (0.5, 500)
    assert study.algorithm_settings["batch_size"] == 32
    assert main(["study", "--resume", str(tmp_path / "s"), *settings, "--config", str(file)]) == 0


@pytest.mark.parametrize("subject", [["--task", "reach"], ["--env", "Pendulum-v1"]])
def test_on_resume_a_setting_may_be_repeated_but_not_changed(
    capsys: pytest.CaptureFixture, tmp_path: Path, subject: list[str]
):
    folder = str(tmp_path / "s")
    settings = ["--set", "trainer.learning_starts=100000", "algorithm.batch_size=32"]
    assert main(["study", *subject, *SHORT, *settings, "--output", folder]) == 0
    capsys.readouterr()
    text = said(capsys, "--resume", folder, "--set", "algorithm.batch_size=33")
    assert "keeps its --set algorithm.batch_size=32; only --episodes may change" in text
    text = said(capsys, "--resume", folder, "--reward-scale", "7")
    assert "keeps its --reward-scale 1.0" in text


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--seeds", "-1"], "--seeds: must be a whole number of at least 0"),
        (["--seeds", "1", "1"], "--seeds must differ"),
        (["--episodes", "0"], "Expected `int` >= 1 at options.episodes"),
        (["--evaluation-episodes", "0"], "Expected `int` >= 1 at options.evaluation_episodes"),
        (["--stop-at-success", "nan"], "options.stop_at_success must be a finite number"),
        (["--checkpoint-period", "0"], "--checkpoint-period: must be a finite number greater than 0"),
        (["--updates-per-transition", "inf"], "must be a finite number"),
    ],
)
def test_numbers_out_of_range_are_one_line(capsys: pytest.CaptureFixture, arguments: list[str], text: str):
    assert text in said(capsys, "--task", "reach", *arguments)


def test_the_robot_of_a_study_is_a_profile(tmp_path: Path, capsys: pytest.CaptureFixture):
    assert main(["study", "--task", "reach", "--robot", "ur5e", *SHORT, "--output", str(tmp_path / "study")]) == 0
    (robot, *_) = load_study(tmp_path / "study").run["robots"].values()
    assert robot["profile"] == "ur5e"
    assert len(robot["arm"]["joints"]) == 6
    capsys.readouterr()
    assert "resumed study keeps it" in said(capsys, "--resume", str(tmp_path / "study"), "--robot", "fr3")
    assert "robot of a task of ours" in said(capsys, "--env", "Pendulum-v1", "--robot", "fr3")
    assert "valid: arm7, " in said(capsys, "--task", "reach", "--robot", "fr33")


def test_the_simulator_of_a_study_is_chosen_by_name(tmp_path: Path, capsys: pytest.CaptureFixture):
    assert "unknown simulator 'dream'; valid: gazebo, mujoco" in said(capsys, "--task", "reach", "--backend", "dream")
    assert "backend of a task of ours" in said(capsys, "--env", "Pendulum-v1", "--backend", "mujoco")
