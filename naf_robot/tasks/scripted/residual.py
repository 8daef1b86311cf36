"""Learning on top of a scripted policy: the task's action is the script's plus a share of the policy's.

u = clip(u_s(x) + k a, -1, 1), with u_s the script's action, a the policy's in [-1, 1] and k the scale (Johannink et
al. 2019; Silver et al. 2018). A action size.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.records import FloatArray
from naf_robot.sensing.signals import Signals
from naf_robot.tasks.scripted.policy import ScriptedPolicy


class PolicyActions(Protocol):
    """What a policy's action stands for, as an action of the task, in the course of an episode.

    The loop that uses it::

        actions.begin(goal)
        while not over:
            actions.see(observation)
            asked = actions.whole(policy.act(observation))
            recorded = actions.part(executed(asked))
    """

    def begin(self, goal: Signals) -> None:
        """An episode with this goal begins."""
        ...

    def see(self, observation: Mapping[str, NDArray]) -> None:
        """The named arrays of the observation that is acted on next; once for each."""
        ...

    def whole(self, action: FloatArray) -> FloatArray:
        """The task's action (A,) that the policy's `action` (A,) stands for at the newest observation."""
        ...

    def part(self, whole: FloatArray) -> FloatArray:
        """The policy's action (A,) that stands for the task's action `whole` (A,) there; it may leave [-1, 1]."""
        ...


class Unchanged:
    """Implements `PolicyActions`: the policy's action is the task's."""

    def begin(self, goal: Signals) -> None:
        """Nothing."""

    def see(self, observation: Mapping[str, NDArray]) -> None:
        """Nothing."""

    def whole(self, action: FloatArray) -> FloatArray:
        """The same."""
        return action

    def part(self, whole: FloatArray) -> FloatArray:
        """The same."""
        return whole


class Residual:
    """Implements `PolicyActions`: the policy corrects `script`, by at most `scale` of the action box."""

    def __init__(self, script: ScriptedPolicy, scale: float) -> None:
        self._script, self._scale = script, scale
        self._scripted: FloatArray = np.zeros(0)

    def begin(self, goal: Signals) -> None:
        """The script begins anew."""
        self._script.begin(goal)

    def see(self, observation: Mapping[str, NDArray]) -> None:
        """The script acts."""
        self._scripted = self._script.act(observation)

    def whole(self, action: FloatArray) -> FloatArray:
        """The script's action plus the scaled one, clipped to the action box."""
        return np.clip(self._scripted + self._scale * action, -1.0, 1.0)

    def part(self, whole: FloatArray) -> FloatArray:
        """What is beyond the script's action, over the scale."""
        return (whole - self._scripted) / self._scale
