"""Properties that hold for every registered sensor: specs, messages there and back, refusals, ages."""

from types import SimpleNamespace

import numpy as np
import pytest

from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.sensing.registry import SENSORS, make_sensor, make_sensors, providers, raw_sensors, register
from naf_robot.sensing.sensor import STAMPS, check, stamp_of
from naf_robot.sensing.tick import TickAssembler, TickLimits

JOINTS = ("shoulder", "elbow", "wrist")
STAMP_S = 1234.567890123
LIMITS = TickLimits(state_age_s=0.1, answer_wait_s=0.0, sensor_wait_s=0.0)


@pytest.fixture(params=sorted(SENSORS))
def sensor(request):
    return make_sensor(request.param, JOINTS)


def example(sensor, seed: int = 0):
    """A reading within the specs; quaternions are made unit ones, matrices rotations."""
    random = np.random.default_rng(seed)
    signals = {}
    for spec in (*sensor.specs, *sensor.optional):
        if spec.dtype == "uint8":
            signals[spec.name] = random.integers(0, 256, spec.shape).astype(np.uint8)
        else:
            signals[spec.name] = random.uniform(-0.5, 0.5, spec.shape)
    for name, value in signals.items():
        if "orientation" in name:
            signals[name] = value / np.linalg.norm(value)
        if name.endswith("_imu"):
            value[:4] /= np.linalg.norm(value[:4])
        if name.endswith("_rotation"):
            turned, _ = np.linalg.qr(value.reshape(3, 3))
            signals[name] = (turned * np.sign(np.linalg.det(turned))).ravel()
    return signals


def real_message(sensor):
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    from naf_robot.nodes.sensor_messages import message_type

    return message_type(sensor.message)()


def test_its_record_is_whole(sensor):
    assert sensor.specs
    assert not sensor.topic.startswith("/")  # in the robot's namespace
    assert sensor.message.count("/msg/") == 1
    assert sensor.max_age_s > 0.0
    assert (sensor.kind == "stream") == (sensor.qos == "stream")
    assert sensor.provider is None or sensor.name in sensor.provider.gives
    assert sensor.provider is None or sensor.provider.takes in SENSORS


def test_a_reading_goes_through_its_message_and_the_wire_and_back(sensor):
    from rclpy.serialization import deserialize_message, serialize_message

    message, signals = real_message(sensor), example(sensor)
    sensor.write(message, signals, STAMP_S, "somewhere")
    received = deserialize_message(serialize_message(message), type(message))
    assert stamp_of(received) == pytest.approx(STAMP_S, abs=1e-9)
    assert received.header.frame_id == "somewhere"
    back = sensor.read(received)
    assert set(back) == set(signals)
    for name, value in signals.items():
        rounding = 1e-12 if name.endswith("_rotation") else 0.0  # which travels as a quaternion
        np.testing.assert_allclose(back[name], value, rtol=0.0, atol=rounding)


def test_an_empty_message_is_refused_with_a_reason(sensor):
    message = real_message(sensor)
    if sensor.name in ("external_wrench", "door_imu", "door_orientation"):  # plain numbers: those of an empty message
        sensor.read(message)
        return
    with pytest.raises(RefusedMessage, match=r"\w+ .*\w+"):
        sensor.read(message)


@pytest.mark.parametrize("name", sorted(set(SENSORS) - {"camera"}))
def test_a_number_that_is_not_finite_is_refused(name):
    sensor = make_sensor(name, JOINTS)
    numbers = [spec for spec in sensor.specs if spec.dtype != "uint8"]
    message, signals = real_message(sensor), example(sensor)
    signals[numbers[0].name][-1] = np.nan
    sensor.write(message, signals, STAMP_S, "")
    with pytest.raises(RefusedMessage, match=r"not finite|not a unit quaternion"):
        sensor.read(message)


