"""Which of a transition's two actions the learner sees: what was executed or what was requested.

The safety projection is a function of the state, so to the learner it is part of the world: the
request and what it became lead to the same next observation, and the projection leaves an
executed action as it is. Both are therefore true transitions. But with the executed action
nothing in the data says that asking for more than the projection admits is useless, and the
policy's maximum drifts against the limits and stays there (docs/reach.md has the ablation).
"""

from dataclasses import replace
from typing import Literal

from naf_robot.core.records import TransitionBatch

LearnedAction = Literal["requested", "executed"]


def as_learned(batch: TransitionBatch, choice: LearnedAction) -> TransitionBatch:
    """`batch` with the chosen action in its `action`."""
    return batch if choice == "executed" else replace(batch, action=batch.requested_action)
