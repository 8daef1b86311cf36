import time
from dataclasses import replace

import numpy as np
import pytest

from naf_robot.core.errors import ConfigError
from naf_robot.sensing import rotation
from naf_robot.sensing.door.angle import DoorAngleEstimator
from naf_robot.sensing.door.calibration import (
    CalibrationError,
    CalibrationRoutine,
    DoorImuCalibration,
    RoutineConfig,
    RoutinePhase,
    load_calibration,
    save_calibration,
)
from naf_robot.sensing.imu import ImuReading
from naf_robot.sim.imu import ImuConfig
from naf_robot.sim.mujoco.door_by_hand import DoorByHand
from naf_robot.sim.scenes.door import DoorSceneConfig
from naf_robot.sim.scenes.door_calibration import calibrate
from naf_robot.tasks.door_geometry import HINGE_AXIS

GOOD = {"frame": "imu", "gravity": (0.0, 0.0, 1.0), "hinge_axis": (0.0, 0.0, -1.0)}


def swing(rates, frame="imu", start_s=0.0, period_s=0.01):
    """Readings of an upright IMU whose rates (N, 3) are given."""
    force = np.array([0.0, 0.0, 9.81])
    return [
        ImuReading(start_s + i * period_s, frame, np.array(rate, dtype=float), force) for i, rate in enumerate(rates)
    ]


def add_all(routine, readings):
    for reading in readings:
        routine.add(reading)


def there_and_back(axis, angle=1.0, still=250):
    profile = np.sin(np.linspace(0.0, np.pi, 200))
    profile = profile / (profile.sum() * 0.01) * angle
    along = np.concatenate((np.zeros(still), profile, -profile, np.zeros(still)))
    return along[:, None] * np.asarray(axis)


@pytest.mark.parametrize("seed", range(4))
def test_the_routine_finds_axis_gravity_and_scale_of_a_real_device(seed):
    mounting = rotation.about_axis((1.0, 0.3 * seed, -0.5), 0.5 + seed)
    door = DoorByHand(DoorSceneConfig(imu=ImuConfig(mounting=tuple(mounting.tolist()))), seed)
    found = calibrate(door)
    to_imu = rotation.inverse(mounting)
    assert np.degrees(np.arccos(found.hinge_axis @ rotation.rotated(to_imu, HINGE_AXIS))) < 0.5
    assert np.degrees(np.arccos(found.gravity @ rotation.rotated(to_imu, (0, 0, 1)))) < 6.0  # the zero-g offset
    device = next(iter(door._imus._samplers.values())).device
    assert found.gyro_scale == pytest.approx(1.0 / device._scale, abs=0.004)


def test_the_first_way_of_the_swing_is_positive():
    for sign in (1.0, -1.0):
        routine = CalibrationRoutine("imu")
        for reading in swing(there_and_back((0.0, sign, 0.0))):
            phase = routine.add(reading)
            if phase is RoutinePhase.DONE:
                break
        np.testing.assert_allclose(routine.calibration.hinge_axis, (0.0, sign, 0.0), atol=1e-9)


def test_the_operator_is_told_what_to_do():
    routine = CalibrationRoutine("imu")
    seen = []
    for reading in swing(there_and_back((0.0, 0.0, 1.0))):
        phase = routine.add(reading)
        seen += [phase] if not seen or seen[-1] is not phase else []
        if phase is RoutinePhase.DONE:
            break
    assert seen == [RoutinePhase.CLOSED, RoutinePhase.SWING, RoutinePhase.DONE]


def test_a_device_that_hangs_loose_is_refused():
    rates = there_and_back((0.0, 0.0, 1.0))
    rates[250:650, 0] += 2.0 * np.sin(np.linspace(0.0, 40.0, 400))
    routine = CalibrationRoutine("imu")
    with pytest.raises(CalibrationError, match=r"not about one axis: .*is the IMU fixed to the door\?"):
        add_all(routine, swing(rates))


def test_a_routine_without_a_swing_times_out():
    routine = CalibrationRoutine("imu", RoutineConfig(max_duration_s=5.0))
    with pytest.raises(CalibrationError, match=r"not complete after 5.0 s, it was waiting for: swing the door open"):
        add_all(routine, swing(np.zeros((1000, 3))))


def test_unusable_readings_stop_the_routine():
    routine = CalibrationRoutine("imu")
    with pytest.raises(CalibrationError, match=r"rate must be 3 finite numbers"):
        routine.add(swing([[np.nan, 0.0, 0.0]])[0])
    with pytest.raises(CalibrationError, match=r"IMU frame 'other' is not the calibrated one; expected 'imu'"):
        routine.add(swing([[0.0, 0.0, 0.0]], frame="other")[0])


