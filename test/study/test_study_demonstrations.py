"""A study whose source `demonstration` is filled from folders: what is drawn, counted, refused and taken up again."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from stored_run import STEPS, make_stored_run

from naf_robot.bringup.cli import main
from naf_robot.run.checkpoint import read_checkpoint
from naf_robot.study.config import load_study
from naf_robot.study.seeds import make_study

EPISODE = 30
TRANSITIONS = 2 * 2 * STEPS  # two robots, two episodes each
SHORT = ["--task", "reach", "--episodes", "4", "--learning-starts", "40", "--evaluate-every", "4"]
SHORT += ["--evaluation-episodes", "1", "--set", f"task.episode_steps={EPISODE}", "algorithm.batch_size=16"]
CLONED = ["trainer.sources.demonstration=[[0,1.0],[80,0.5]]", "algorithm.cloning_weight=[[0,0.5],[100,0.0]]"]


def study(*words: object) -> int:
    return main(["study", *SHORT, *map(str, words)])


def test_demonstrations_are_drawn_beside_its_own_transitions_and_not_counted(tmp_path: Path):
    make_stored_run(tmp_path / "shown")
    assert (
        study("--demonstrations", tmp_path / "shown", "--json", tmp_path / "rows.json", "--output", tmp_path / "s") == 0
    )
    config = load_study(tmp_path / "s")
    assert config.options.sources.demonstration == 1.0  # the same share as its own
    (row,) = json.loads((tmp_path / "rows.json").read_text())["seeds"][0]["rows"]
    assert row["env_steps"] == 4 * EPISODE
    assert row["updates"] == 4 * EPISODE - 40 + 1
    made, _ = make_study(config, 0)
    assert len(made.algorithm.sources["demonstration"]) == TRANSITIONS
    assert len(made.algorithm.sources["online"]) == 0


def test_a_share_and_a_cloning_weight_of_the_user_stand_and_change_what_is_learned(tmp_path: Path):
    make_stored_run(tmp_path / "shown")
    shown = ["--demonstrations", tmp_path / "shown"]
    learned = {}
    for name, words in {"alone": [], "beside": shown, "cloned": [*shown, "--set", *CLONED]}.items():
        assert study(*words, "--output", tmp_path / name) == 0
        arrays = read_checkpoint(tmp_path / name / "seed0").policy.arrays
        learned[name] = np.concatenate([array.ravel() for array in arrays.values()])
    assert load_study(tmp_path / "cloned").options.sources.demonstration == ((0, 1.0), (80, 0.5))
    assert (learned["alone"] != learned["beside"]).any()
    assert (learned["beside"] != learned["cloned"]).any()


def test_a_study_with_demonstrations_is_taken_up_bit_for_bit(tmp_path: Path):
    make_stored_run(tmp_path / "shown")
    words = ["--demonstrations", tmp_path / "shown", "--set", *CLONED]
    assert study(*words, "--output", tmp_path / "unbroken") == 0
    assert study(*words, "--output", tmp_path / "broken", "--episodes", "2") == 0
    assert (
        main(
            [
                "study",
                "--resume",
                str(tmp_path / "broken"),
                "--episodes",
                "4",
                "--demonstrations",
                str(tmp_path / "shown"),
            ]
        )
        == 0
    )
    one, other = (read_checkpoint(tmp_path / name / "seed0") for name in ("unbroken", "broken"))
    assert one.counters == other.counters
    for name, array in one.learner_state.items():
        np.testing.assert_array_equal(array, other.learner_state[name], err_msg=name)


def test_folders_that_were_changed_or_exchanged_are_refused_on_resume(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    make_stored_run(tmp_path / "shown")
    make_stored_run(tmp_path / "others")
    assert study("--demonstrations", tmp_path / "shown", "--output", tmp_path / "s", "--episodes", "2") == 0
    capsys.readouterr()
    resume = ["study", "--resume", str(tmp_path / "s"), "--episodes", "4"]
    assert main([*resume, "--demonstrations", str(tmp_path / "others")]) == 2
    assert "a resumed study keeps its --set trainer.filled.demonstration=" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "shown")
    monkeypatch.setattr("stored_run.PERIOD_S", 0.06)
    make_stored_run(tmp_path / "shown")
    assert main(resume) == 2
    said = capsys.readouterr().err
    assert f"the folders that fill the sources hold {TRANSITIONS} transitions" in said
    assert said.count("\n") == 1


BAD = {
    "no folder": (["--demonstrations", "{there}/none"], "holds no stored steps"),
    "another task": (["--demonstrations", "{there}/door"], "has task 'door_push'; this run needs 'reach'"),
    "another robot": (["--demonstrations", "{there}/six"], "joints is 6 there and 7 here"),
    "another robot of as many joints": (["--demonstrations", "{there}/seven"], "its joints are fr3_joint1, fr3_joint2"),
    "another scale": (
        ["--demonstrations", "{there}/a", "--set", "collector.action_velocity=0.5"],
        "collector.action_velocity is 1.0 there and 0.5 here",
    ),
    "no share": (["--demonstrations", "{there}/a", "--set", "trainer.sources.demonstration=0.0"], "has no share"),
    "cloned, but not learned from": (
        ["--set", "algorithm.cloning_weight=0.5"],
        "trainer.sources.demonstration a share",
    ),
    "not filled": (["--set", "trainer.sources.demonstration=0.5"], "nothing fills demonstration in this run"),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_is_wrong_is_one_sentence_and_leaves_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture, bad: str):
    make_stored_run(tmp_path / "a")
    make_stored_run(tmp_path / "door", "door_push")
    make_stored_run(tmp_path / "six", profile="ur5e")
    make_stored_run(tmp_path / "seven", profile="fr3")
    words, sentence = BAD[bad]
    capsys.readouterr()
    assert study(*(word.format(there=tmp_path) for word in words), "--output", tmp_path / "s") == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert sentence in line
    assert not (tmp_path / "s").exists()


def test_an_environment_of_others_has_no_demonstrations(tmp_path: Path, capsys: pytest.CaptureFixture):
    assert main(["study", "--env", "Pendulum-v1", "--demonstrations", str(tmp_path)]) == 2
    assert "--demonstrations are stored steps of a task of ours" in capsys.readouterr().err
