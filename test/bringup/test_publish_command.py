import argparse
from pathlib import Path

import pytest

from naf_robot.bringup import publish_command
from naf_robot.core.errors import NafRobotError


def parser(read) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser()
    made.add_argument("--run-dir", type=Path)
    made.set_defaults(run=read)
    publish_command.add_publishing(made)
    return made


def test_what_was_read_is_published_only_where_that_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    started: list[list[str]] = []
    monkeypatch.setattr(publish_command, "run_in_front", lambda command, environment: started.append(command) or 0)
    codes = [0]
    made = parser(lambda options: codes[-1])

    def run(*words: str) -> int:
        options = made.parse_args(["--run-dir", str(tmp_path), *words])
        return options.run(options)

    assert run() == 0
    assert started == []
    assert run("--publish") == 0
    assert started[0][-1] == f"config:={tmp_path / 'config.yaml'}"
    codes.append(2)
    assert run("--publish") == 2
    assert len(started) == 1, "nothing is published of what could not be read"


def test_a_trainer_that_is_not_there_is_said_before_anything_is_read(tmp_path: Path):
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    options = parser(lambda options: pytest.fail("was read")).parse_args(["--publish", str(tmp_path / "none")])
    with pytest.raises(NafRobotError, match="none"):
        options.run(options)
