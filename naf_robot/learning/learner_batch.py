"""The part of a transition that a learner uses: which of its two actions, and the reward in which unit.

The safety projection depends on the state, on the velocity last sent and on the period; to the learner it is part
of the world: the request and what it became lead to the same next observation. Both are therefore true
transitions. But with the executed action nothing in the data says that asking for more than the projection admits
is useless, and the policy's maximum drifts against the limits and stays there (docs/reach.md has the ablation).

A unit of reward decides nothing about the task, but much about how it is learned: against it
stand the curvature P = I with which NAF starts and the steps that Adam takes. What is stored and
shown keeps the task's own unit.
"""

from dataclasses import replace
from typing import Literal, Protocol

from naf_robot.core.transitions import Transitions

ActionSource = Literal["requested", "executed"]


class LearnerBatchConfig(Protocol):
    """The settings of the reader that makes a learner's batches."""

    @property
    def action_source(self) -> ActionSource:
        """Of the two actions."""

    @property
    def reward_scale(self) -> float:
        """By which the learner's reward is the task's."""


def learner_batch(batch: Transitions, view: LearnerBatchConfig) -> Transitions:
    """`batch` with the chosen action in its `action` and its `reward` scaled."""
    action = batch.action if view.action_source == "executed" else batch.requested_action
    return replace(batch, action=action, reward=batch.reward * view.reward_scale)
