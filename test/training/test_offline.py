"""Learning from stored steps: sources that are filled from folders, and a run without robots."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from stored_run import STEPS, make_stored_run

from naf_robot.bringup.cli import main
from naf_robot.bringup.options import SystemOptions
from naf_robot.bringup.training import prepare
from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import NafRobotError
from naf_robot.learning.registry import ALGORITHMS
from naf_robot.run.checkpoint import read_checkpoint
from naf_robot.run.config import resolve, save
from naf_robot.training.trainer import Trainer

TRANSITIONS = 2 * 2 * STEPS  # two robots, two episodes each


def offline(*words: object) -> int:
    return main(["train", "--task", "reach", *map(str, words), "--set", "trainer.learning_starts=1"])


def stored_under(folder: Path, values: dict) -> None:
    """A stored run whose configuration has `values`."""
    make_stored_run(folder)
    save(resolve("reach", overrides=[values]), folder / "config.yaml")


def trainer_of(folder: Path, **trainer: object) -> Trainer:
    folder.mkdir()
    return Trainer(resolve("reach", overrides=[{"trainer": trainer}]), folder, SteadyClock())


def test_a_run_without_robots_learns_from_folders_and_goes_on_where_it_was(tmp_path: Path, capsys):
    make_stored_run(tmp_path / "a")
    make_stored_run(tmp_path / "b")
    assert offline("--offline", tmp_path / "a", tmp_path / "b", "--run-dir", tmp_path / "run") == 0
    summary = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert summary["filled"] == {"offline": 2 * TRANSITIONS}
    assert summary["updates"] == 2 * 2 * TRANSITIONS
    first = read_checkpoint(tmp_path / "run")
    assert all(np.isfinite(array).all() for array in first.policy.arrays.values())
    more = ["--resume", str(tmp_path / "run"), "--set", "trainer.offline_updates_per_transition=2.5"]
    assert main(["train", *more]) == 0
    assert read_checkpoint(tmp_path / "run").policy.updates == 2.5 * 2 * TRANSITIONS


MIXED = """
trainer:
  filled: {demonstration: [b]}
  sources: {demonstration: [[0, 0.7], [100, 0.1]]}
"""


# not those that other tests register, which may be of another form
OURS = [name for name, entry in ALGORITHMS.items() if entry.learner.startswith("naf_robot.")]


@pytest.mark.parametrize(("algorithm", "mixed"), [*((name, "") for name in OURS), ("naf", MIXED)])
def test_a_killed_run_goes_on_bit_for_bit_from_its_checkpoint(tmp_path: Path, monkeypatch, algorithm: str, mixed: str):
    """What is on the disk when a checkpoint is written is what a process leaves that is killed then."""
    make_stored_run(tmp_path / "a")
    make_stored_run(tmp_path / "b")
    (tmp_path / "mixed.yaml").write_text(mixed or "{}")
    updates = 2 * (2 if mixed else 1) * TRANSITIONS
    write = Trainer.checkpoint

    def kept(self: Trainer) -> Path:
        made = write(self)
        if not (tmp_path / "killed").exists():
            assert 0 < self.updates < updates
            shutil.copytree(tmp_path / "run", tmp_path / "killed")
        return made

    monkeypatch.setattr(Trainer, "checkpoint", kept)
    always = "trainer.checkpoint_period_s=1e-6"
    words = ("--offline", tmp_path / "a", "--algorithm", algorithm, "--run-dir", tmp_path / "run")
    assert offline(*words, "--config", tmp_path / "mixed.yaml", "--set", always) == 0
    assert main(["train", "--resume", str(tmp_path / "killed")]) == 0
    whole, resumed = (read_checkpoint(tmp_path / name) for name in ("run", "killed"))
    assert whole.policy.updates == resumed.policy.updates == updates
    assert whole.learner_state.keys() == resumed.learner_state.keys()
    for arrays, others in ((whole.learner_state, resumed.learner_state), (whole.policy.arrays, resumed.policy.arrays)):
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, others[name], err_msg=name)


ENDLESS = """
import sys
from naf_robot.bringup.cli import main
from naf_robot.experience.reader import StoreReader

