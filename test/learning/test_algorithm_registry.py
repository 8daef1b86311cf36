import pytest

from naf_robot.core import config
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.learning import registry
from naf_robot.learning.exploration import ExplorationConfig
from naf_robot.learning.naf.config import NafConfig


def test_unknown_algorithm_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"unknown algorithm 'nef'; valid: .*naf"):
        registry.algorithm_config_type("nef")


def test_config_of_another_kind_is_refused():
    with pytest.raises(ConfigError, match="takes a NafConfig, got a ExplorationConfig"):
        registry.make_learner("naf", ExplorationConfig(), 3, 1, None, 0)


def test_config_reads_yaml_values():
    built = config.build(NafConfig, {"learning_rate": "1e-4", "hidden": [256, 256], "variant": "plain"})
    assert built.learning_rate == 1e-4
    assert built.hidden == (256, 256)
    assert built.first_moment_decay == 0.9
    assert NafConfig().first_moment_decay == 0.5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"variant": "best"}, "variant"),
        ({"hidden": []}, "hidden"),
        ({"discount": 1.5}, "discount"),
        ({"batch_size": 1}, "batch_size"),
        ({"layer_norm": True}, "needs variant='plain'"),
    ],
)
def test_wrong_config_is_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        config.build(NafConfig, values)
