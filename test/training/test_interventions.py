"""A person's steps reach the source `demonstration` too, are counted once, and come back on resume."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stored_run import STEPS, make_stored_run

from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import ConfigError
from naf_robot.core.records import StepBatch
from naf_robot.experience.codec import ExperienceMessage, encode_experience
from naf_robot.experience.reader import StoreReader
from naf_robot.run.agreement import agreement_of, disagreement
from naf_robot.run.checks_of_run import sources
from naf_robot.run.config import RunConfig, resolve, save
from naf_robot.run.contract import INTERVENTION, contract_of
from naf_robot.run.export.columns import columns_of
from naf_robot.training.trainer import Trainer


def config_of(enabled: bool, **trainer: object) -> RunConfig:
    return resolve("reach", overrides=[{"intervention": {"enabled": enabled}, "trainer": trainer}])


def made(config: RunConfig, folder: Path) -> Trainer:
    folder.mkdir(exist_ok=True)
    return Trainer(config, folder, SteadyClock())


def episode(folder: Path, marked: range) -> list[StepBatch]:
    """The stored episode of `folder`, in two batches, of which the steps of `marked` are a person's."""
    config = make_stored_run(folder, robots="robot_1")
    reader = StoreReader(folder / "experience.sqlite", contract_of(config, folder))
    held = next(iter(reader.after()))
    reader.close()
    assert held.message is not None
    batch = held.message.batch
    steps = np.arange(len(batch))
    whole = replace(
        batch,
        requested_action=np.where(batch.has_action[:, None], steps[:, None] / 100.0, 0.0).astype(np.float32)
        * np.ones(7, np.float32),
        extra={INTERVENTION: np.isin(steps, list(marked))},
    )
    return [whole.between(0, 8), whole.between(8, len(batch))]


@pytest.fixture
def batches(tmp_path: Path) -> list[StepBatch]:
    return episode(tmp_path / "stored", range(6, 11))  # across the border of the batches


def give(trainer: Trainer, batches: list[StepBatch]) -> None:
    first = 0
    for number, batch in enumerate(batches):
        message = ExperienceMessage("robot_1", number, first, batch)
        trainer.receiver.submit(encode_experience(message, trainer.contract))
        first += len(batch)
    trainer.receiver.settle(wait=True)


def shown(trainer: Trainer) -> np.ndarray:
    """Requested actions, of the first joint, in the source of demonstrations."""
    source = trainer.algorithm.sources["demonstration"]
    _, outcomes = source.contents()
    return np.sort(outcomes.numpy()[0, :, 0])


def test_they_are_demonstrations_too_and_come_back_on_resume(tmp_path: Path, batches: list[StepBatch]):
    config = config_of(True, sources={"demonstration": 1.0}, learning_starts=1)
    trainer = Trainer(config, tmp_path, SteadyClock())
    give(trainer, batches)
    np.testing.assert_allclose(shown(trainer), np.arange(6, 11) / 100.0, atol=1e-6)
    assert trainer.transitions == STEPS  # each counted once
    assert len(trainer.algorithm.sources["online"]) == STEPS
    assert trainer.update(3) == 3
    trainer.finish()
    again = Trainer(config, tmp_path, SteadyClock())
    np.testing.assert_allclose(shown(again), np.arange(6, 11) / 100.0, atol=1e-6)
    again.finish()


def test_without_a_share_they_are_what_the_robot_did_like_any_step(tmp_path: Path, batches: list[StepBatch]):
    trainer = Trainer(config_of(True), tmp_path, SteadyClock())
    give(trainer, batches)
    assert list(trainer.algorithm.sources) == ["online"]
    assert trainer.transitions == STEPS
    trainer.finish()


def test_folders_with_and_without_the_column_fill_sources_of_either_kind(tmp_path: Path):
    make_stored_run(tmp_path / "without")
    shares = {"filled": {"demonstration": [str(tmp_path / "without")]}, "sources": {"demonstration": 1.0}}
    trainer = made(config_of(True, **shares), tmp_path / "a")
    assert trainer.filled == {"demonstration": 4 * STEPS}
    trainer.finish()
    taken = made(config_of(True), tmp_path / "taken")
    give(taken, episode(tmp_path / "stored", range(3)))
    taken.finish()
    save(config_of(True), tmp_path / "taken" / "config.yaml")
    shares["filled"] = {"demonstration": [str(tmp_path / "taken")]}
    trainer = made(config_of(False, **shares), tmp_path / "b")
    assert trainer.filled == {"demonstration": STEPS}
    trainer.finish()


def test_the_column_is_exported_and_both_sides_of_a_run_must_have_it():
    names = [column.name for column in columns_of(contract_of(config_of(True)).steps)]
    assert f"extra.{INTERVENTION}" in names
    sides = agreement_of(config_of(True)), agreement_of(config_of(False))
    assert disagreement(*sides) == "intervention.enabled is none there and true here"


def test_a_share_of_demonstrations_needs_folders_or_persons(tmp_path: Path):
    assert list(sources(config_of(True, sources={"demonstration": 1.0}))) == []
    (problem,) = sources(config_of(False, sources={"demonstration": 1.0}))
    assert "nothing fills demonstration" in problem
    with pytest.raises(ConfigError, match="nothing fills demonstration"):
        Trainer(config_of(False, sources={"demonstration": 1.0}), tmp_path, SteadyClock())
