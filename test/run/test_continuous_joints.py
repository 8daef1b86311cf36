"""Continuous joints are found in the description, kept in the run's configuration, and shape the observation."""

import pytest

from naf_robot.core.errors import ConfigError
from naf_robot.run.config import load, resolve, save


def test_the_description_decides_and_the_run_keeps_it(tmp_path):
    config = resolve("reach", overrides=[{"profile": "gen3"}])
    assert config.robot("robot_1").arm.continuous == ("joint_1", "joint_3", "joint_5", "joint_7")
    assert config.make_task().observation_spec.size == 3 + 4 + 4 + 7 + 3 + 3
    save(config, tmp_path / "run.yaml")
    assert load(tmp_path / "run.yaml") == config


def test_an_arm_without_them_is_observed_as_before():
    config = resolve("reach")
    assert config.robot("robot_1").arm.continuous == ()
    assert config.make_task().observation_spec.arrays[0].name == "joint_position"


def test_a_contradiction_of_the_description_is_refused():
    with pytest.raises(ConfigError, match=r"arm\.continuous names joint_1; continuous in .* are none"):
        resolve("reach", overrides=[{"arm": {"continuous": ["joint_1"]}}])


def test_robots_with_other_continuous_joints_cannot_share_a_policy():
    robots = {"one": {"profile": "gen3"}, "two": {"profile": "arm7"}}
    with pytest.raises(ConfigError, match=r"same continuous joints: one has joint_1.*two has none"):
        resolve("reach", overrides=[{"robots": robots}])
