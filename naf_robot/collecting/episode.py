"""One episode of a robot: its task's reward and success, and the recorder that makes its steps."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from naf_robot.arm.control.actions import BoundActions
from naf_robot.core.array_spec import Observation
from naf_robot.core.records import FloatArray, StepBatch
from naf_robot.experience.recorder import EpisodeRecorder
from naf_robot.run.comparison import Trial
from naf_robot.sensing.signals import Signals
from naf_robot.tasks.task import Task

ORDERLY_ENDS = ("time limit", "terminated")


class Request(NamedTuple):
    """An action that waits for what was executed and for the observation after it."""

    stamp_s: float
    action: NDArray[np.float32]  # in [-1, 1]
    position: FloatArray  # (n,) of the joints [rad]


@dataclass
class Episode:
    """One episode of `task` under one policy version."""

    task: Task
    number: int
    goal: Signals
    greedy: bool
    policy_version: int
    actions: BoundActions
    recorder: EpisodeRecorder
    success: bool = False
    terminated: bool = False  # by a real end, not by the time limit
    end_reason: str = "time limit"
    pending: Request | None = None
    trial: Trial | None = None  # of a comparison
    begun_s: float = math.nan  # stamp of the first observation
    observed_s: float = math.nan  # stamp of the newest one

    @property
    def steps(self) -> int:
        """Complete steps."""
        return self.recorder.steps

    @property
    def discarded(self) -> int:
        """Complete steps whose executed velocity never came."""
        return self.recorder.discarded

    @property
    def total_reward(self) -> float:
        """Sum of the rewards so far."""
        return self.recorder.total_reward

    def observe(self, stamp_s: float, observation: Observation) -> None:
        """Note the observation at `stamp_s`, before what is asked for in it."""
        if math.isnan(self.begun_s):
            self.begun_s = stamp_s
        self.observed_s = stamp_s
        self.recorder.observe(stamp_s, observation, self.success)

    def request(self, stamp_s: float, requested: NDArray[np.float32], position: FloatArray) -> None:
        """Note what is asked for at `stamp_s`, the joints being at `position` (n,)."""
        self.pending = Request(stamp_s, requested, position)

    def complete(self, executed_velocity: FloatArray | None, signals: Signals) -> None:
        """Finish the pending step with the velocity really sent and the `signals` one period later.

        Without an executed velocity (lost, or later than the bound) the step is no transition: it is
        counted as discarded, and the episode continues.
        """
        request = self.pending
        if request is None:
            return
        self.pending = None
        succeeds = self.task.success(signals, self.goal)
        self.success = succeeds or (self.success and self.task.success_once)
        requested = request.action.astype(np.float64)
        self.terminated = self.task.terminated(signals, self.goal) or self.actions.ends_episode(requested)
        if self.terminated:
            self.end_reason = "terminated"
        if executed_velocity is None:
            self.recorder.complete()
            return
        executed = self.actions.action(executed_velocity, request.position, requested)
        terms = self.task.reward_terms(signals, self.goal, executed, requested)
        self.recorder.complete(request.action, executed, terms)

    def close(self) -> StepBatch | None:
        """End the episode with its newest observation, as a real end or truncated; the steps not yet taken."""
        self.recorder.close(terminated=self.terminated, truncated=not self.terminated)
        return self.recorder.take()

    @property
    def time_is_up(self) -> bool:
        """Whether the time limit is reached."""
        return self.steps >= self.task.episode_steps
