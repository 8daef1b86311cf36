"""When velocity control answers, and when it acts without being asked."""

import pytest
from manual_clock import ManualClock

from naf_robot.arm.control.timing import SIMULATED_SILENCE_S, ControlTiming

PERIOD_S = 0.05


class Bench:
    def __init__(self, simulated):
        self.clock = ManualClock(10.0)
        self.timing = ControlTiming(PERIOD_S, simulated, self.clock)


@pytest.fixture(params=[False, True], ids=["wall", "simulated"])
def any_time(request):
    return Bench(request.param)


@pytest.fixture
def wall():
    return Bench(False)


@pytest.fixture
def simulated():
    return Bench(True)


def test_a_request_is_answered_once(any_time):
    timing = any_time.timing
    assert timing.answer(1.0) is None
    timing.state(1.0)
    timing.request(1.0)
    assert timing.answer(1.0) == 1.0
    assert timing.answer(1.0) is None


def test_on_wall_time_a_request_is_answered_at_once_at_the_time_of_the_clock(wall):
    wall.timing.request(1.0)
    assert wall.timing.answer(1.003) == 1.003


def test_where_simulated_time_goes_on_by_itself_a_request_is_answered_at_once_and_may_overtake_the_clock():
    timing = ControlTiming(PERIOD_S, True, ManualClock(10.0), lockstep=False)
    timing.state(0.99)
    timing.request(1.0)
    assert timing.answer(0.995) == 1.0


def test_in_simulation_a_request_waits_for_the_state_of_its_instant_and_may_overtake_the_clock(simulated):
    timing = simulated.timing
    timing.state(0.95)
    timing.request(1.0)
    assert timing.answer(0.95) is None
    timing.state(1.0 - 1e-9)
    assert timing.answer(0.95) == 1.0


def test_a_newer_request_takes_the_place_of_one_that_waits(simulated):
    timing = simulated.timing
    timing.request(1.0)
    timing.request(1.05)
    timing.state(1.05)
    assert timing.answer(1.05) == 1.05
    assert timing.answer(1.05) is None


@pytest.mark.parametrize(("simulated", "after_s"), [(False, 1.5 * PERIOD_S), (True, SIMULATED_SILENCE_S)])
def test_without_requests_commands_go_on_after_a_while_of_steady_time(simulated, after_s):
    bench = Bench(simulated)
    bench.timing.state(1.0)
    bench.timing.request(1.0)
    bench.timing.answer(1.0)
    bench.clock.advance(after_s - 1e-3)
    assert not bench.timing.unasked(1.0)
    bench.clock.advance(2e-3)
    assert bench.timing.unasked(1.0)


def test_without_requests_commands_go_on_after_a_while_of_simulated_time_too(simulated):
    simulated.timing.state(1.0)
    simulated.timing.request(1.0)
    simulated.timing.answer(1.0)
    assert not simulated.timing.unasked(1.0 + PERIOD_S)
    assert simulated.timing.unasked(1.0 + 1.51 * PERIOD_S)


def test_the_first_step_takes_the_control_period(any_time):
    any_time.clock.advance(3.0)
    assert any_time.timing.step(1.0) == PERIOD_S


def test_the_period_is_measured_on_the_steady_clock_or_in_simulated_time():
    for bench, expected in ((Bench(False), 0.02), (Bench(True), 0.05)):
        bench.timing.step(1.0)
        bench.clock.advance(0.02)
        assert bench.timing.step(1.05) == pytest.approx(expected)


@pytest.mark.parametrize("now_s", [1.0, 0.2], ids=["stands", "jumped back"])
def test_while_the_simulated_clock_does_not_go_on_periods_are_of_steady_time(simulated, now_s):
    simulated.timing.step(1.0)
    simulated.clock.advance(0.013)
    assert simulated.timing.step(now_s) == pytest.approx(0.013)


def test_a_step_without_a_request_is_not_before_one_that_overtook_the_clock(simulated):
    simulated.timing.step(1.05)
    assert simulated.timing.unasked_time_s(1.0) == 1.05
    assert simulated.timing.unasked_time_s(1.1) == 1.1
    assert simulated.timing.unasked_time_s(0.2) == 0.2  # time has jumped back


def test_only_simulated_commands_say_which_state_they_are_computed_from(wall, simulated):
    for bench, basis in ((wall, None), (simulated, 1.0)):
        assert bench.timing.basis_s() is None
        bench.timing.state(1.0)
        assert bench.timing.basis_s() == basis