after = StoreReader.after

def endless(reader, arrival=0):
    print("filling", flush=True)
    while True:
        yield from after(reader, 0)

StoreReader.after = endless
sys.exit(main(sys.argv[1:]))
"""


def test_ctrl_c_ends_the_filling_of_sources_and_leaves_nothing(tmp_path: Path):
    """In a process of its own, whose folder never ends."""
    make_stored_run(tmp_path / "a")
    words = ["train", "--task", "reach", "--offline", str(tmp_path / "a"), "--run-dir", str(tmp_path / "run")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", ENDLESS, *words], **pipes) as process:
        try:
            while process.stdout.readline().strip() != "filling":
                assert process.poll() is None, process.stderr.read()
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 128 + signal.SIGINT
    assert "stopped while the sources were being filled; nothing was learned" in said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()


def test_the_same_folders_and_seed_give_the_same_policy(tmp_path: Path):
    make_stored_run(tmp_path / "a")
    found = []
    for name in ("one", "two"):
        assert offline("--offline", tmp_path / "a", "--run-dir", tmp_path / name, "--seed", "3") == 0
        found.append(read_checkpoint(tmp_path / name).policy.arrays)
    for name, array in found[0].items():
        np.testing.assert_array_equal(array, found[1][name])


@pytest.mark.parametrize("system", ["train", "trainer"])
def test_the_process_that_launch_starts_learns_the_same(tmp_path: Path, system: str):
    """Where robots' experience has no share, the trainer learns from stored steps alone, however it is started."""
    make_stored_run(tmp_path / "a")
    values = {"task": "reach", "seed": "3", "settings": "trainer.learning_starts=1"}
    values |= {"offline": f"{tmp_path / 'a'}, "} if system == "train" else {"config": str(tmp_path / "mine.yaml")}
    mine = {"filled": {"offline": [str(tmp_path / "a")]}, "sources": {"online": 0.0, "offline": 1.0}}
    mine |= {"action_source": "executed"}
    (tmp_path / "mine.yaml").write_text(json.dumps({"trainer": mine, "algorithm": {"learning_rate": 3e-4}}))
    run = prepare(SystemOptions(run_dir=str(tmp_path / "launched"), **values), system)
    (spec,) = run.specs
    finished = subprocess.run(spec.command(), capture_output=True, text=True, check=False, timeout=120)
    run.lock.release()
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "launched" / "outcome").read_text() == "0\n"
    assert offline("--offline", tmp_path / "a", "--run-dir", tmp_path / "plain", "--seed", "3") == 0
    one, other = (read_checkpoint(tmp_path / name).policy for name in ("launched", "plain"))
    assert one.updates == other.updates == 2 * TRANSITIONS
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, other.arrays[name])


def test_sources_are_filled_beside_what_robots_collect(tmp_path: Path):
    make_stored_run(tmp_path / "a")
    make_stored_run(tmp_path / "b")
    filled = {"offline": [str(tmp_path / "a")], "demonstration": [str(tmp_path / "b")]}
    shares = {"online": 1.0, "offline": [[0, 1.0], [100, 0.0]], "demonstration": 0.5}
    trainer = trainer_of(tmp_path / "run", filled=filled, sources=shares)
    assert trainer.filled == {"offline": TRANSITIONS, "demonstration": TRANSITIONS}
    assert trainer.transitions == 0  # what robots collected
    assert trainer.update(5) == 5
    trainer.finish()


