"""A run folder of the version before steps, made by that version, in today's format.

`data/old_run.tar.xz` is of two robots on reach with episodes of 12 steps: two whole episodes of each are in the
trainer's store, in the second of each one step was discarded; of the third episode of robot_2 one batch waits in its
outbox and three transitions are journalled. `expected_replay.npz` is what that trainer's replay buffer held.
"""

import json
import shutil
import sqlite3
import tarfile
from pathlib import Path

import numpy as np
import pytest

from naf_robot.bringup.cli import main
from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import LockedError, StoreError
from naf_robot.core.files import ExclusiveLock
from naf_robot.experience.codec import decode_experience
from naf_robot.experience.conversion import KEPT
from naf_robot.experience.envelope import checksum_of
from naf_robot.experience.outbox import Outbox
from naf_robot.experience.store import ExperienceStore
from naf_robot.run.checkpoint import read_checkpoint
from naf_robot.run.config import load
from naf_robot.run.contract import contract_of
from naf_robot.run.convert_command import convert_run
from naf_robot.training.trainer import Trainer

DATA = Path(__file__).parent / "data" / "old_run.tar.xz"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    with tarfile.open(DATA) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "run"


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file but the locks, which hold the process that last took them."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"}


def rows(array: np.ndarray) -> np.ndarray:
    return array[np.lexsort(array.T)]


def test_an_old_run_is_refused_in_one_sentence_that_names_the_command(old: Path):
    renamed = old / "copy"
    shutil.copytree(old, renamed)
    convert_run(renamed)
    contract = contract_of(load(renamed / "config.yaml"), old)
    for opened in (
        lambda: ExperienceStore(old / "experience.sqlite", contract),
        lambda: Outbox(old / "outbox" / "robot_1.sqlite", "robot_1", contract, 10**9),
    ):
        with pytest.raises(StoreError, match=rf"convert the run folder first: naf-robot convert --run-dir '{old}'"):
            opened()


@pytest.mark.parametrize("command", [("train", "--resume"), ("evaluate", "--run-dir"), ("config", "--run-dir")])
def test_every_command_on_an_old_run_names_the_one_that_converts_it(command: tuple, old: Path, capsys):
    before = contents(old)
    assert main([*command, str(old)]) != 0
    told = capsys.readouterr().err.strip()
    assert told.splitlines() == [
        f"error: run folder '{old}' was written by an older version; convert it first: "
        f"naf-robot convert --run-dir '{old}'"
    ]
    assert contents(old) == before


def test_a_converted_run_holds_every_transition_and_goes_on(old: Path, capsys: pytest.CaptureFixture):
    expected = np.load(old / "expected_replay.npz")
    assert main(["convert", "--run-dir", str(old)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["batches"] == {"experience.sqlite": 12, "robot_1.sqlite": 0, "robot_2.sqlite": 2}
    assert told["checkpoints"] == 1
    assert "trainer.learned_action" in told["settings"]
    config = load(old / "config.yaml")
    assert (config.trainer.action_source, config.trainer.full_store) == ("executed", "compact")
    assert config.collector.exploration.final_scale == 0.1
    trainer = Trainer(config, old, SteadyClock())
    assert (trainer.transitions, trainer.updates) == (int(expected["transitions"]), int(expected["updates"]))
    observations, outcomes = (tensor[0].numpy() for tensor in trainer._replay.contents())
    found = np.hstack((observations[0], observations[1], outcomes))
    held = np.hstack((expected["obs"][0::2], expected["obs"][1::2], expected["out"]))
    np.testing.assert_array_equal(rows(found), rows(held))
    assert trainer.episodes.episodes == 4
    assert [json.loads(line)["steps"] for line in (old / "episodes.jsonl").read_text().splitlines()] == [12, 11] * 2
    outbox = Outbox(old / "outbox" / "robot_2.sqlite", "robot_2", trainer.contract, 10**9)
    assert outbox.next_episode == 3
    for sequence in outbox.waiting():
        trainer.receiver.submit(outbox.payload(sequence))
    assert not trainer.receiver.settle(wait=True).refused
    assert trainer.transitions == int(expected["transitions"]) + 5 + 3
    assert trainer.episodes.episodes == 5
    assert trainer.store.missing() == 0
    trainer.learn(5)
    trainer.finish()
    outbox.close()


def test_the_old_files_are_kept_and_a_second_conversion_changes_nothing(old: Path):
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    convert_run(old)
    for path in ("experience.sqlite", "outbox/robot_2.sqlite"):
        with sqlite3.connect(old / (path + KEPT)) as kept:
            assert ("schema_version", "2") in list(kept.execute("SELECT * FROM identity"))
            assert kept.execute("SELECT COUNT(*) FROM batches").fetchone()[0] > 0
    assert (old / ("config.yaml" + KEPT)).read_bytes() == before[old / "config.yaml"]
    checkpoint = read_checkpoint(old)
    old_folder = next((old / "checkpoints").glob(f"*{KEPT}"))
    assert (old_folder / "learner.safetensors").read_bytes() == before[
        old / "checkpoints" / old_folder.name.removesuffix(KEPT) / "learner.safetensors"
    ]
    assert checkpoint.policy.updates == 20
    after = contents(old)
    assert convert_run(old) == {"batches": {}, "checkpoints": 0, "settings": []}
    assert contents(old) == after


def test_an_interrupted_conversion_goes_on(old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The process dies at a rename, later each time; what comes of it is what an unbroken conversion makes."""
    whole = tmp_path / "whole"
    shutil.copytree(old, whole)
    (whole / "run_id").write_text("0123456789abcdef\n")
    (old / "run_id").write_text("0123456789abcdef\n")
    convert_run(whole)

    class DiedError(BaseException):
        pass

    calls, limit = 0, 0

    def counted(original):
        def call(*arguments, **options):
            nonlocal calls
            calls += 1
            if calls > limit:
                raise DiedError
            return original(*arguments, **options)

        return call

    with monkeypatch.context() as patch:
        for name in ("replace", "rename"):
            patch.setattr(Path, name, counted(getattr(Path, name)))
        finished = False
        while not finished:
            calls, limit = 0, limit + 1
            try:
                convert_run(old)
                finished = True
            except DiedError:
                pass
    contract = contract_of(load(whole / "config.yaml"), whole)
    for name in ("robot_1", "robot_2"):
        boxes = [Outbox(folder / "outbox" / f"{name}.sqlite", name, contract, 10**9) for folder in (whole, old)]
        one, other = ([checksum_of(box.payload(n)) for n in box.waiting()] for box in boxes)
        assert one == other
        for box in boxes:
            box.close()
    checksums = []
    for folder in (whole, old):
        with sqlite3.connect(folder / "experience.sqlite") as database:
            payloads = [row[0] for row in database.execute("SELECT payload FROM batches ORDER BY arrival")]
        for payload in payloads:
            decode_experience(payload, contract, 10**9).batch.validate(contract.steps)
        checksums.append([checksum_of(payload) for payload in payloads])
        read_checkpoint(folder)
    assert len(checksums[0]) == 12
    assert checksums[0] == checksums[1]


def test_a_folder_that_somebody_works_in_is_left_alone(old: Path):
    lock = ExclusiveLock(old / "experience.lock", "the store")
    before = (old / "experience.sqlite").read_bytes()
    with pytest.raises(LockedError, match="in use by process"):
        convert_run(old)
    assert (old / "experience.sqlite").read_bytes() == before
    lock.release()
    assert main(["convert", "--run-dir", str(old / "outbox")]) == 2
