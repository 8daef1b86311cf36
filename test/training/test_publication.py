from pathlib import Path

import numpy as np

from naf_robot.run.config import resolve
from naf_robot.run.contract import contract_of
from naf_robot.training.publication import ASKED_FOR, RECENT, Publication


def made(tmp_path: Path) -> Publication:
    return Publication(tmp_path / "version", contract_of(resolve("reach")), 50)


def publish(versions: Publication, count: int) -> list[int]:
    return [versions.new({"w0": np.zeros(1, np.float32)}, i, i).version for i in range(count)]


def test_the_newest_versions_are_kept(tmp_path: Path):
    versions = made(tmp_path)
    numbers = publish(versions, RECENT + 3)
    assert versions.recent(numbers[2]) is None
    for number in numbers[3:]:
        assert versions.recent(number).version == number


def test_a_version_on_trial_is_kept_for_as_long_as_it_is_asked_for(tmp_path: Path):
    versions = made(tmp_path)
    (on_trial,) = publish(versions, 1)
    for _ in range(5):
        assert versions.recent(on_trial).version == on_trial
        publish(versions, RECENT + 1)
    for number in publish(versions, ASKED_FOR):
        versions.recent(number)
    assert versions.recent(on_trial) is None  # others have been asked for since
