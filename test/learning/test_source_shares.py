import pytest

from naf_robot.core.config import build
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.learning.source_shares import SourceShares, check_filled
from naf_robot.run.config import TrainerConfig, resolve


def test_online_alone_is_the_default():
    assert SourceShares().drawn == ("online",)
    assert resolve("reach").trainer.sources == SourceShares()


def test_shares_and_ramps_are_read_from_plain_values():
    shares = build(TrainerConfig, {"sources": {"online": "0.5", "demonstration": [[100, 0.5], [300, 0.0]]}}).sources
    assert shares.drawn == ("online", "demonstration")
    seen = [shares.at(updates)["demonstration"] for updates in (0, 100, 150, 200, 299, 300, 9000)]
    assert seen == pytest.approx([0.5, 0.5, 0.375, 0.25, 0.0025, 0.0, 0.0])
    assert shares.at(150)["online"] == 0.5


def test_a_ramp_of_one_pair_is_a_constant_and_a_jump_is_a_short_ramp():
    assert (
        SourceShares(online=((10, 0.4),)).at(5)["online"] == SourceShares(online=((10, 0.4),)).at(50)["online"] == 0.4
    )
    jump = SourceShares(offline=((0, 1.0), (10, 1.0), (11, 0.0)))
    assert [jump.at(u)["offline"] for u in (10, 11)] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"sources": {"live": 1.0}}, UnknownNameError, "unknown configuration key 'live' in sources; valid: demons"),
        ({"sources": {"online": -0.1}}, ConfigError, r"sources\.online"),
        ({"sources": {"online": []}}, ConfigError, r"sources\.online"),
        ({"sources": {"online": [[0, -1.0]]}}, ConfigError, r"sources\.online"),
        ({"sources": {"online": [[5, 1.0], [5, 0.0]]}}, ConfigError, "ramp of source 'online' must ascend"),
        ({"sources": {"online": 0.0}}, ConfigError, "at least one source must have a share above 0 at every time"),
        ({"sources": {"online": [[0, 1], [9, 0]], "offline": [[9, 0], [20, 1]]}}, ConfigError, "none has at 9"),
    ],
)
def test_wrong_shares_are_refused_in_one_sentence(values, error, message):
    with pytest.raises(error, match=message) as caught:
        build(TrainerConfig, values)
    assert "\n" not in str(caught.value)


def test_a_share_of_a_source_that_nothing_fills_is_refused():
    shares = SourceShares(demonstration=0.5, train=((0, 0.0), (5, 0.1)))
    with pytest.raises(ConfigError, match="nothing fills demonstration, train in this run; filled are: online"):
        check_filled(shares, ("online",))
    check_filled(shares, ("online", "demonstration", "train"))
