import pytest

from naf_robot.sim.pacing import Pacing, SilentDrives


def test_a_factor_sets_the_pace_on_the_average():
    pacing = Pacing(2.0, 0.05, 1.0, 10.0)
    pacing.begin(10.0, True)
    assert pacing.left_s(10.0) == pytest.approx(0.025)
    assert pacing.answers_until_s == pytest.approx(10.025)
    pacing.begin(10.04, True)  # late by 15 ms: the next tick is shorter
    assert pacing.left_s(10.04) == pytest.approx(0.01)


def test_the_pace_may_change_while_it_runs():
    pacing = Pacing(0.0, 0.05, 1.0, 10.0)
    pacing.begin(10.0, True)
    assert pacing.left_s(10.0) == 0.0
    pacing.change(1.0)
    pacing.begin(10.0, True)
    assert pacing.left_s(10.0) == pytest.approx(0.05)


def test_long_delays_are_not_made_up_for():
    pacing = Pacing(1.0, 0.05, 1.0, 10.0)
    pacing.begin(20.0, True)
    assert pacing.left_s(20.0) == pytest.approx(-0.95)


def test_free_running_time_waits_for_answers_and_for_nothing_else():
    pacing = Pacing(0.0, 0.05, 1.0, 10.0)
    pacing.begin(10.0, True)
    assert pacing.left_s(10.0) == 0.0
    assert pacing.answers_until_s == 11.0


def test_with_nobody_there_free_running_time_keeps_to_real_time():
    pacing = Pacing(0.0, 0.05, 1.0, 10.0)
    pacing.begin(11.0, True)
    pacing.begin(12.0, False)  # the wait for the last answer is not made up for
    assert pacing.left_s(12.0) == pytest.approx(0.05)
    pacing.begin(12.05, False)
    assert pacing.left_s(12.05) == pytest.approx(0.05)


def test_drives_without_a_watchdog_hold_for_ever_and_take_everything():
    drives = SilentDrives(("a",), 0)
    assert drives.accepts(0, 10**6)
    assert drives.silent(10**6) == []


def test_drives_with_a_watchdog_stop_and_take_nothing_old():
    drives = SilentDrives(("a", "b"), 3)
    drives.commanded("a", 8)
    assert drives.silent(10) == ["b"]
    assert drives.silent(11) == ["a", "b"]
    assert [drives.accepts(tick, 10) for tick in (6, 7, None)] == [False, True, True]