@pytest.mark.parametrize(
    ("task", "made", "words"),
    [
        ("reach", {}, "must have a share"),
        ("door_push", {}, "has task 'door_push'; this run needs 'reach'"),
    ],
)
def test_folders_that_do_not_fit_are_refused(tmp_path: Path, task: str, made: dict, words: str):
    make_stored_run(tmp_path / "a", task)
    sources = {"online": 1.0} if task != "reach" else {"online": 0.0}
    sources |= {"offline": 1.0} if task != "reach" else {}
    with pytest.raises(NafRobotError, match=words):
        trainer_of(tmp_path / "run", filled={"offline": [str(tmp_path / "a")]}, sources=sources)


BAD = {
    "no folder": (["--offline", "{there}/none"], "holds no stored steps"),
    "another task": (["--offline", "{there}/door"], "has task 'door_push'; this run needs 'reach'"),
    "robots": (["--offline", "{there}/a", "--simulated", "false"], "--simulated has no meaning"),
    "episodes": (["--offline", "{there}/a", "--max-episodes", "5"], "--max-episodes has no meaning"),
    "resumed": (["--offline", "{there}/a", "--resume", "{there}/a"], "exclude each other"),
}


@pytest.mark.parametrize("bad", BAD)
def test_what_is_wrong_is_one_sentence_and_leaves_no_folder(tmp_path: Path, capsys, bad: str):
    make_stored_run(tmp_path / "a")
    make_stored_run(tmp_path / "door", "door_push")
    words, sentence = BAD[bad]
    run = [] if "--resume" in words else ["--run-dir", str(tmp_path / "run")]
    assert offline(*(word.format(there=tmp_path) for word in words), *run) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert sentence in line
    assert not (tmp_path / "run").exists()


OTHER = {
    "action scale": ({"collector": {"action_velocity": 0.5}}, "collector.action_velocity is 0.5 there and 1.0 here"),
    "reward": ({"task": {"distance_weight": 1.0}}, "task.distance_weight is 1.0 there and 3.0 here"),
    "period": ({"task": {"control_period_s": 0.1}}, "task.control_period_s is 0.1 there and 0.05 here"),
}


@pytest.mark.parametrize("other", OTHER)
def test_steps_whose_numbers_mean_something_else_are_refused(tmp_path: Path, other: str):
    values, sentence = OTHER[other]
    stored_under(tmp_path / "a", values)
    with pytest.raises(NafRobotError, match=sentence):
        trainer_of(tmp_path / "run", filled={"offline": [str(tmp_path / "a")]}, sources={"offline": 1.0})


def test_steps_for_other_goals_are_learned_from(tmp_path: Path):
    stored_under(tmp_path / "a", {"task": {"target_size": 0.1, "episode_steps": 100}})
    trainer = trainer_of(tmp_path / "run", filled={"offline": [str(tmp_path / "a")]}, sources={"offline": 1.0})
    assert trainer.filled == {"offline": TRANSITIONS}
    trainer.finish()


def test_what_was_learned_before_an_error_stays(tmp_path: Path, capsys, monkeypatch):
    make_stored_run(tmp_path / "a")
    update = Trainer.update

    def failing(self: Trainer, count: int) -> int:
        if self.updates > 0:
            raise NafRobotError("no more")
        return update(self, count)

    monkeypatch.setattr(Trainer, "update", failing)
    assert offline("--offline", tmp_path / "a", "--run-dir", tmp_path / "run") == 2
    assert "no more" in capsys.readouterr().err
    assert read_checkpoint(tmp_path / "run").policy.updates == 64


def test_a_resumed_folder_stays_when_its_sources_are_gone(tmp_path: Path, capsys):
    make_stored_run(tmp_path / "a")
    assert offline("--offline", tmp_path / "a", "--run-dir", tmp_path / "run") == 0
    (tmp_path / "run" / "episodes.jsonl").unlink()
    (tmp_path / "a" / "experience.sqlite").unlink()
    assert main(["train", "--resume", str(tmp_path / "run")]) == 2
    assert "experience.sqlite" in capsys.readouterr().err
    assert read_checkpoint(tmp_path / "run").policy.updates == 2 * TRANSITIONS
