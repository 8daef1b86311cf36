"""From batches of steps, in the order of their robots, to the transitions that replay holds. Loads no torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from naf_robot.core.array_spec import ObservationSpec
from naf_robot.core.transitions import transitions_of
from naf_robot.learning.learner_batch import LearnerBatchConfig, learner_batch
from naf_robot.run.sequencing import Next

if TYPE_CHECKING:
    from naf_robot.learning.sources import Source


class ReplayFeed:
    """Gives `replay` every batch whose turn it is.

    Of batches whose steps were evicted only the rewards' range is left. If `is_outgrown` says that the store
    holds more than replay, their slots are left free: so the same batches are drawn as if they were there.
    """

    def __init__(
        self,
        replay: Source,
        spec: ObservationSpec,
        view: LearnerBatchConfig,
        is_outgrown: Callable[[], bool],
    ) -> None:
        self._replay = replay
        self._spec = spec
        self._view = view
        self._is_outgrown = is_outgrown
        self.transitions = 0  # that replay was given, evicted ones included

    def take(self, following: Next) -> None:
        """Take the batch whose turn it is."""
        batch, before = following.batch, following.before
        if batch is None:
            extremes = [(part.least_reward, part.greatest_reward) for part in following.parts]
            self._replay.widen_reward_range(np.asarray(extremes, np.float32).ravel() * self._view.reward_scale)
            self._skip(following.transitions)
        else:
            if following.continues and before is None:
                self._skip(1)
            transitions = transitions_of(batch, self._spec, before, continues=before is not None)
            self._replay.add(learner_batch(transitions, self._view), following.collector)
        self.transitions += following.transitions

    def _skip(self, count: int) -> None:
        if self._is_outgrown():
            self._replay.skip(count)
