"""docs/add_a_sensor.md, done from outside the package: the width of a gripper, as a stamped point's x."""

import numpy as np
import pytest

from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.core.array_spec import ArraySpec
from naf_robot.run.config import resolve
from naf_robot.run.robot_parts import task_sensors, tick_assembler
from naf_robot.sensing.registry import SENSORS, SensorEntry, make_sensor, register
from naf_robot.sensing.sensor import Sensor, SensorConfig
from naf_robot.tasks.reach import Reach, ReachConfig
from naf_robot.tasks.registry import TASKS, TaskEntry
from naf_robot.tasks.registry import register as register_task


class GripperConfig(SensorConfig, frozen=True):
    widest: float = 0.08  # [m]


def gripper_width(config: GripperConfig, joints: tuple[str, ...]) -> Sensor:
    def decode(message):
        return {"gripper_width": np.array([message.point.x])}

    def encode(message, signals):
        message.point.x = float(signals["gripper_width"][0])

    spec = ArraySpec("gripper_width", (1,), "m", low=0.0, high=config.widest)
    return Sensor("gripper_width", "gripper/width", "geometry_msgs/msg/PointStamped", (spec,), decode, encode)


class Grip(Reach):
    name = "grip"
    sensors = ("gripper_width",)
    required_signals = ("gripper_width",)


@pytest.fixture(autouse=True)
def added(monkeypatch):
    monkeypatch.setattr("naf_robot.sensing.registry.SENSORS", SENSORS | {})
    register("gripper_width", SensorEntry(GripperConfig, gripper_width))
    yield
    SENSORS.pop("gripper_width", None)
    TASKS.pop("grip", None)


def test_it_goes_through_its_message_there_and_back():
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    from naf_robot.nodes.sensor_messages import to_message, topics_and_types

    sensor = make_sensor("gripper_width")
    message = to_message(sensor, {"gripper_width": np.array([0.03])}, 2.5, "hand")
    assert (message.header.stamp.sec, message.header.frame_id) == (2, "hand")
    np.testing.assert_array_equal(sensor.read(message)["gripper_width"], [0.03])
    message.point.x = 0.2
    with pytest.raises(RefusedMessage, match=r"gripper_width must lie within \[0.0, 0.08\] m"):
        sensor.read(message)
    assert topics_and_types()["gripper/width"] == "geometry_msgs/msg/PointStamped"


def test_a_task_that_names_it_gets_it_in_its_ticks():
    reach = TASKS["reach"]
    register_task("grip", TaskEntry(ReachConfig, Grip, "test/Grip-v0", file=None))
    arm = resolve("reach")
    config = resolve("grip", overrides=[{"arm": _plain(arm.arm), "safety": _plain(arm.safety)}])
    assert [sensor.topic for sensor in task_sensors(config, "robot_1")] == ["gripper/width"]
    ticks = tick_assembler(config, "robot_1", simulated_time=False)
    state = {"joint_position": np.zeros(7), "joint_velocity": np.zeros(7)}
    ticks.arrive("joint_states", 3.0, state, 3.0)
    ticks.arrive("gripper_width", 3.0, {"gripper_width": np.array([0.05])}, 3.0)
    assert ticks.poll(3.0, 0.0).signals["gripper_width"][0] == 0.05
    assert reach is TASKS["reach"]


def _plain(record):
    import msgspec

    return msgspec.to_builtins(record)
