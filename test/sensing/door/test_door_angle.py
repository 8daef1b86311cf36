from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.sensing import rotation
from naf_robot.sensing.door.angle import DoorAngleEstimator, DoorAngleState
from naf_robot.sensing.door.calibration import DoorImuCalibration
from naf_robot.sensing.imu import ImuReading
from naf_robot.sim.imu import ImuConfig
from naf_robot.sim.mujoco.door_by_hand import DoorByHand
from naf_robot.sim.scenes.door import DoorSceneConfig
from naf_robot.sim.scenes.door_calibration import calibrate
from naf_robot.tasks.door_geometry import HINGE_AXIS

CALIBRATION = DoorImuCalibration(frame="imu", gravity=(0.0, 0.0, 1.0), hinge_axis=(0.0, 0.0, -1.0))
FORCE = np.array([0.0, 0.0, 9.81])


def reading(stamp_s, rate=0.0, **values):
    """An upright IMU on a door that opens at `rate`."""
    made = ImuReading(stamp_s, "imu", np.array([0.0, 0.0, -rate]), FORCE)
    return replace(made, **values)


def started(calibration=CALIBRATION, **values):
    estimator = DoorAngleEstimator(calibration, HINGE_AXIS)
    for step in range(61):
        assert estimator.update(reading(0.01 * step, **values)) is None
    assert estimator.state is DoorAngleState.TRACKING
    return estimator, 0.6


def turn(estimator, now_s, rate, duration_s, bias=0.0):
    for _ in range(round(duration_s / 0.01)):
        now_s += 0.01
        estimator.update(reading(now_s, rate + bias))
    return now_s


@given(st.one_of(st.floats(0.05, 1.5), st.floats(-1.5, -0.05)), st.floats(-0.3, 0.3))
def test_the_angle_is_what_the_gyro_turned_whatever_its_bias(angle, bias):
    estimator = DoorAngleEstimator(CALIBRATION, HINGE_AXIS)
    now_s = turn(estimator, 0.0, 0.0, 0.7, bias)
    now_s = turn(estimator, now_s, angle, 1.0, bias)
    estimate, _ = estimator.estimate(now_s)
    assert estimate.angle == pytest.approx(angle, abs=2e-3)
    assert estimate.bias == pytest.approx(bias, abs=1e-3)
    assert rotation.distance(estimate.orientation, rotation.about_axis(HINGE_AXIS, angle)) < 3e-3


def test_there_is_no_angle_before_the_door_was_closed_and_still():
    estimator = DoorAngleEstimator(CALIBRATION, HINGE_AXIS)
    assert estimator.estimate(0.0) == (None, "no IMU reading yet")
    random = np.random.default_rng(0)
    for step in range(200):
        estimator.update(reading(0.01 * step, random.normal(0.0, 0.1)))
    estimate, reason = estimator.estimate(2.0)
    assert estimate is None
    assert "keep the door closed" in reason


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"frame": "camera"}, "IMU frame 'camera' is not the calibrated one; expected 'imu'"),
        ({"rate": np.array([0.0, np.inf, 0.0])}, "rate must be 3 finite numbers"),
        ({"acceleration": np.full(3, np.nan)}, "acceleration must be 3 finite numbers"),
        ({"orientation": np.array([0.0, 0.0, 0.0, 0.9])}, "orientation has norm 0.9; a rotation has 1"),
        ({"orientation": np.full(4, np.nan)}, "orientation must be 4 finite numbers"),
        ({"stamp_s": 0.3}, "stamp 0.300 s is not after the last one, 0.600 s"),
        ({"stamp_s": float("nan")}, "stamp nan is not finite"),
    ],
)
def test_bad_readings_are_refused_with_a_reason_and_change_nothing(values, reason):
    estimator, now_s = started()
    before, _ = estimator.estimate(now_s)
    good = reading(now_s + 0.01)
    assert reason in estimator.update(replace(good, **values))
    after, _ = estimator.estimate(now_s)
    assert after.angle == before.angle
    assert after.stamp_s == before.stamp_s


def test_a_stale_reading_gives_no_angle():
    estimator, now_s = started()
    assert estimator.estimate(now_s + 0.09)[0] is not None
    estimate, reason = estimator.estimate(now_s + 0.11)
    assert estimate is None
    assert reason == "the newest IMU reading is 0.11 s old, allowed 0.1 s"


