"""Samples and streams under imperfections: a stream's reading comes once, with its own stamp, or not at all."""

import numpy as np
import pytest

from naf_robot.run.config import resolve
from naf_robot.run.worlds import make_simulator
from naf_robot.sim.imperfections import ImperfectSensors
from naf_robot.sim.simulator import ImperfectionConfig

PERIOD = 0.05


def period(number: int, count: int = 5):
    """What a world says after period `number`: a state, and `count` readings spread over the period."""
    stamps = PERIOD * (number - 1) + PERIOD * np.arange(1, count + 1) / count
    return {
        "joint_position": np.array([float(number)]),
        "joint_velocity": np.zeros(1),
        "imu": np.arange(count, dtype=float)[:, None] + 100.0 * number,
        "imu_stamps": stamps,
    }


def run(periods: int, seed: int = 0, **settings):
    """Per period: the state that is read, and the stamps that come."""
    sensors = ImperfectSensors(ImperfectionConfig(**settings), np.random.default_rng(seed))
    sensors.restart(period(0, 0), at_home=True)
    states, stamps = [], []
    for number in range(1, periods + 1):
        sensors.update(period(number))
        read = sensors.read()
        assert len(read["imu"]) == len(read["imu_stamps"])
        states.append(read["joint_position"][0])
        stamps.append(read["imu_stamps"].tolist())
    return np.array(states), stamps


def test_without_imperfections_everything_comes_at_once():
    states, stamps = run(4)
    np.testing.assert_array_equal(states, [1, 2, 3, 4])
    np.testing.assert_allclose(np.concatenate(stamps), 0.01 * np.arange(1, 21))


def test_delayed_readings_arrive_later_with_the_stamps_that_they_had():
    states, stamps = run(5, sensor_delay_periods=2)
    np.testing.assert_array_equal(states, [0, 0, 1, 2, 3])
    assert stamps[:2] == [[], []]
    np.testing.assert_allclose(np.concatenate(stamps), 0.01 * np.arange(1, 16))
    for arrived, readings in enumerate(stamps[2:], 3):
        assert max(readings) <= PERIOD * (arrived - 2) + 1e-9  # not presented as fresh


def test_a_lost_period_repeats_the_state_but_never_a_reading():
    states, stamps = run(200, dropout=0.5)
    lost = np.diff(states, prepend=0.0) == 0.0
    assert 0.35 < lost.mean() < 0.65
    assert [not readings for readings in stamps] == lost.tolist()
    came = np.concatenate(stamps)
    assert len(np.unique(came)) == len(came)
    assert (np.diff(came) > 0.0).all()


def test_reading_twice_is_the_same_and_a_new_scene_loses_nothing_that_is_on_its_way():
    sensors = ImperfectSensors(ImperfectionConfig(sensor_delay_periods=1), np.random.default_rng(0))
    sensors.restart(period(0, 0), at_home=True)
    sensors.update(period(1))
    sensors.restart(period(1, 0), at_home=False)
    assert sensors.read()["joint_position"][0] == 1.0
    sensors.update(period(2))
    np.testing.assert_array_equal(sensors.read()["imu_stamps"], period(1)["imu_stamps"])
    np.testing.assert_array_equal(sensors.read()["imu_stamps"], period(1)["imu_stamps"])
    sensors.restart(period(2, 0), at_home=True)
    assert len(sensors.read()["imu"]) == 0
    sensors.update(period(3))
    assert len(sensors.read()["imu"]) == 0  # of an episode that is over


@pytest.mark.parametrize("settings", [{}, {"sensor_delay_periods": 2}, {"dropout": 0.4}])
def test_the_imu_of_a_simulated_door_says_each_instant_once(settings):
    overrides = {"simulator": {"imperfections": settings}, "robots": ["a"]}
    simulator = make_simulator(resolve("door_real", overrides=[overrides]), ("a",))
    came = []
    for number in range(60):
        simulator.step()
        if number % 20 == 19:
            simulator.reset("a", None, at_home=False)
        stamps = simulator.signals("a")["door_imu_stamps"]
        late_s = PERIOD * settings.get("sensor_delay_periods", 0)
        assert (stamps <= simulator.time_s - late_s + 1e-9).all()
        came += stamps.tolist()
    assert (np.diff(came) > 0.0).all()
    gaps = np.unique(np.round(np.diff(came), 9))
    if "dropout" not in settings:
        np.testing.assert_allclose(gaps, [0.01])
        assert len(came) >= 290 - 10 * settings.get("sensor_delay_periods", 0)
