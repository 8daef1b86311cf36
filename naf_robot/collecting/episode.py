"""One episode being recorded: observations in, transitions with the executed action out."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.records import FloatArray
from naf_robot.sensing.signals import Signals
from naf_robot.tasks.task import Task


@dataclass
class Step:
    """A request that waits for what was executed and for the observation after it."""

    stamp_s: float
    observation: NDArray[np.float32]
    requested: NDArray[np.float32]  # in [-1, 1]


@dataclass
class Episode:
    """The record of one episode of `task` under one policy version."""

    task: Task
    number: int
    goal: Signals
    greedy: bool
    policy_version: int
    action_velocity: FloatArray  # (n,) [rad/s] of a full action
    steps: int = 0
    discarded: int = 0  # transitions whose executed velocity never came
    total_reward: float = 0.0
    success: bool = False
    end_reason: str = "time limit"
    pending: Step | None = None
    rows: list[dict[str, Any]] = field(default_factory=list)

    def request(self, stamp_s: float, observation: NDArray[np.float32], requested: NDArray[np.float32]) -> None:
        """Record the request of `stamp_s`."""
        self.pending = Step(stamp_s, observation, requested)

    def complete(self, executed_velocity: FloatArray | None, signals: Signals, following: NDArray[np.float32]) -> None:
        """Finish the pending step with the velocity really sent and the observation one period later.

        Without an executed velocity (lost, or later than the bound) the step is no transition: it is
        counted as discarded, and the episode continues.
        """
        step = self.pending
        if step is None:
            return
        self.pending = None
        self.steps += 1
        succeeds = self.task.success(signals, self.goal)
        self.success = succeeds or (self.success and self.task.success_once)
        if executed_velocity is None:
            self.discarded += 1
            return
        executed = np.clip(executed_velocity / self.action_velocity, -1.0, 1.0)
        terms = self.task.reward_terms(signals, self.goal, executed, step.requested.astype(np.float64))
        self.total_reward += float(terms.sum())
        self.rows.append(
            {
                "observation": step.observation,
                "action": executed,
                "requested_action": step.requested,
                "reward": terms.sum(),
                "reward_terms": terms,
                "next_observation": following,
                "terminated": False,
                "truncated": False,
                "episode": self.number,
                "step": self.steps - 1,
                "policy_version": self.policy_version,
                "greedy": self.greedy,
                "success": self.success,
                "stamp_s": step.stamp_s,
            }
        )

    @property
    def time_is_up(self) -> bool:
        """Whether the time limit is reached."""
        return self.steps >= self.task.episode_steps

    def truncate(self) -> None:
        """Mark the newest unsent transition as the last one."""
        if self.rows:
            self.rows[-1]["truncated"] = True

    def take(self) -> list[dict[str, Any]]:
        """Return the recorded transitions that were not returned before."""
        rows, self.rows = self.rows, []
        return rows
