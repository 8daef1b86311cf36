"""One episode of a robot: its task's reward and success, and the recorder that makes its steps."""

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from naf_robot.arm.control.actions import BoundActions
from naf_robot.core.array_spec import Observation
from naf_robot.core.records import FloatArray, StepBatch
from naf_robot.experience.recorder import EpisodeRecorder
from naf_robot.run.comparison import Trial
from naf_robot.run.contract import INTERVENTION
from naf_robot.sensing.signals import Signals
from naf_robot.tasks.scripted.residual import PolicyActions, Unchanged
from naf_robot.tasks.task import Task

ORDERLY_ENDS = ("time limit", "terminated")


class Request(NamedTuple):
    """An action that waits for what was executed and for the observation after it."""

    stamp_s: float
    action: NDArray[np.float32]  # of the policy, in [-1, 1]
    whole: FloatArray  # (A,) the task's action that it stands for
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
    policy_actions: PolicyActions = field(default_factory=Unchanged)
    success: bool = False
    terminated: bool = False  # by a real end, not by the time limit
    end_reason: str = "time limit"
    pending: Request | None = None
    trial: Trial | None = None  # of a comparison
    intervened: bool = False  # a person has taken over for some of it: it says nothing of the policy
    begun_s: float = math.nan  # stamp of the first observation
    observed_s: float = math.nan  # stamp of the newest one

    def __post_init__(self) -> None:
        """Begin what corrects a scripted policy."""
        self.policy_actions.begin(self.goal)

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

    def intervene(self) -> None:
        """A person takes over: from here on the episode counts for no evaluation."""
        self.intervened = True
        self.recorder.is_no_evaluation()

    def observe(self, stamp_s: float, observation: Observation, guided: bool = False) -> None:
        """Note the observation at `stamp_s`, before what is asked for in it, be it by a person who guides the arm."""
        if math.isnan(self.begun_s):
            self.begun_s = stamp_s
        self.observed_s = stamp_s
        self.policy_actions.see(observation)
        self.recorder.observe(stamp_s, observation, self.success, {INTERVENTION: guided})

    def action_for(self, velocity: FloatArray, position: FloatArray) -> NDArray[np.float32]:
        """The policy's action (A,) that asks for joint `velocity` (n,) at `position` (n,), as far as actions can.

        A velocity beyond them is shortened as a whole. The numbers that move no joint (gripper, end) are 0.
        """
        whole = self.actions.action(velocity, position, np.zeros(self.actions.size))
        whole = whole / max(1.0, float(np.abs(whole).max()))
        return self.policy_actions.part(whole).astype(np.float32)

    def request(self, stamp_s: float, requested: NDArray[np.float32], position: FloatArray) -> FloatArray:
        """Note what the policy asks for at `stamp_s`, the joints being at `position` (n,); the task's action (A,)."""
        whole = self.policy_actions.whole(requested.astype(np.float64))
        self.pending = Request(stamp_s, requested, whole, position)
        return whole

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
        self.terminated = self.task.terminated(signals, self.goal) or self.actions.ends_episode(request.whole)
        if self.terminated:
            self.end_reason = "terminated"
        if executed_velocity is None:
            self.recorder.complete()
            return
        executed = self.actions.action(executed_velocity, request.position, request.whole)
        terms = self.task.reward_terms(signals, self.goal, executed, request.whole)
        self.recorder.complete(request.action, self.policy_actions.part(executed), terms)

    def close(self) -> StepBatch | None:
        """End the episode with its newest observation, as a real end or truncated; the steps not yet taken."""
        self.recorder.close(terminated=self.terminated, truncated=not self.terminated)
        return self.recorder.take()

    @property
    def time_is_up(self) -> bool:
        """Whether the time limit is reached."""
        return self.steps >= self.task.episode_steps
