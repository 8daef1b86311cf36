"""`python -m naf_robot.nodes.run_finder SECONDS` prints the configuration files of the runs on the graph as JSON.

Every node of a run has the parameter `config`; it is asked for by whoever has not been given a run folder.
"""

import json
import os
import sys
import time

import rclpy
from rcl_interfaces.srv import GetParameters
from rclpy.signals import SignalHandlerOptions

from naf_robot.core.errors import NafRobotError
from naf_robot.core.ros_environment import check_ros_environment, complete_ros_environment

USER_ERROR = 2
OURS = ("collector", "trainer", "simulator", "velocity_control")  # nodes that are asked
GET_PARAMETERS = "/get_parameters"


def find(within_s: float) -> list[str]:
    """The values of `config` of the nodes that answer within `within_s` [s]; soon after the first answer."""
    node = rclpy.create_node("run_finder", start_parameter_services=False)
    asked = {}
    try:
        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            rclpy.spin_once(node, timeout_sec=0.1)
            for name, _ in node.get_service_names_and_types():
                owner = name.removesuffix(GET_PARAMETERS)
                if name.endswith(GET_PARAMETERS) and owner.rpartition("/")[2] in OURS and name not in asked:
                    client = node.create_client(GetParameters, name)
                    asked[name] = (client, client.call_async(GetParameters.Request(names=["config"])))
            answers = [future.result() for _, future in asked.values() if future.done()]
            found = {answer.values[0].string_value for answer in answers if answer is not None and answer.values}
            if found - {""} and len(answers) == len(asked):
                return sorted(found - {""})
        return []
    finally:
        node.destroy_node()


def _main(within_s: float) -> int:
    try:
        complete_ros_environment(os.environ)
        check_ros_environment(os.environ)
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        print(json.dumps(find(within_s)), flush=True)
    except NafRobotError as error:
        print(error, file=sys.stderr, flush=True)
        return USER_ERROR
    finally:
        if rclpy.ok():
            rclpy.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(_main(float(sys.argv[1])))
