"""`python -m naf_robot.nodes.robot_description TOPIC TIMEOUT_S` prints the text of a latched description topic.

It is started by `run.description_topics`, before a run has a folder or nodes.
"""

import os
import sys
import time

import rclpy
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import String

from naf_robot.core.errors import NafRobotError, RobotModelError
from naf_robot.core.ros_environment import check_ros_environment, complete_ros_environment
from naf_robot.nodes.qos import latched

USER_ERROR = 2


def receive(topic: str, timeout_s: float) -> str:
    """The last text that was published on `topic`, waited for at most `timeout_s` [s].

    Raises:
        RobotModelError: nothing came; who publishes there, and in which domain was looked.
    """
    found: list[str] = []
    node = rclpy.create_node("robot_description_reader", start_parameter_services=False)
    try:
        node.create_subscription(String, topic, lambda message: found.append(message.data), latched())
        deadline = time.monotonic() + timeout_s
        while not found and time.monotonic() < deadline:
            rclpy.spin_once(node, timeout_sec=0.1)
        if found:
            return found[-1]
        count = node.count_publishers(topic)
    finally:
        node.destroy_node()
    domain = os.environ.get("ROS_DOMAIN_ID") or "0"
    raise RobotModelError(
        f"no robot description on topic {topic!r} within {timeout_s:g} s ({count} publishers, ROS_DOMAIN_ID={domain}): "
        "is robot_state_publisher running, and is the topic in the robot's namespace?"
    )


def _main(topic: str, timeout_s: float) -> int:
    try:
        complete_ros_environment(os.environ)
        check_ros_environment(os.environ)
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        sys.stdout.write(receive(topic, timeout_s))
        sys.stdout.flush()
    except NafRobotError as error:
        print(error, file=sys.stderr, flush=True)
        return USER_ERROR
    finally:
        if rclpy.ok():
            rclpy.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1], float(sys.argv[2])))
