"""When a tick is complete, and what is fresh then: a table of cases, no ROS and no time that passes."""

import numpy as np
import pytest

from naf_robot.sensing.registry import make_sensor
from naf_robot.sensing.tick import TickAssembler, TickLimits

PERIOD = 0.05
STATE = make_sensor("joint_states", ("a",))
DOOR = make_sensor("door_state")
IMU = make_sensor("door_imu")
LIMITS = TickLimits(state_age_s=0.1, answer_wait_s=0.2, sensor_wait_s=0.1)
VALUES = {
    "joint_states": {"joint_position": np.ones(1), "joint_velocity": np.zeros(1)},
    "door_state": {"door_angle": np.array([0.3])},
    "door_imu": {"door_imu": np.arange(10.0)},
}


def assembler(simulated: bool, *others) -> TickAssembler:
    return TickAssembler(STATE, others, PERIOD, simulated, LIMITS)


@pytest.mark.parametrize(
    ("simulated", "state_s", "now_s", "complete"),
    [
        (True, None, 5.0, False),  # no state yet
        (True, 5.0, 5.0, True),
        (True, 5.0, 5.05, False),  # the state of this tick is not there
        (True, 5.05, 5.0, True),  # the state has overtaken the clock
        (True, 5.0, 0.0, False),  # no time yet
        (False, 5.0, 5.0, True),
        (False, 5.0, 5.1, True),  # as old as the velocity controller allows
        (False, 5.0, 5.11, False),
        (False, 5.09, 5.0, True),  # clocks differ a little
        (False, 5.2, 5.0, False),  # refused: in the future
    ],
)
def test_a_tick_needs_its_state(simulated, state_s, now_s, complete):
    ticks = assembler(simulated)
    if state_s is not None:
        ticks.arrive("joint_states", state_s, VALUES["joint_states"], now_s)
    assert (ticks.poll(now_s, 0.0) is not None) == complete


def test_out_of_lockstep_a_simulated_clock_ticks_with_states_that_are_behind_it():
    ticks = assembler(False)
    made = []
    for step in range(1, 61):  # a clock every 5 ms, states every 10 ms that are 5 ms behind it, a timer every 50 ms
        now_s = 5.0 + 0.005 * step
        if step % 2 == 1:
            ticks.arrive("joint_states", now_s - 0.005, VALUES["joint_states"], np.inf)
        made.append(ticks.poll(now_s, 0.0, timer=step % 10 == 1))
    assert [tick.missed_periods for tick in made if tick is not None] == [0] * 6


@pytest.mark.parametrize(
    ("simulated", "times", "ticks", "missed"),
    [
        (True, (5.0, 5.0, 5.05, 5.1), 3, 0),
        (True, (5.0, 5.2, 5.25), 3, 3),
        (False, (5.0, 5.04, 5.046, 5.096), 3, 0),  # up to a tenth of a period early
        (False, (5.0, 5.049, 5.16), 3, 1),
        (True, (5.0, 1.0, 1.05), 3, 0),  # the clock was set back
        (True, (5.0, 4.9, 4.95), 1, 0),  # a clock that falters is waited for
    ],
)
def test_one_tick_per_period_and_missed_ones_are_counted(simulated, times, ticks, missed):
    made = []
    sensed = assembler(simulated)
    for now_s in times:
        sensed.arrive("joint_states", now_s, VALUES["joint_states"], now_s)
        made.append(sensed.poll(now_s, 0.0))
    assert sum(tick is not None for tick in made) == ticks
    assert sum(tick.missed_periods for tick in made if tick) == missed


@pytest.mark.parametrize("rate_hz", [37.0, 100.0, 1000.0])
def test_fast_states_do_not_raise_the_control_rate(rate_hz):
    made = ticks_beside_states(rate_hz, first_s=5.013, delay_s=lambda: 0.0)
    assert len(made) == pytest.approx(60.0 / PERIOD, abs=2)


@pytest.mark.parametrize("first_s", [5.0, 5.002, 5.0051, 5.013, 5.03, 5.046])
def test_the_period_is_the_timers_whenever_states_come(first_s):
    random = np.random.default_rng(0)
    made = ticks_beside_states(99.9, first_s, lambda: random.exponential(0.0005))
    assert np.abs(np.diff(made) - PERIOD).max() < 0.006  # the delays alone, not the period of the states
    assert np.quantile(np.abs(np.diff(made) - PERIOD), 0.99) < 0.003


def test_a_tick_that_the_timer_could_not_get_is_made_when_the_state_comes():
    ticks = assembler(False)
    assert ticks.poll(5.0, 0.0, timer=True) is None
    ticks.arrive("joint_states", 5.02, VALUES["joint_states"], 5.02)
    assert ticks.poll(5.02, 0.0, timer=False) is not None
    assert ticks.poll(5.049, 0.0, timer=False) is None
    assert ticks.poll(5.068, 0.0, timer=True) is not None


def ticks_beside_states(rate_hz: float, first_s: float, delay_s) -> list[float]:
    """Times of the ticks of a minute, with states at `rate_hz` from 5 s on and a timer from `first_s` on."""
    events = [(5.0 + k / rate_hz + delay_s(), False) for k in range(round(60.0 * rate_hz))]
    events += [(first_s + k * PERIOD + delay_s(), True) for k in range(round(60.0 / PERIOD))]
    ticks, made = assembler(False), []
    for now_s, timer in sorted(events):
        if not timer:
            ticks.arrive("joint_states", now_s, VALUES["joint_states"], now_s)
        if ticks.poll(now_s, 0.0, timer=timer) is not None:
            made.append(now_s)
    return made


