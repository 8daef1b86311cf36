from dataclasses import replace

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
import yaml
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy

from naf_robot.experience.recording.definitions import definition_of
from naf_robot.nodes import recorded_topics as module
from naf_robot.nodes import topics
from naf_robot.nodes.qos import latched
from naf_robot.nodes.recorded_qos import yaml_of
from naf_robot.nodes.recorded_topics import recorded_topics
from naf_robot.run.config import resolve
from naf_robot.run.robot import REAL
from naf_robot.sensing.registry import make_sensor
from naf_robot.tasks.registry import TASKS

ASKED = {
    topics.JOINT_STATES,
    topics.DESIRED_VELOCITY,
    topics.EXECUTED_VELOCITY,
    topics.EPISODE,
    topics.COMMANDS,
}


@pytest.mark.parametrize("task", sorted(TASKS))
def test_all_that_an_episode_is_rebuilt_from_is_recorded(task: str):
    config = resolve(task)
    found = {each.name: each for each in recorded_topics(config, "robot_1")}
    assert ASKED | {topics.CLOCK, topics.EXPERIENCE, topics.TARGET} <= set(found)
    assert {make_sensor(name, (), config.sensors).topic for name in config.make_task().sensors} <= set(found)
    assert topics.SAFETY_MARKERS not in found, "velocity control makes them for listeners"
    assert all(definition_of(each.type_name) for each in found.values())


def test_a_door_sensors_own_source_is_recorded_too():
    assert "door/imu" in {each.name for each in recorded_topics(resolve("door_real"), "robot_1")}


@pytest.mark.parametrize("topic", ["camera/image_raw", "camera/image_raw/compressed"])
def test_a_cameras_calibration_is_recorded_beside_its_pictures(topic: str, monkeypatch: pytest.MonkeyPatch):
    kind = "sensor_msgs/msg/CompressedImage" if topic.endswith("compressed") else "sensor_msgs/msg/Image"
    camera = replace(make_sensor("camera"), topic=topic, message=kind)
    monkeypatch.setattr(module, "task_sensors", lambda config, robot: (camera,))
    found = {each.name: each for each in recorded_topics(resolve("reach"), "robot_1")}
    assert found["camera/camera_info"].type_name == "sensor_msgs/msg/CameraInfo"
    assert found[topic].qos.depth < found[topics.JOINT_STATES].qos.depth, "pictures that wait take memory"


def test_real_arms_are_recorded_where_their_drivers_are_and_without_a_clock():
    own = {"driver": {"joint_states": "/ur/joint_states"}, "output": {"kind": "trajectory", "topic": "/ur/go"}}
    config = resolve("reach", overrides=[{"backend": REAL, "simulated_time": False, **own}])
    found = {each.name: each.type_name for each in recorded_topics(config, "robot_1")}
    assert found["/ur/joint_states"] == "sensor_msgs/msg/JointState"
    assert found["/ur/go"] == "trajectory_msgs/msg/JointTrajectory"
    assert topics.CLOCK not in found
    assert topics.COMMANDS not in found


def test_batches_are_left_out_where_that_is_asked():
    config = resolve("reach", overrides=[{"recording": {"experience": False}}])
    assert topics.EXPERIENCE not in {each.name for each in recorded_topics(config, "robot_1")}


def test_latched_topics_reach_a_recorder_that_starts_late():
    found = {each.name: each.qos for each in recorded_topics(resolve("reach"), "robot_1")}
    late = {name for name, qos in found.items() if qos.durability is DurabilityPolicy.TRANSIENT_LOCAL}
    assert late == {topics.EPISODE, topics.TARGET, topics.SAFETY_FAULT, topics.SAFETY_HOLD}
    assert found[topics.JOINT_STATES].reliability is ReliabilityPolicy.BEST_EFFORT, "drivers may offer no more"


def test_offers_are_written_as_rosbag2_does():
    (offer,) = yaml.safe_load(yaml_of([latched(2), latched(2)]))
    assert (offer["history"], offer["depth"]) == ("keep_last", 2)
    assert (offer["reliability"], offer["durability"], offer["liveliness"]) == (
        "reliable",
        "transient_local",
        "system_default",
    )
    assert offer["deadline"] == {"sec": 0, "nsec": 0}


def test_definitions_hold_every_type_within():
    text = definition_of("trajectory_msgs/msg/JointTrajectory")
    names = [line.removeprefix("MSG: ") for line in text.splitlines() if line.startswith("MSG: ")]
    assert names == [
        "std_msgs/Header",
        "trajectory_msgs/JointTrajectoryPoint",
        "builtin_interfaces/Time",
        "builtin_interfaces/Duration",
    ]
    assert definition_of("nobodys_msgs/msg/Thing") == ""
