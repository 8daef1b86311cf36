"""How long each node may take to end after it was asked, stated once for the nodes and for whoever stops them.

A node's own bound is what it waits for by itself. What starts it keeps that, and `PROCESS_END_S` for the end of the
process, in reserve. All stages one after the other take `TOTAL_S` at most on a machine that gives them time.
"""

COLLECTOR_FLUSH_S = 0.6  # until the trainer has taken the last batches; the rest stays in the outbox
TRAINER_DRAIN_S = 0.5  # of taking what still comes
TRAINER_SAVE_S = 1.2  # for the checkpoint, the summary and the learning curve
BRAKING_S = 2.0  # until zero is sent whatever the arm does
COMMAND_ACKNOWLEDGED_S = 0.5  # until the drive has the last zero
RECORDER_DRAIN_S = 0.5  # of taking what still comes, and finishing the bag
PROCESS_END_S = 0.5  # from the end of a node's work to the end of its process

COLLECTOR_S = COLLECTOR_FLUSH_S + PROCESS_END_S
TRAINER_S = TRAINER_DRAIN_S + TRAINER_SAVE_S + PROCESS_END_S
VELOCITY_CONTROL_S = BRAKING_S + COMMAND_ACKNOWLEDGED_S + PROCESS_END_S
RECORDER_S = RECORDER_DRAIN_S + PROCESS_END_S
SENSOR_NODE_S = SIMULATOR_S = LIFECYCLE_S = PROCESS_END_S
TOTAL_S = COLLECTOR_S + TRAINER_S + VELOCITY_CONTROL_S + max(SIMULATOR_S, RECORDER_S)

STOP_BY_SIGTERM = "NAF_ROBOT_STOP_BY_SIGTERM"
"""In the environment of a process whose SIGINT is not its own: launch sends that to all at once, in no order."""
