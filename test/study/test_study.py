"""A study that is killed and resumed equals an uninterrupted one bit for bit."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
import yaml

from naf_robot.bringup.cli import main
from naf_robot.core.errors import CheckpointError
from naf_robot.experience.contract import Contract
from naf_robot.learning.exploration import ExplorationConfig
from naf_robot.learning.registry import ALGORITHMS
from naf_robot.run.checkpoint import read_checkpoint
from naf_robot.run.config import resolve
from naf_robot.run.environments import make_environment
from naf_robot.study.archive import StudyArchive
from naf_robot.study.config import StudyOptions, load_study
from naf_robot.study.gym_episodes import step_spec
from naf_robot.study.study import Study

OPTIONS = StudyOptions(episodes=6, learning_starts=30, evaluate_every=2, evaluation_episodes=2, replay_capacity=100)
SHORT = ["--task", "reach", "--seeds", "3", "4", "--episodes", "14", "--learning-starts", "40", "--evaluate-every", "3"]
SHORT += ["--evaluation-episodes", "2", "--set", "task.episode_steps=40", "simulator.imperfections.position_noise=0.01"]


def make(algorithm: str = "naf", seed: int = 0, options: StudyOptions = OPTIONS, **algorithm_settings) -> Study:
    torch.set_num_threads(1)
    settings = {"task": {"episode_steps": 20}, "algorithm": algorithm_settings}
    config = resolve("reach", algorithm, [settings])
    pair = make_environment(config), make_environment(config)
    return Study(*pair, algorithm, config.algorithm_config(), options, seed)


def archive(folder: Path, algorithm: str = "naf", task: str = "reach", period_s: float = 1e9) -> StudyArchive:
    return StudyArchive(folder, Contract(task, step_spec(make_environment(resolve("reach")))), algorithm, period_s)


def advance(study: Study, kept: StudyArchive | None, episodes: int) -> None:
    while study.episodes < episodes:
        transitions = study.train()
        if kept is not None:
            kept.keep(study, transitions)
        if study.evaluation_is_due:
            study.evaluate()


def stored(study: Study) -> np.ndarray:
    replay = study.algorithm.sources["online"]
    return replay.observations[: 2 * len(replay)].numpy()


def assert_same(one: Study, other: Study) -> None:
    assert one.counters() == other.counters()
    expected, found = one.algorithm.state(), other.algorithm.state()
    for state, study in ((expected, one), (found, other)):
        state["observations"], state["outcomes"] = (
            tensor.numpy() for tensor in study.algorithm.sources["online"].contents()
        )
    assert expected.keys() == found.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_a_study_taken_up_between_any_two_episodes_is_the_unbroken_one(tmp_path: Path, algorithm: str):
    unbroken = make(algorithm)
    advance(unbroken, None, 6)
    assert unbroken.is_over
    for written in (1, 3, 5):
        folder = tmp_path / str(written)
        kept, first = archive(folder, algorithm), make(algorithm)
        advance(first, kept, written)
        kept.checkpoint(first)
        advance(first, kept, 6 if written == 3 else written)  # episodes after the checkpoint are made again
        kept.close()
        kept, second = archive(folder, algorithm), make(algorithm)
        kept.take_up(second)
        assert second.episodes == written
        advance(second, kept, 6)
        kept.close()
        assert_same(second, unbroken)


def test_successes_in_replay_and_pauses_in_the_noise_are_taken_up_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("naf_robot.tasks.reach.Reach.success", lambda task, signals, goal: goal["target"][1] > 0.0)
    exploration = ExplorationConfig(final_scale=0.1, noise_free_fraction=0.5, mean_burst_steps=3)
    options = msgspec.structs.replace(OPTIONS, success_fraction=0.4, exploration=exploration)
    unbroken = make(options=options)
    advance(unbroken, None, 6)
    assert 0 < sum(unbroken.counters()["outcomes"]) < 6
    kept, first = archive(tmp_path), make(options=options)
    advance(first, kept, 4)
    kept.checkpoint(first)
    kept.close()
    kept, second = archive(tmp_path), make(options=options)
    kept.take_up(second)
    advance(second, kept, 6)
    kept.close()
    assert_same(second, unbroken)


def test_without_a_checkpoint_it_begins_at_the_start_and_with_a_torn_one_at_the_older(tmp_path: Path):
    unbroken = make()
    advance(unbroken, None, 6)
    kept, first = archive(tmp_path), make()
    advance(first, kept, 2)
    kept.close()
    kept, second = archive(tmp_path), make()
    kept.take_up(second)
    assert second.episodes == 0
    advance(second, kept, 3)
    kept.checkpoint(second)
    advance(second, kept, 4)
    kept.checkpoint(second)
    newest = sorted((tmp_path / "checkpoints").iterdir())[-1]
    (newest / "learner.safetensors").write_bytes(b"torn")
    kept.close()
    kept, third = archive(tmp_path), make()
    kept.take_up(third)
    assert third.episodes == 3
    advance(third, kept, 6)
    kept.checkpoint(third)
    assert_same(third, unbroken)


def test_what_another_study_wrote_is_refused(tmp_path: Path):
    kept, study = archive(tmp_path), make()
    advance(study, kept, 3)
    kept.checkpoint(study)
    kept.close()
    for other, algorithm, text in (
        (make(seed=1), "naf", "is of seed 0, this study's is 1"),
        (make("sac"), "sac", r"algorithm .*'naf'.*this run .*'sac'"),
        (make(hidden=[50, 50]), "naf", "does not fit this configuration"),
    ):
        kept = archive(tmp_path, algorithm)
        with pytest.raises(CheckpointError, match=text):
            kept.take_up(other)
        kept.close()
    kept, different = archive(tmp_path), make(seed=1)
    with pytest.raises(CheckpointError, match="episode 1, repeated after a restart, differs"):
        advance(different, kept, 1)
    kept.close()


def study(folder: Path, *arguments: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "naf_robot.bringup.cli", "study", *arguments]
    with folder.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def wait_until(condition, within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def begin(folder: Path) -> subprocess.Popen:
    return study(folder, *SHORT, "--output", str(folder), "--checkpoint-period", "0.1")


def test_killed_at_random_instants_and_resumed_it_is_the_unbroken_study(tmp_path: Path):
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    assert begin(unbroken).wait(60) == 0

    def checkpoints() -> set[str]:
        return {str(path) for path in broken.glob("seed*/checkpoints/0*")}

    child = begin(broken)
    for _ in range(3):
        known = checkpoints()
        wait_until(lambda known=known: checkpoints() - known)
        time.sleep(random.uniform(0.0, 0.3))
        child.kill()
        assert child.wait() == -signal.SIGKILL, "it was over before it could be killed"
        child = study(broken, "--resume", str(broken), "--checkpoint-period", "0.1")
    assert child.wait(60) == 0, broken.with_suffix(".log").read_text()
    curves = [re.sub(r'"command".*', "", (folder / "results.json").read_text()) for folder in (unbroken, broken)]
    assert curves[0] == curves[1]
    for seed in ("seed3", "seed4"):
        expected, found = read_checkpoint(unbroken / seed), read_checkpoint(broken / seed)
        assert expected.counters == found.counters
        assert expected.policy.updates == found.policy.updates > 0
        for name, array in (expected.learner_state | expected.policy.arrays).items():
            np.testing.assert_array_equal((found.learner_state | found.policy.arrays)[name], array, err_msg=name)


def test_a_signal_ends_it_after_the_episode_and_a_second_process_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    folder = tmp_path / "study"
    child = begin(folder)
    wait_until((folder / "seed3" / "checkpoints").is_dir)
    os.kill(child.pid, signal.SIGSTOP)
    assert main(["study", "--resume", str(folder)]) == 2
    assert f"in use by process {child.pid}" in capsys.readouterr().err
    os.kill(child.pid, signal.SIGTERM)
    os.kill(child.pid, signal.SIGCONT)
    assert child.wait(30) == 0
    said = folder.with_suffix(".log").read_text()
    episodes = int(re.search(r"seed 3 stopped after (\d+) episodes; continue with --resume", said)[1])
    assert read_checkpoint(folder / "seed3").counters["episodes"] == episodes < 14


def test_a_resumed_study_keeps_what_it_is_and_may_go_on_longer(tmp_path: Path, capsys: pytest.CaptureFixture):
    def said(*arguments: str) -> str:
        assert main(["study", *arguments]) == 2
        text = capsys.readouterr().err
        assert text.count("\n") == 1
        return text

    folder = tmp_path / "study"
    one = ["--task", "reach", "--episodes", "1", "--set", "task.episode_steps=10"]
    assert main(["study", *one, "--output", str(folder)]) == 0
    resume = ["--resume", str(folder)]
    assert main(["study", *resume, "--episodes", "3", "--task", "reach"]) == 0
    assert read_checkpoint(folder / "seed0").counters["episodes"] == 3
    assert "exists already" in said(*one, "--output", str(folder))
    assert "a resumed study keeps its --task reach; only --episodes" in said(*resume, "--task", "door_push")
    assert "keeps its --seeds [0]" in said(*resume, "--seeds", "1")
    assert "keeps its --set" in said(*resume, "--set", "task.episode_steps=11")
    assert "is not the folder of a study" in said("--resume", str(tmp_path))
    assert "exclude each other" in said(*resume, "--output", str(tmp_path / "b"))
    file = folder / "study.yaml"
    values = yaml.safe_load(file.read_text())
    file.write_text(yaml.safe_dump(values | {"schema_version": 9}))
    assert "has schema version 9; this version reads 1" in said(*resume)
    door = msgspec.to_builtins(resolve("door_push"))
    file.write_text(yaml.safe_dump(values | {"task": "door_push", "run": door}))
    assert "has task 'reach'; this run needs 'door_push'" in said(*resume)


def test_nothing_is_left_behind_by_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture):
    for wrong in (["--env", "None-v0"], ["--task", "fly"], ["--task", "reach", "--episodes", "0"], []):
        assert main(["study", *wrong, "--output", str(tmp_path / "study")]) == 2
        assert not (tmp_path / "study").exists()
    assert "cannot make environment 'None-v0'" in capsys.readouterr().err


def test_any_gymnasium_environment_can_be_gone_on_with(tmp_path: Path):
    arguments = ["--env", "Pendulum-v1", "--episodes", "2", "--evaluate-every", "2", "--evaluation-episodes", "1"]
    whole, halved = tmp_path / "whole", tmp_path / "halved"
    assert main(["study", *arguments, "--output", str(whole)]) == 0
    arguments[3] = "1"
    assert main(["study", *arguments, "--output", str(halved)]) == 0
    assert main(["study", "--resume", str(halved), "--episodes", "2"]) == 0
    one, other = read_checkpoint(whole / "seed0"), read_checkpoint(halved / "seed0")
    assert one.counters == other.counters
    for name, array in one.learner_state.items():
        np.testing.assert_array_equal(other.learner_state[name], array, err_msg=name)


def test_a_task_says_how_it_is_learned_and_the_command_line_has_the_last_word(tmp_path: Path):
    settings = ["trainer.reward_scale=0.25", "trainer.updates_per_transition=2", "trainer.learning_starts=100000"]
    common = ["study", "--task", "reach", "--episodes", "1", "--evaluate-every", "2", "--set", *settings]
    assert main([*common, "--output", str(tmp_path / "task")]) == 0
    assert main([*common, "--reward-scale", "0.5", "--output", str(tmp_path / "line")]) == 0
    of_task, of_line = (load_study(tmp_path / name).options for name in ("task", "line"))
    assert (of_task.reward_scale, of_task.updates_per_transition, of_task.learning_starts) == (0.25, 2.0, 100000)
    assert (of_line.reward_scale, of_line.updates_per_transition) == (0.5, 2.0)
