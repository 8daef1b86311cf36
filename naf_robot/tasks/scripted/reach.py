"""Reaching by a program: straight to the target, slower near it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.records import FloatArray
from naf_robot.sensing.signals import Signals
from naf_robot.tasks.scripted.policy import ScriptedArm
from naf_robot.tasks.task import Task

GAIN = 2.0  # [1/s] speed per distance
SPEED = 0.3  # [m/s] at most


class ReachScript:
    """Implements `ScriptedPolicy` for tasks whose goal is a `target` (3,) [m] of the tool."""

    def __init__(self, task: Task, arm: ScriptedArm) -> None:
        self._arm = arm
        self._target = np.zeros(3)

    def begin(self, goal: Signals) -> None:
        """Note the target."""
        self._target = np.asarray(goal["target"], dtype=np.float64)

    def act(self, observation: Mapping[str, NDArray]) -> FloatArray:
        """Towards the target."""
        position = self._arm.position(observation)
        return self._arm.action(position, towards(self._target - self._arm.model.tool_position(position)))


def towards(way: FloatArray, gain: float = GAIN, speed: float = SPEED) -> FloatArray:
    """The velocity along `way`, any shape: `gain` [1/s] times it, its length at most `speed`."""
    velocity = gain * way
    length = float(np.linalg.norm(velocity))
    return velocity * (speed / length) if length > speed else velocity
