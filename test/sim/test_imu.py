import numpy as np
import pytest

from naf_robot.core.errors import ConfigError
from naf_robot.sensing import rotation
from naf_robot.sensing.imu import GRAVITY, from_rows, refusal, to_rows
from naf_robot.sim.imu import DEGREE, ImuConfig, ImuModel
from naf_robot.sim.mujoco.door_by_hand import DoorByHand
from naf_robot.sim.scenes.door import DoorSceneConfig

UPRIGHT = np.array([0.0, 0.0, 0.0, 1.0])
FORCE = np.array([0.0, 0.0, GRAVITY])
PERFECT = {
    name: 0.0
    for name in (
        "gyro_noise",
        "gyro_bias",
        "gyro_drift",
        "gyro_scale_error",
        "acceleration_noise",
        "acceleration_bias",
        "heading_error",
    )
}


def readings(config, count=2000, rate=(0.0, 0.0, 0.0), seed=0):
    model = ImuModel(config, np.random.default_rng(seed))
    made = [model.sample(0.01 * i, UPRIGHT, np.array(rate), FORCE) for i in range(count)]
    return [reading for reading in made if reading is not None]


def test_a_perfect_device_reads_the_truth_in_its_own_frame():
    mounting = tuple(rotation.about_axis((1.0, 2.0, 0.5), 0.7).tolist())
    reading = readings(ImuConfig(mounting=mounting, **PERFECT), 1, rate=(0.1, 0.2, 0.3))[0]
    np.testing.assert_allclose(rotation.rotated(mounting, reading.rate), (0.1, 0.2, 0.3), atol=1e-12)
    np.testing.assert_allclose(rotation.rotated(mounting, reading.acceleration), FORCE, atol=1e-12)
    assert rotation.distance(reading.orientation, mounting) < 1e-7


def test_noise_has_the_density_of_the_datasheet():
    config = ImuConfig(**(PERFECT | {"gyro_noise": 0.005 * DEGREE, "acceleration_noise": 4e-3}))
    made = readings(config)
    # A white density over half the sampling rate: sqrt(rate) in discrete time.
    assert np.std([r.rate for r in made]) == pytest.approx(0.005 * DEGREE * 10.0, rel=0.05)
    assert np.std([r.acceleration - made[0].acceleration for r in made], axis=0).max() == pytest.approx(0.04, rel=0.1)


def test_bias_stays_within_its_bound_and_drifts():
    config = ImuConfig(**(PERFECT | {"gyro_bias": 0.3, "gyro_drift": 0.01}))
    for seed in range(10):
        rates = np.array([r.rate for r in readings(config, 1000, seed=seed)])
        assert np.abs(rates[0]).max() < 0.31
        assert 0.0 < np.abs(rates[-1] - rates[0]).max() <= 0.1 + 1e-9


def test_orientation_modes():
    assert readings(ImuConfig(orientation="none"), 1)[0].orientation is None
    drifting = readings(ImuConfig(**(PERFECT | {"orientation": "drifting", "gyro_drift": 0.01})), 2000)
    assert rotation.distance(drifting[0].orientation, drifting[-1].orientation) > 0.05
    absolute = [readings(ImuConfig(orientation="absolute"), 1, seed=seed)[0].orientation for seed in range(300)]
    headings = [rotation.distance(q, rotation.product(UPRIGHT, ImuConfig().mounting)) for q in absolute]
    assert np.sqrt(np.mean(np.square(headings))) == pytest.approx(2.0 * DEGREE, rel=0.2)


def test_dropout_loses_its_share_of_readings():
    assert len(readings(ImuConfig(dropout=0.3))) == pytest.approx(1400, rel=0.05)


def test_devices_are_repeatable_and_differ():
    first, again, other = (readings(ImuConfig(), 5, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first[-1].rate, again[-1].rate)
    assert not np.allclose(first[-1].rate, other[-1].rate)


def test_rows_carry_readings_there_and_back():
    made = readings(ImuConfig(), 3)
    rows, stamps = to_rows([*made, *readings(ImuConfig(orientation="none"), 1)])
    assert rows.shape == (4, 10)
    back = from_rows(rows, stamps, "door_imu")
    assert back[1].stamp_s == pytest.approx(made[1].stamp_s)
    np.testing.assert_array_equal(back[2].acceleration, made[2].acceleration)
    assert back[3].orientation is None
    assert all(refusal(reading, "door_imu") is None for reading in back)
    assert to_rows([])[0].shape == (0, 10)


def test_the_door_feels_gravity_and_its_own_turning():
    door = DoorByHand(DoorSceneConfig(imu=ImuConfig(**PERFECT)))
    still = [r for moment in door.move(None, 0.5) for r in moment.readings]
    assert len(still) == 50
    assert np.linalg.norm(still[-1].acceleration) == pytest.approx(9.81, abs=0.01)
    turned, truth = 0.0, 0.0
    for moment in door.move(1.0, 2.0):
        turned += sum(np.linalg.norm(reading.rate) * 0.01 for reading in moment.readings)
        truth = moment.angle
    assert turned == pytest.approx(truth, abs=0.02)


def test_a_rate_that_the_physics_cannot_keep_is_refused():
    with pytest.raises(ConfigError, match=r"physics step 0.005 s must divide the IMU's sampling period"):
        DoorByHand(DoorSceneConfig(imu=ImuConfig(rate_hz=130.0)))
