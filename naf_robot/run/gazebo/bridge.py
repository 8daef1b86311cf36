"""Which topics ros_gz_bridge carries between Gazebo and ROS: the clock, and for each robot what its task senses."""

from typing import Any

import numpy as np

from naf_robot.core.errors import ConfigError
from naf_robot.run.config import RunConfig
from naf_robot.run.robot_parts import task_sensors
from naf_robot.sensing.registry import providers, raw_sensors
from naf_robot.sensing.sensor import Sensor
from naf_robot.sensing.signals import Signals
from naf_robot.sim.scenes.registry import scene_config

CLOCK, TARGET = "/clock", "target"
GIVEN = {"door": ("door_angle", "handle_angle")}  # what a scene says of itself in Gazebo, besides an IMU
TYPES = {  # of Gazebo, by those of ROS
    "rosgraph_msgs/msg/Clock": "gz.msgs.Clock",
    "sensor_msgs/msg/Imu": "gz.msgs.IMU",
    "sensor_msgs/msg/JointState": "gz.msgs.Model",
    "geometry_msgs/msg/PoseStamped": "gz.msgs.Pose",
}


def bridged_topics(config: RunConfig) -> list[dict[str, Any]]:
    """The content of the bridge's file: topics have the same names on both sides.

    The goal of each episode goes to Gazebo, where a door is laid around it.

    Raises:
        ConfigError: the task needs a sensor that Gazebo's world has not.
    """
    topics = [_entry(CLOCK, "rosgraph_msgs/msg/Clock")]
    for robot in config.robots:
        topics += [_entry(f"/{robot}/{each.topic}", each.message) for each in gazebo_sensors(config, robot)]
        if config.make_task().scene != "free":
            topics.append(_entry(f"/{robot}/{TARGET}", "geometry_msgs/msg/PoseStamped", "ROS_TO_GZ"))
    return topics


def gazebo_sensors(config: RunConfig, robot: str) -> list[Sensor]:
    """The sensors of the task of `robot` that Gazebo's world gives: the raw ones, besides the joint states.

    Raises:
        ConfigError: the task needs a sensor that Gazebo's world has not.
    """
    task = config.make_task()
    given: Signals = {name: np.zeros(1) for name in GIVEN.get(task.scene, ())}
    if getattr(scene_config(task.scene, config.simulator.scene), "imu", None) is not None:
        given["door_imu"] = np.zeros(1)
    sensors = raw_sensors(task_sensors(config, robot), given, config.sensors)
    provided = {name for each in providers(task_sensors(config, robot)) for name in each.gives}
    lacking = [name for name in task.sensors if name not in provided | {each.name for each in sensors}]
    if lacking:
        raise ConfigError(
            f"task {task.name!r} needs the sensor {lacking[0]!r}, which the world that is made for Gazebo has not; in "
            "MuJoCo it has"
        )
    return sensors


def _entry(topic: str, message: str, direction: str = "GZ_TO_ROS") -> dict[str, Any]:
    return {
        "ros_topic_name": topic,
        "gz_topic_name": topic,
        "ros_type_name": message,
        "gz_type_name": TYPES[message],
        "direction": direction,
    }
