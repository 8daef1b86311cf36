"""Names of coordinate frames on the graph: the links of each robot stand behind its name, as in `left/base_link`.

So markers, targets, sensors and the model that robot_state_publisher shows agree, whatever the description calls its
links. A robot's base is the root link of its description: all control is in that frame.
"""

from naf_robot.run.config import RunConfig
from naf_robot.run.robot_parts import arm_of

WORLD = "world"  # the frame in which `base_pose` places the robots


def frame_of(robot: str, link: str) -> str:
    """The frame of a robot's `link`."""
    return f"{frame_prefix(robot)}{link}"


def frame_prefix(robot: str) -> str:
    """What stands before the name of each of a robot's links."""
    return f"{robot}/"


def base_frame(config: RunConfig, robot: str) -> str:
    """The frame of the base of `robot`, out of its description.

    Raises:
        NafRobotError: the description cannot be read.
    """
    return frame_of(robot, arm_of(config, robot).description().root)