@pytest.mark.parametrize("name", sorted(set(SENSORS) - {"joint_states"}))
def test_only_readings_within_their_age_count(name):
    sensor = make_sensor(name, JOINTS)
    state = make_sensor("joint_states", JOINTS)
    for age_s, counts in ((0.9 * sensor.max_age_s, True), (1.1 * sensor.max_age_s, False)):
        assembler = TickAssembler(state, (sensor,), 0.05, False, LIMITS)
        assembler.arrive("joint_states", 10.0, example(state), 10.0)
        assembler.arrive(sensor.name, 10.0 - age_s, example(sensor), 10.0)
        signals = assembler.poll(10.0, 0.0).signals
        name = sensor.specs[0].name
        if sensor.kind == "stream":
            assert len(signals[name]) == len(signals[sensor.name + STAMPS]) == int(counts)
        else:
            assert (name in signals) == counts


def test_readings_of_a_stream_keep_their_stamps_and_a_sample_has_the_ticks(sensor):
    signals = example(sensor)
    if sensor.kind == "stream":
        name = sensor.specs[0].name
        signals = {name: np.stack([signals[name]] * 2), sensor.name + STAMPS: np.array([0.1, 0.2])}
    stamps = [stamp for stamp, _ in sensor.readings(signals, 7.0)]
    assert stamps == ([0.1, 0.2] if sensor.kind == "stream" else [7.0])
    for _, reading in sensor.readings(signals, 7.0):
        for spec in sensor.specs:
            check(spec, reading[spec.name])


def test_an_age_of_zero_is_refused():
    for name in SENSORS:
        with pytest.raises(ConfigError, match=r"max_age_s"):
            make_sensor(name, JOINTS, {name: {"max_age_s": 0.0}})


def test_unknown_names_list_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"unknown sensor 'nose'; valid: .*camera"):
        make_sensor("nose")
    with pytest.raises(UnknownNameError, match=r"unknown sensor 'nose'; valid: .*camera"):
        make_sensors((), JOINTS, {"nose": {}})
    with pytest.raises(UnknownNameError, match=r"'hight' in sensors.camera"):
        make_sensor("camera", JOINTS, {"camera": {"hight": 3}})
    with pytest.raises(ConfigError, match=r"there is a sensor 'camera' already"):
        register("camera", SENSORS["camera"])


def test_joints_are_matched_by_name_and_unmeasured_efforts_are_none():
    sensor = make_sensor("joint_states", JOINTS)
    message = SimpleNamespace(
        name=["wrist", "finger", "shoulder", "elbow"],
        position=[3.0, 9.0, 1.0, 2.0],
        velocity=[0.3, 9.0, 0.1, 0.2],
        effort=[np.nan, 1.0, 1.0, 1.0],
    )
    signals = sensor.read(message)
    np.testing.assert_array_equal(signals["joint_position"], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(signals["joint_velocity"], [0.1, 0.2, 0.3])
    assert "joint_effort" not in signals
    message.effort = [3.0, np.nan, 1.0, 2.0]  # a joint that is not ours need not measure it
    np.testing.assert_array_equal(sensor.read(message)["joint_effort"], [1.0, 2.0, 3.0])
    message.name[0] = "hand"
    with pytest.raises(RefusedMessage, match=r"joint_states position lacks wrist; it names hand, finger"):
        sensor.read(message)


def test_a_provider_replaces_what_it_gives_where_the_world_has_what_it_takes():
    sensors = make_sensors(("door_state", "door_orientation"), JOINTS)
    angles = {"door_angle": np.zeros(1), "door_orientation": np.array([0.0, 0.0, 0.0, 1.0])}
    assert [s.name for s in raw_sensors(sensors, angles)] == ["door_state", "door_orientation"]
    assert [s.name for s in raw_sensors(sensors, angles | {"door_imu": np.zeros((0, 10))})] == ["door_imu"]
    assert [p.executable for p in providers(sensors)] == ["door_sensor"]
    assert providers(make_sensors(("door_state",), JOINTS)) == ()
