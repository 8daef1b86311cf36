"""Names of the graph: relative ones are in a robot's namespace, absolute ones are shared by the fleet.

The topics of further sensors are in their records (`sensing.registry`).
"""

JOINT_STATES = "joint_states"
DESIRED_VELOCITY = "desired_velocity"
COMMANDS = "velocity_controller/commands"
EXECUTED_VELOCITY = "executed_velocity"
SAFETY_MARKERS = "safety/markers"
SCENE_MARKERS = "scene/markers"
SAFETY_FAULT = "safety/fault"
SAFETY_HOLD = "safety/hold"
EXTERNAL_WRENCH = "external_wrench"
TARGET = "target"
POLICY_PARAMETERS = "/policy/parameters"
POLICY_REQUEST = "/policy/request"
EXPERIENCE = "/experience"
EXPERIENCE_ACK = "/experience/ack"
TRAINER_ANNOUNCEMENT = "/trainer/announcement"
TRAINER_CONTACT = "/trainer/contact"
TRAINER_CONTACT_ANSWER = "/trainer/contact_answer"
DIAGNOSTICS = "/diagnostics"
CLOCK = "/clock"
