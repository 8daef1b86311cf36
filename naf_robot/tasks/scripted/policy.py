"""What a scripted policy offers, and how one moves the tool. A action size, n joints."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from naf_robot.arm.control.actions import BoundActions
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.core.errors import NafRobotError
from naf_robot.core.records import FloatArray
from naf_robot.sensing.signals import Signals, joint_positions

DAMPING = 0.05  # of the least squares, [m] for translation: near a singular posture the tool gets slower


class ScriptedPolicy(Protocol):
    """Does a task by a program, in the actions of the task, from what a policy is shown.

    The loop that uses it::

        script = make_scripted(task, arm)
        script.begin(goal)
        while not over:
            action = script.act(observation)
    """

    def begin(self, goal: Signals) -> None:
        """An episode with this goal begins."""
        ...

    def act(self, observation: Mapping[str, NDArray]) -> FloatArray:
        """The action (A,) in [-1, 1] for the named arrays of the task's observation.

        Raises:
            NafRobotError: the observation lacks an array that the program needs.
        """
        ...


@dataclass(frozen=True)
class ScriptedArm:
    """The arm that a script moves, and what its actions mean."""

    model: ArmModel
    actions: BoundActions

    def position(self, observation: Mapping[str, NDArray]) -> FloatArray:
        """The joints' positions (n,) [rad] in an observation; of continuous joints one of those that they may be.

        Raises:
            NafRobotError: it does not hold them.
        """
        rows = {name: np.asarray(array)[None] for name, array in observation.items()}
        found = joint_positions(rows, self.model.continuous.tolist())
        if found is None:
            raise NafRobotError(f"a scripted policy needs the joints' positions, the observation has {sorted(rows)}")
        return found[0]

    def action(self, position: FloatArray, twist: FloatArray, weights: FloatArray | None = None) -> FloatArray:
        """The action (A,) that moves the tool with `twist`, shortened as a whole to what actions can ask for.

        Damped least squares: joint velocity q' = J' (J J' + d² I)⁻¹ v, each row times its weight.

        Args:
            position: of the joints (n,) [rad].
            twist: linear velocity of the tool alone (3,) [m/s], or with its angular velocity (6,) [rad/s]; base frame.
            weights: of the rows of `twist`; 1 where none are given. Less for what may be missed.
        """
        rows = len(twist)
        scale = np.ones(rows) if weights is None else weights
        jacobian = scale[:, None] * self.model.tool_twist_jacobian(position)[:rows]
        normal = jacobian @ jacobian.T + DAMPING**2 * np.eye(rows)
        velocity = jacobian.T @ np.linalg.solve(normal, scale * twist)
        velocity /= max(1.0, float(np.max(np.abs(velocity) / self.actions.max_joint_velocity)))
        action = self.actions.action(velocity, position, np.zeros(self.actions.size))
        return action / max(1.0, float(np.abs(action).max()))
