"""Picking and placing by a program: hand around the stick, close the fingers, carry the stick to the target."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.records import FloatArray
from naf_robot.sensing import rotation
from naf_robot.sensing.geometry_poses import POSITION
from naf_robot.sensing.signals import Signals
from naf_robot.tasks.pick_place import FINGERTIPS, STICK_POSITION, PickPlace
from naf_robot.tasks.scripted.policy import ScriptedArm
from naf_robot.tasks.scripted.reach import towards

GAIN, SPEED = 6.0, 0.35  # [1/s], [m/s] of the hand
TURN_GAIN, TURN_SPEED = 3.0, 1.0  # [1/s], [rad/s] of its orientation
TURN_WEIGHT = 0.15  # [m] of an orientation's error beside one of the position
AROUND = 0.01  # [m] of the grip centre from the stick at which the fingers close,
LOST = 0.05  # and at which they open again
TOUCHING = 0.032  # [m] of the fingertips from the stick's middle line, in the mean, at which they hold it
HOLDING, OPENING = 1.0, -1.0  # of the gripper's numbers


class PickPlaceScript:
    """Implements `ScriptedPolicy` for `pick_place`; the hand keeps the orientation that it has at the start."""

    def __init__(self, task: PickPlace, arm: ScriptedArm) -> None:
        self._arm, self._numbers = arm, task.action_spec.gripper_size
        self._target = np.zeros(3)
        self._level = np.array([0.0, 0.0, 0.0, 1.0])  # the hand's orientation (4,) at home,
        self._begins = True  # which the first observation tells
        self._closed = False

    def begin(self, goal: Signals) -> None:
        """Note the target."""
        self._target = np.asarray(goal["target"], dtype=np.float64)
        self._begins, self._closed = True, False

    def act(self, observation: Mapping[str, NDArray]) -> FloatArray:
        """The next motion of hand and fingers."""
        position = self._arm.position(observation)
        tool, matrix = self._arm.model.tool_pose(position)
        orientation = rotation.from_matrix(matrix)
        if self._begins:
            self._level, self._begins = orientation, False
        stick = np.asarray(observation[STICK_POSITION], dtype=np.float64)
        away = float(np.linalg.norm((stick - tool)[:2]))
        self._closed = away < (LOST if self._closed else AROUND)
        way = stick - tool
        if self._closed:
            way = self._target - stick if self._holds(observation, stick) else np.zeros(3)
        turn = rotation.vector(rotation.product(self._level, rotation.inverse(orientation)))
        twist = np.concatenate((towards(way, GAIN, SPEED), towards(turn, TURN_GAIN, TURN_SPEED)))
        action = self._arm.action(position, twist, np.array([1.0] * 3 + [TURN_WEIGHT] * 3))
        return self._with_gripper(action, HOLDING if self._closed else OPENING)

    def _holds(self, observation: Mapping[str, NDArray], stick: FloatArray) -> bool:
        """Whether the fingertips are at the stick: how far each is from its upright middle line, in the mean."""
        tips = np.array([observation[name + POSITION] for name in FINGERTIPS], dtype=np.float64)
        return float(np.linalg.norm((tips - stick)[:, :2], axis=1).mean()) < TOUCHING

    def _with_gripper(self, action: FloatArray, number: float) -> FloatArray:
        """`action` (A,) with `number` for the gripper, where it has one."""
        numbers = self._arm.actions.gripper(action)
        if numbers is not None:
            numbers[:] = number  # a view of the action's own
        return action