def test_a_calibration_survives_its_file(tmp_path):
    path = tmp_path / "door_imu" / "robot_1.yaml"
    calibration = DoorImuCalibration(**GOOD, gyro_scale=1.01)
    save_calibration(calibration, path)
    assert load_calibration(path) == calibration


def test_a_missing_calibration_says_how_to_make_one(tmp_path):
    with pytest.raises(CalibrationError, match=r"no door IMU calibration at .*make one with the service"):
        load_calibration(tmp_path / "none.yaml")


def test_a_broken_calibration_is_refused(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("frame: imu\ngravity: [0, 0, 1]\n")
    with pytest.raises(ConfigError, match="hinge_axis"):
        load_calibration(path)
    with pytest.raises(CalibrationError, match="hinge_axis of a door IMU calibration must be a unit vector"):
        DoorImuCalibration(**(GOOD | {"hinge_axis": (0.0, 0.0, 2.0)}))


@pytest.mark.parametrize(
    ("rates", "reason"),
    [
        (there_and_back((0, 0, 1), 0.2), r"the swing was 3\.\d rad, .*driver's unit is degrees per second"),
        (
            [[0, 0, 0]] * 250 + [[0, 0, 1]],
            r"rate 57\.3 rad/s is more than .* be 1\.00 rad/s if the driver's unit is deg",
        ),
    ],
)
def test_degrees_per_second_are_recognised_by_the_swing_and_by_the_rate(rates, reason):
    with pytest.raises(CalibrationError, match=reason):
        add_all(CalibrationRoutine("imu"), swing(np.degrees(rates)))


def test_a_slow_swing_in_degrees_is_recognised_by_the_orientation():
    """Three degrees would be taken for three radians; the orientation turned by three degrees only."""
    routine = CalibrationRoutine("imu")
    rates = there_and_back((0.0, 0.0, 1.0), np.radians(3.0))
    turned = np.cumsum(rates[:, 2]) * 0.01
    readings = [
        replace(reading, rate=np.degrees(reading.rate), orientation=rotation.about_axis((0.0, 0.0, 1.0), angle))
        for reading, angle in zip(swing(rates), turned, strict=True)
    ]
    with pytest.raises(CalibrationError, match=r"its orientation turned by 0\.0\d rad; it was .* degrees per second"):
        add_all(routine, readings)


@pytest.mark.parametrize(
    ("force", "reason"),
    [
        (0.02, "must read gravity, 9.81 m/s^2, got 0.02: the driver removes gravity; switch that off"),
        (1.0, "got 1: the driver's unit seems to be g, it must be m/s^2"),
        (1000.0, "thousandths of g"),
        (4.0, "got 4; check the accelerometer's range and unit"),
    ],
)
def test_acceleration_that_is_not_gravity_is_named(force, reason):
    readings = [replace(r, acceleration=np.array([0.0, 0.0, force])) for r in swing(np.zeros((300, 3)))]
    with pytest.raises(CalibrationError, match=reason.replace("^", r"\^").replace(".", r"\.")):
        add_all(CalibrationRoutine("imu"), readings)
    estimator = DoorAngleEstimator(DoorImuCalibration(**GOOD), HINGE_AXIS)
    told = {estimator.update(replace(reading, frame="imu")) for reading in readings} - {None}
    assert all(reason in text for text in told)
    assert told


def test_a_zero_quaternion_is_no_orientation_and_refused_only_where_a_heading_is_needed():
    readings = [replace(reading, orientation=np.zeros(4)) for reading in swing(there_and_back((0.0, 0.0, 1.0)))]
    assert readings[0].orientation is None
    routine = CalibrationRoutine("imu")
    for reading in readings:
        if routine.add(reading) is RoutinePhase.DONE:
            break
    assert routine.calibration is not None
    with pytest.raises(CalibrationError, match=r"gives no orientation, and sensors\.door_imu\.heading is 'absolute'"):
        add_all(CalibrationRoutine("imu", heading="absolute"), readings)


def test_a_swing_that_contradicts_the_known_one_is_refused():
    with pytest.raises(CalibrationError, match=r"1\.00 rad by the gyro and 2\.5 rad by known_swing"):
        add_all(CalibrationRoutine("imu", RoutineConfig(known_swing=2.5)), swing(there_and_back((0.0, 0.0, 1.0))))


def test_a_fast_imu_costs_the_same_for_every_reading():
    """At 1 kHz, and with half a minute of waiting before the swing: 0.2 ms a reading, where it was 2 ms."""
    rates = np.zeros((30_000, 3))
    rates[::2] = 0.05  # never still
    readings = swing(rates, period_s=0.001)
    routine = CalibrationRoutine("imu")
    began_s = time.process_time()
    add_all(routine, readings)
    assert routine.phase is RoutinePhase.CLOSED
    assert time.process_time() - began_s < 6.0
