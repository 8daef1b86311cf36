import math

import pytest
from manual_clock import ManualClock

from naf_robot.arm.control.watchdog import Watchdog
from naf_robot.core.errors import ConfigError, UnknownNameError


class Bench:
    """A watchdog for one input with a limit of 0.1 s; stamp time starts at 100 s."""

    def __init__(self, simulated=False):
        self.clock = ManualClock(7.0)
        self.stamp_s = 100.0
        self.watchdog = Watchdog({"state": 0.1}, self.clock, simulated_time=simulated)
        self.watchdog.observe(self.stamp_s)

    def pass_time(self, stamped_s, steady_s=None):
        self.clock.advance(stamped_s if steady_s is None else steady_s)
        self.stamp_s += stamped_s
        return self.watchdog.observe(self.stamp_s)


def test_input_that_never_came_is_stale():
    assert Bench().watchdog.stale("state") == "state has not arrived yet"


def test_fresh_input_is_not_stale_until_its_limit():
    bench = Bench()
    assert bench.watchdog.receive("state", 100.0) is None
    bench.pass_time(0.09)
    assert bench.watchdog.stale("state") is None
    bench.pass_time(0.02)
    assert bench.watchdog.stale("state") == "state has been silent for 0.110 s, limit 0.1 s"


def test_old_stamp_is_stale_though_it_has_just_arrived():
    bench = Bench()
    bench.pass_time(0.3)
    assert bench.watchdog.receive("state", 100.15) is None
    assert bench.watchdog.stale("state") == "state is 0.150 s old, limit 0.1 s"


@pytest.mark.parametrize(
    ("stamp_s", "reason"),
    [
        (100.0, "state is a duplicate of stamp 100.000 s"),
        (99.5, "state is out of order: stamped 0.500 s before the newest"),
        (101.0, "state is stamped 1.000 s in the future"),
        (math.nan, "state has a stamp that is not finite"),
        (math.inf, "state has a stamp that is not finite"),
    ],
)
def test_wrong_stamp_is_refused_with_a_reason(stamp_s, reason):
    bench = Bench()
    assert bench.watchdog.receive("state", 100.0) is None
    assert bench.watchdog.receive("state", stamp_s) == reason


def test_refused_message_does_not_refresh():
    bench = Bench()
    bench.watchdog.receive("state", 100.0)
    bench.pass_time(0.2)
    bench.watchdog.receive("state", 100.0)
    assert bench.watchdog.stale("state") is not None


def test_message_that_is_too_old_on_arrival_is_refused_where_the_time_is_known():
    assert Bench().watchdog.receive("state", 99.8, now_s=100.0) == "state is 0.200 s old on arrival, limit 0.1 s"


def test_jump_of_wall_time_back_asks_for_fresh_input_and_then_takes_it():
    bench = Bench()
    bench.watchdog.receive("state", 100.0)
    assert bench.pass_time(-3600.0, steady_s=0.01) == "time jumped back by 3600.010 s"
    assert bench.watchdog.stale("state") == "state has not arrived since time jumped"
    assert bench.watchdog.awaited("state")
    assert bench.watchdog.receive("state", -3499.9) is None
    assert bench.watchdog.stale("state") is None


def test_jump_of_wall_time_ahead_asks_for_fresh_input():
    bench = Bench()
    bench.watchdog.receive("state", 100.0)
    assert bench.pass_time(3600.0, steady_s=0.01) == "time jumped ahead by 3599.990 s"
    bench.pass_time(0.2)
    assert not bench.watchdog.awaited("state")


def test_simulated_time_ages_in_simulated_seconds():
    bench = Bench(simulated=True)
    bench.watchdog.receive("state", 100.0)
    bench.pass_time(0.05, steady_s=1.5)  # a busy machine is not a dead sender
    assert bench.watchdog.stale("state") is None
    bench.pass_time(0.06, steady_s=0.0)
    assert bench.watchdog.stale("state") == "state is 0.110 s old, limit 0.1 s"


def test_simulated_time_that_stands_still_is_stale_after_the_wall_bound():
    bench = Bench(simulated=True)
    bench.watchdog.receive("state", 100.0)
    bench.pass_time(0.0, steady_s=2.1)
    assert bench.watchdog.stale("state") == "state has been silent for 2.100 s, limit 2.0 s"


def test_reset_of_simulated_time_is_a_jump_back():
    bench = Bench(simulated=True)
    bench.watchdog.receive("state", 100.0)
    assert bench.pass_time(-100.0, steady_s=0.1) == "time jumped back by 100.000 s"
    assert bench.watchdog.receive("state", 0.05) is None
    assert bench.watchdog.stale("state") is None


def test_simulated_stamps_of_the_next_tick_are_not_the_future():
    bench = Bench(simulated=True)
    assert bench.watchdog.receive("state", 100.05) is None


def test_unknown_input_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="unknown input 'imu' in the watchdog; valid: state"):
        Bench().watchdog.stale("imu")


def test_limit_must_be_positive_and_finite():
    with pytest.raises(ConfigError, match="age limit of 'state' must be positive and finite, got inf s"):
        Watchdog({"state": math.inf}, ManualClock())


@pytest.mark.parametrize("ticks", range(1, 60))
def test_an_age_of_exactly_the_limit_is_fresh_whatever_the_rounding(ticks):
    """Two control periods of 0.05 s are within 0.1 s, also where their difference is 0.10000000000000009."""
    clock = ManualClock()
    watchdog = Watchdog({"a": 0.1}, clock, simulated_time=True)
    stamp_s, now_s = ticks * 0.05, ticks * 0.05 + 0.1
    assert watchdog.receive("a", stamp_s, stamp_s) is None
    watchdog.observe(now_s)
    assert watchdog.stale("a") is None
    watchdog.observe(now_s + 0.001)
    assert watchdog.stale("a") is not None
