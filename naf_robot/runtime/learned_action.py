"""Which of a transition's two actions the learner sees: what was executed, what was requested, or both.

The safety projection is a function of the state, so to the learner it is part of the world: the
request and what it became lead to the same next observation, and the projection leaves an
executed action as it is. Both are therefore true transitions. With the executed action alone,
nothing in the data says that asking for more than the projection admits is useless, and the
policy's maximum drifts against the limits and stays there (docs/algorithms/naf.md).
"""

from dataclasses import replace
from typing import Literal

from naf_robot.core.records import TransitionBatch, concatenate

LearnedAction = Literal["requested", "executed", "both"]


def as_learned(batch: TransitionBatch, choice: LearnedAction) -> TransitionBatch:
    """`batch` with the chosen action in place; `both` gives every transition twice."""
    if choice == "executed":
        return batch
    requested = replace(batch, action=batch.requested_action)
    return requested if choice == "requested" else concatenate([batch, requested])
