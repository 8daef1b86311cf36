"""Names of the graph: relative ones are in a robot's namespace, absolute ones are shared by the fleet.

The topics of further sensors are in their records (`sensing.registry`).
"""

from naf_robot.core.graph_names import CLOCK as CLOCK
from naf_robot.core.graph_names import DESIRED_VELOCITY as DESIRED_VELOCITY
from naf_robot.core.graph_names import EPISODE as EPISODE
from naf_robot.core.graph_names import EXECUTED_VELOCITY as EXECUTED_VELOCITY
from naf_robot.core.graph_names import EXPERIENCE as EXPERIENCE
from naf_robot.core.graph_names import GRIPPER_COMMANDS as GRIPPER_COMMANDS

JOINT_STATES = "joint_states"
COMMANDS = "velocity_controller/commands"
SAFETY_MARKERS = "safety/markers"
SCENE_MARKERS = "scene/markers"
SAFETY_FAULT = "safety/fault"
SAFETY_HOLD = "safety/hold"
TELEOP_VELOCITY = "teleop/velocity"
EXTERNAL_WRENCH = "external_wrench"
TARGET = "target"
CAMERA_IMAGE = "camera/image_raw"
CAMERA_COMPRESSED = "camera/image_raw/compressed"
CAMERA_INFO = "camera/camera_info"
POLICY_PARAMETERS = "/policy/parameters"
POLICY_REQUEST = "/policy/request"
POLICY_REQUESTED = "/policy/requested"
EXPERIENCE_ACK = "/experience/ack"
TRAINER_ANNOUNCEMENT = "/trainer/announcement"
TRAINER_CONTACT = "/trainer/contact"
TRAINER_CONTACT_ANSWER = "/trainer/contact_answer"
DIAGNOSTICS = "/diagnostics"
