"""The trainer's statistics go on over restarts, and reach summary and file."""

import json
from pathlib import Path

import msgspec
import pytest
import torch
from manual_clock import ManualClock

from naf_robot.run.config import resolve
from naf_robot.run.unattended.file import read_statistics
from naf_robot.training.trainer import Trainer

CONFIG = resolve("reach", overrides=[{"trainer": {"replay_capacity": 1000}}])


def report(trainer: Trainer, clock: ManualClock, seconds: int, process: str) -> None:
    for _ in range(seconds):
        clock.advance(1.0)
        values = {"state": "collecting", "process": process, "operator pause": "1", "homing failures": "1"}
        trainer.unattended.know(trainer.robots.names)
        trainer.unattended.report("/robot_1/collector", "running an episode", values, error=False)
        assert trainer.unattended.tick() == []
        trainer.unattended._file._writing.exception()  # a disk takes no time on this clock


def test_a_killed_trainers_successor_continues_what_was_written(tmp_path: Path):
    torch.set_num_threads(1)
    clock = ManualClock()
    killed = Trainer(CONFIG, tmp_path, clock)
    report(killed, clock, 25, "1")
    killed.unattended._file._thread.shutdown()  # without a last write
    killed.receiver.close()
    killed.store.close()
    written = read_statistics(tmp_path)
    assert written is not None
    assert 14.0 <= written.robots["robot_1"].seconds["collecting"] <= 24.0  # at most ten seconds are lost

    successor = Trainer(CONFIG, tmp_path, clock)
    report(successor, clock, 11, "1")  # the same collector, which went on counting
    summary = successor.finish()
    found = read_statistics(tmp_path)
    assert found is not None
    assert found.sessions == 2
    (before, after) = (each.robots["robot_1"].seconds["collecting"] for each in (written, found))
    assert after == before + 10.0
    assert found.robots["robot_1"].counts == {"operator pause": 1, "homing failures": 1}
    assert summary["operator_interventions"] == 1
    assert summary["failures"] == 1
    assert summary == json.loads((tmp_path / "summary.json").read_text())
    assert msgspec.json.decode((tmp_path / "statistics.json").read_bytes())["software"]["numpy"]


def test_statistics_that_cannot_be_written_are_reported_and_stop_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    clock = ManualClock()
    trainer = Trainer(CONFIG, tmp_path, clock)
    monkeypatch.setattr("naf_robot.run.unattended.file.replace_file", refuse)
    report(trainer, clock, 1, "1")
    report(trainer, clock, 11, "1")
    assert "statistics.json not written" in (trainer.unattended.trouble or "")
    trainer.finish()
