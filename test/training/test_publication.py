from pathlib import Path

import numpy as np
import pytest

from naf_robot.core.errors import NafRobotError, UnknownNameError
from naf_robot.learning.algorithm import NewPolicy
from naf_robot.run.config import resolve
from naf_robot.run.contract import contract_of
from naf_robot.training.publication import ASKED_FOR, RECENT, Publication

ARRAYS = {"w0": np.zeros(1, np.float32)}


def made(tmp_path: Path) -> Publication:
    config = resolve("reach")
    return Publication(tmp_path / "version", contract_of(config), 50, config.robots)


def publish(versions: Publication, count: int) -> list[int]:
    return [versions.new([NewPolicy(ARRAYS)], i, i)[0].version for i in range(count)]


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


def test_each_robot_may_have_a_policy_of_its_own_beside_the_one_for_all(tmp_path: Path):
    versions = made(tmp_path)
    first = versions.new([NewPolicy(ARRAYS, "linear_gaussian", "robot_2"), NewPolicy(ARRAYS)], 3, 4)
    assert [(p.version, p.kind, p.addressee) for p in first] == [(1, "mlp", ""), (2, "linear_gaussian", "robot_2")]
    assert (versions.newest.version, versions.version) == (1, 2)
    versions.new([NewPolicy(ARRAYS)], 60, 70)
    again = versions.again(61, 72)
    assert [(p.version, p.addressee, p.updates) for p in again] == [(2, "robot_2", 61), (3, "", 61)]
    assert {p.transitions for p in again} == {72}
    assert not versions.is_due(100)
    assert versions.is_due(110)


def test_as_many_versions_are_kept_of_each_robot_as_of_all(tmp_path: Path):
    versions = made(tmp_path)
    policies = [NewPolicy(ARRAYS, addressee=robot) for robot in ("robot_1", "robot_2")]
    numbers = [p.version for i in range(RECENT) for p in versions.new(policies, i, i)]
    assert all(versions.recent(number) is not None for number in numbers[:2])
    assert versions.newest.addressee == "robot_1"


@pytest.mark.parametrize(
    ("addressees", "error", "message"),
    [
        ([], NafRobotError, "one policy for each addressee"),
        (["", ""], NafRobotError, "one policy for each addressee"),
        (["robot_7"], UnknownNameError, "unknown addressee 'robot_7'.*valid: robot_1, robot_2"),
    ],
)
def test_what_no_robot_could_act_on_is_refused_and_no_number_used(tmp_path: Path, addressees, error, message):
    versions = made(tmp_path)
    with pytest.raises(error, match=message):
        versions.new([NewPolicy(ARRAYS, addressee=name) for name in addressees], 0, 0)
    assert versions.version == 0
    assert versions.new([NewPolicy(ARRAYS)], 0, 0)[0].version == 1
