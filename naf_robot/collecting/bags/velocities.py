"""Joint velocities of recorded messages, and the actions that they ask for."""

import numpy as np
from numpy.typing import NDArray

from naf_robot.arm.control.actions import BoundActions
from naf_robot.arm.model.joint_values import by_name
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.core.records import FloatArray
from naf_robot.experience.bags.decoding import opened
from naf_robot.experience.bags.files import RawMessage

ROUNDING = 1e-6  # by which an action may be beyond 1 and mean 1


def velocity_of(raw: RawMessage, model: ArmModel, topic: str) -> FloatArray:
    """The velocity (n,) [rad/s] of the arm's joints, in their order, that a sensor_msgs/JointState names.

    Raises:
        BagError: it cannot be opened.
        RefusedMessage: a joint is missing, or a velocity is no number.
    """
    message = opened(raw)
    return by_name(model.joint_names, message.name, message.velocity, topic)


def requested_action(
    velocity: FloatArray, actions: BoundActions, position: FloatArray
) -> tuple[NDArray[np.float32], str | None]:
    """The action (A,) in [-1, 1] that asks for joint `velocity` (n,) at `position` (n,); a sentence if it is beyond."""
    action = actions.action(velocity, position, np.zeros(actions.size))
    beyond = None
    if (np.abs(action) > 1.0 + ROUNDING).any():
        beyond = (
            f"a request beyond an action of 1, which is {actions.max_joint_velocity.tolist()} rad/s, counts as 1; "
            "collector.action_velocity sets the scale"
        )
    return np.clip(action, -1.0, 1.0).astype(np.float32), beyond