def test_after_a_gap_the_angle_is_lost_until_the_door_is_closed():
    estimator, now_s = started()
    now_s = turn(estimator, now_s, 0.5, 1.0)
    estimator.update(reading(now_s + 0.5, 0.5))
    estimate, reason = estimator.estimate(now_s + 0.5)
    assert estimate is None
    assert "close the door" in reason
    now_s = turn(estimator, now_s + 0.5, 0.0, 0.7)
    assert estimator.estimate(now_s)[0].angle == pytest.approx(0.0, abs=1e-6)


def test_a_steadily_turning_door_is_not_taken_for_a_still_one_with_bias():
    estimator, now_s = started()
    estimator.update(reading(now_s + 0.5, 0.5))
    now_s = turn(estimator, now_s + 0.5, 0.5, 2.0)
    assert estimator.estimate(now_s)[0] is None
    now_s = turn(estimator, now_s, 0.0, 0.7)
    assert estimator.estimate(now_s)[0].angle == pytest.approx(0.0, abs=1e-6)


def test_another_mounting_is_noticed():
    estimator = DoorAngleEstimator(CALIBRATION, HINGE_AXIS)
    reasons = {estimator.update(reading(0.01 * step, acceleration=np.array([9.81, 0.0, 0.0]))) for step in range(80)}
    (reason,) = reasons - {None}
    assert reason.startswith("gravity is 90 degrees from the calibrated direction: the IMU is mounted otherwise")
    assert estimator.estimate(0.8)[0] is None


def test_drift_is_taken_out_when_the_door_is_closed():
    estimator, now_s = started()
    now_s = turn(estimator, now_s, 0.01, 2.0)  # a bias that came up after the start
    drifted = estimator.estimate(now_s)[0]
    assert drifted.angle > 0.01
    now_s = turn(estimator, now_s, 0.005, 2.0)
    corrected = estimator.estimate(now_s)[0]
    assert abs(corrected.angle) < drifted.angle
    assert corrected.deviation < drifted.deviation
    assert estimator.closings > 1


def test_an_open_door_at_rest_is_not_taken_for_closed():
    estimator, now_s = started()
    now_s = turn(estimator, now_s, 0.2, 1.0)
    now_s = turn(estimator, now_s, 0.0, 20.0)
    assert estimator.estimate(now_s)[0].angle == pytest.approx(0.2, abs=1e-3)
    assert estimator.closings == 1


def test_an_operator_may_say_that_the_door_is_closed():
    estimator, now_s = started()
    now_s = turn(estimator, now_s, 0.2, 1.0)
    estimator.known_closed()
    assert estimator.estimate(now_s)[0] is None
    now_s = turn(estimator, now_s, 0.0, 0.7)
    assert estimator.estimate(now_s)[0].angle == pytest.approx(0.0, abs=1e-6)


def test_the_quaternion_never_jumps_in_sign():
    estimator, now_s = started()
    last = estimator.estimate(now_s)[0].orientation
    for rate in (1.0, -1.0, -1.0, 1.0):
        for _ in range(100):
            now_s = turn(estimator, now_s, rate, 0.01)
            following = estimator.estimate(now_s)[0].orientation
            assert following @ last > 0.99
            last = following


@pytest.mark.parametrize("orientation", ["none", "drifting", "absolute"])
def test_the_error_over_an_episode_is_below_one_degree(orientation):
    door = DoorByHand(DoorSceneConfig(imu=ImuConfig(orientation=orientation)), seed=3)
    estimator = DoorAngleEstimator(calibrate(door), HINGE_AXIS)
    errors = []
    for angle, duration_s in ((None, 2.0), (0.8, 4.0), (-0.6, 4.0), (1.2, 4.0), (0.3, 3.0)):
        for moment in door.move(angle, duration_s):
            for one in moment.readings:
                assert estimator.update(one) is None
            estimate, _ = estimator.estimate(moment.time_s)
            errors.append(estimate.angle - moment.angle if estimate and angle is not None else 0.0)
    assert np.degrees(np.sqrt(np.mean(np.square(errors)))) < 1.0


def test_a_driver_that_turns_to_degrees_per_second_is_noticed():
    """Two radians of the door would read 114."""
    estimator, now_s = started()
    reasons = set()
    for _ in range(200):
        now_s += 0.01
        reasons.add(estimator.update(reading(now_s, np.degrees(0.2))))
    (reason,) = {text for text in reasons - {None} if "turned" in text}
    assert "it can by 3.5 rad" in reason
    assert "degrees per second" in reason
    assert estimator.estimate(now_s)[0] is None
    assert "rate 57.3 rad/s is more than" in estimator.update(reading(now_s + 0.01, np.degrees(1.0)))
