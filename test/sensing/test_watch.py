"""What a sensor's readings say of its health."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.sensing.imu import IMU_RATE
from naf_robot.sensing.registry import make_sensor
from naf_robot.sensing.watch import SensorWatch, diagnostic_values

JOINTS = make_sensor("joint_states", ("a", "b"))


def reading(position: float) -> dict[str, np.ndarray]:
    return {spec.name: np.full(spec.shape, position) for spec in JOINTS.specs}


@given(st.floats(0.001, 0.1), st.integers(3, 60), st.integers(2, 5))
def test_rate_and_missing_readings_are_those_of_the_stamps(period_s: float, count: int, lost: int):
    watch = SensorWatch(JOINTS)
    for k in range(count):
        watch.take(5.0 + period_s * k, reading(k))
    found = watch.report(5.0 + period_s * (count - 1))
    assert found["rate [Hz]"] == pytest.approx(1.0 / period_s, rel=1e-3, abs=1e-3)
    assert (found["messages"], found["missing"], found["identical"], found["age [s]"]) == (count, 0, 0, 0.0)
    watch.take(5.0 + period_s * (count - 1 + lost), reading(-1.0))
    assert watch.report(9.0)["missing"] == lost - 1


def test_readings_that_repeat_are_counted_over_the_border_of_two_reports():
    watch = SensorWatch(JOINTS)
    for k in range(4):
        watch.take(0.1 * k, reading(1.0))
    assert (watch.report(0.3)["compared"], watch.identical) == (3, 3)
    watch.take(0.4, reading(1.0))
    watch.take(0.5, reading(2.0))
    assert (watch.report(0.5)["compared"], watch.identical) == (5, 4)


def test_noise_is_that_of_the_readings_and_slow_motion_is_none():
    random, watch = np.random.default_rng(0), SensorWatch(JOINTS)
    for k in range(200):
        value = {spec.name: 0.2 * k * 0.01 + random.normal(0.0, 1e-3, spec.shape) for spec in JOINTS.specs}
        watch.take(0.01 * k, value)
    assert watch.report(2.0)["noise"] == pytest.approx(1e-3, rel=0.2)


def test_a_clock_that_jumps_is_no_loss():
    watch = SensorWatch(JOINTS)
    for stamp_s in (100.0, 100.1, 100.2, 3.0, 3.1, 900.0, 900.1, 900.05):
        watch.take(stamp_s, reading(stamp_s))
    assert (watch.missing, watch.messages) == (0, 7)


def test_the_mean_of_an_imus_rates_is_its_bias():
    imu = make_sensor("door_imu")
    watch = SensorWatch(imu, IMU_RATE)
    row = np.zeros(10)
    row[4:7] = (0.03, 0.0, 0.04)
    for k in range(5):
        watch.take(0.01 * k, {"door_imu": row})
    assert diagnostic_values("door_imu", watch.report(0.05))["sensor door_imu mean"] == pytest.approx(0.05)


def test_a_sensor_of_which_nothing_came_has_no_rate():
    assert SensorWatch(JOINTS).report(1.0) == {"messages": 0, "missing": 0, "compared": 0, "identical": 0}
