"""Which topics of a robot are recorded, and with which quality of service they are listened to."""

from typing import NamedTuple

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from naf_robot.arm.control.outputs import OUTPUTS
from naf_robot.nodes import topics
from naf_robot.run.config import RunConfig
from naf_robot.run.robot_parts import moved_gripper, state_sensor, task_sensors
from naf_robot.sensing.camera import info_topic
from naf_robot.sensing.registry import make_sensor, providers

DEPTH = 1000  # small messages that wait until this process gets a processor
LARGE_DEPTH = 30  # likewise, of those with pictures or many numbers
PICTURES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
LARGE = (*PICTURES, "std_msgs/msg/UInt8MultiArray")
JOINT_STATE, STRING = "sensor_msgs/msg/JointState", "std_msgs/msg/String"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"


class RecordedTopic(NamedTuple):
    """A topic to record."""

    name: str  # as the nodes of the robot name it
    type_name: str
    qos: QoSProfile
    of_one: bool = False  # whether only the messages of this robot are wanted


def recorded_topics(config: RunConfig, robot: str) -> list[RecordedTopic]:
    """What is recorded of `robot`, each topic once.

    `safety/markers` is not: what it shows follows from the rest, and velocity control makes it for listeners only.
    """
    own = config.robot(robot)
    sensors = (state_sensor(config, robot), *task_sensors(config, robot))
    raw = [make_sensor(provider.takes, (), config.sensor_settings) for provider in providers(sensors)]
    found = [_topic(sensor.topic, sensor.message, "latched" if sensor.qos == "latched" else "lossy")
             for sensor in (*sensors, *raw)]  # fmt: skip
    for sensor in sensors:
        if sensor.message in PICTURES:
            found.append(_topic(info_topic(sensor.topic), CAMERA_INFO, "lossy"))
    found += [
        _topic(topics.DESIRED_VELOCITY, JOINT_STATE),
        _topic(own.command_topic, OUTPUTS[own.output_kind].message_type),
        _topic(topics.EXECUTED_VELOCITY, JOINT_STATE),
        _topic(topics.EXTERNAL_WRENCH, "geometry_msgs/msg/WrenchStamped", "lossy"),
        _topic(topics.EPISODE, STRING, "latched"),
        _topic(topics.TARGET, "geometry_msgs/msg/PoseStamped", "latched"),
        _topic(topics.SAFETY_FAULT, STRING, "latched"),
        _topic(topics.SAFETY_HOLD, STRING, "latched"),
    ]
    if (gripper := moved_gripper(config, robot)) is not None:
        found.append(_topic(gripper.topic, "std_msgs/msg/Float64MultiArray"))
    if config.simulated_time:
        found.append(_topic(topics.CLOCK, "rosgraph_msgs/msg/Clock", "lossy"))
    if config.recording.experience:
        found.append(_topic(topics.EXPERIENCE, "std_msgs/msg/UInt8MultiArray")._replace(of_one=True))
    return list({each.name: each for each in found}.values())


def _topic(name: str, type_name: str, delivery: str = "reliable") -> RecordedTopic:
    """`delivery`: reliable, latched (late subscribers get the newest too) or lossy."""
    lossy, latched = delivery == "lossy", delivery == "latched"
    qos = QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=LARGE_DEPTH if type_name in LARGE else DEPTH,
        reliability=ReliabilityPolicy.BEST_EFFORT if lossy else ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
    return RecordedTopic(name, type_name, qos)
