"""Names of the topics that are both on the graph and in bags: relative ones are in a robot's namespace."""

DESIRED_VELOCITY = "desired_velocity"
EXECUTED_VELOCITY = "executed_velocity"
EPISODE = "episode"
EXPERIENCE = "/experience"
CLOCK = "/clock"
GRIPPER_COMMANDS = "gripper_controller/commands"