def test_readings_that_are_known_to_come_late_are_not_waited_for():
    limits = TickLimits(state_age_s=0.1, answer_wait_s=0.2, sensor_wait_s=0.1, sensor_lag_s=PERIOD)
    ticks = TickAssembler(STATE, (DOOR,), PERIOD, True, limits)
    ticks.arrive("joint_states", 5.0, VALUES["joint_states"], 5.0)
    ticks.arrive("door_state", 4.90, VALUES["door_state"], 5.0)
    assert ticks.poll(5.0, 0.0) is None
    ticks.arrive("door_state", 4.95, VALUES["door_state"], 5.0)
    assert "door_angle" in ticks.poll(5.0, 0.0).signals


def test_the_answer_to_the_last_request_is_waited_for_within_a_bound():
    ticks = assembler(True)
    ticks.arrive("joint_states", 5.0, VALUES["joint_states"], 5.0)
    assert ticks.poll(5.0, 100.0, answered=False) is None
    assert ticks.poll(5.0, 100.19, answered=False) is None
    assert ticks.poll(5.0, 100.21, answered=False) is not None
    ticks.arrive("joint_states", 5.05, VALUES["joint_states"], 5.05)
    assert ticks.poll(5.05, 200.0, answered=False) is None  # a new wait
    assert ticks.poll(5.05, 200.0, answered=True) is not None


@pytest.mark.parametrize(
    ("simulated", "door_s", "at_once", "after_the_wait", "present"),
    [
        (True, 5.0, True, True, True),
        (True, 4.976, True, True, True),  # within this period
        (True, 4.95, False, True, True),  # the tick before: waited for, then it counts while it is fresh
        (True, 4.8, False, True, False),
        (True, None, False, True, False),
        (False, 4.91, True, True, True),
        (False, 4.8, True, True, False),  # on wall time nothing but the state is waited for
        (False, None, True, True, False),
    ],
)
def test_other_sensors(simulated, door_s, at_once, after_the_wait, present):
    ticks = assembler(simulated, DOOR)
    ticks.arrive("joint_states", 5.0, VALUES["joint_states"], 5.0)
    if door_s is not None:
        ticks.arrive("door_state", door_s, VALUES["door_state"], 5.0)
    tick = ticks.poll(5.0, 100.0)
    assert (tick is not None) == at_once
    tick = tick or ticks.poll(5.0, 100.11)
    assert (tick is not None) == after_the_wait
    assert ("door_angle" in tick.signals) == present


def test_the_newest_sample_wins_whatever_arrives_last():
    ticks = assembler(False, DOOR)
    for stamp_s in (4.98, 4.99, 4.97):
        ticks.arrive("joint_states", stamp_s, {"joint_position": np.array([stamp_s])}, 5.0)
    assert ticks.poll(5.0, 0.0).signals["joint_position"][0] == 4.99


def test_stamps_that_were_set_back_are_followed():
    ticks = assembler(False)
    ticks.arrive("joint_states", 5.0, VALUES["joint_states"], 5.0)
    assert ticks.poll(5.0, 0.0) is not None
    ticks.arrive("joint_states", 2.0, VALUES["joint_states"], 2.0)
    assert ticks.poll(2.0, 1.0) is not None


def test_every_reading_of_a_stream_comes_once_with_its_own_stamp():
    ticks = assembler(False, IMU)
    seen = []
    for now_s in (5.0, 5.05, 5.1):
        for offset_s in (0.04, 0.03, 0.02, 0.01, 0.0):
            assert ticks.arrive("door_imu", now_s - offset_s, VALUES["door_imu"], now_s) is None
        ticks.arrive("joint_states", now_s, VALUES["joint_states"], now_s)
        tick = ticks.poll(now_s, 0.0)
        assert tick.signals["door_imu"].shape == (5, 10)
        seen += tick.signals["door_imu_stamps"].tolist()
    assert len(seen) == 15
    np.testing.assert_allclose(np.diff(seen), 0.01)
    assert "is not after the last one" in ticks.arrive("door_imu", 5.1, VALUES["door_imu"], 5.1)
    ticks.arrive("joint_states", 5.15, VALUES["joint_states"], 5.15)
    assert len(ticks.poll(5.15, 0.0).signals["door_imu"]) == 0


@pytest.mark.parametrize("stamp_s", [float("nan"), float("inf"), 9.0])
def test_stamps_from_nowhere_are_refused_on_wall_time(stamp_s):
    assert "in the future" in assembler(False).arrive("joint_states", stamp_s, VALUES["joint_states"], 5.0)


def test_what_is_waited_for_is_said():
    ticks = assembler(False)
    assert ticks.poll(5.0, 0.0) is None
    assert ticks.waiting_for == "joint_states: nothing received yet"
    ticks.arrive("joint_states", 4.7, VALUES["joint_states"], 5.0)
    assert ticks.poll(5.0, 0.0) is None
    assert ticks.waiting_for == "joint_states: the newest is 0.300 s old, allowed 0.1 s"
    ticks.arrive("joint_states", 5.0, VALUES["joint_states"], 5.0)
    assert ticks.poll(5.0, 0.0) is not None
    assert ticks.waiting_for == ""
