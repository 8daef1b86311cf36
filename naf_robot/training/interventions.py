"""A person's steps within the episodes of this run, as demonstrations beside what else the source holds."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.array_spec import ObservationSpec
from naf_robot.core.records import StepBatch
from naf_robot.core.transitions import OF_ORIGIN, OF_SUCCESSOR, transitions_of
from naf_robot.learning.learner_batch import LearnerBatchConfig, learner_batch
from naf_robot.learning.sources import Source
from naf_robot.run.contract import INTERVENTION
from naf_robot.run.sequencing import Next


class InterventionFeed:
    """Gives `source` those transitions of every batch whose action a person asked for."""

    def __init__(self, source: Source, spec: ObservationSpec, view: LearnerBatchConfig) -> None:
        self._source, self._spec, self._view = source, spec, view

    def take(self, following: Next) -> None:
        """Take the batch whose turn it is; of one whose steps were evicted nothing is left to take."""
        batch, before = following.batch, following.before
        if batch is None:
            return
        marked = np.flatnonzero(_marked(batch, before))
        if not len(marked):
            return
        whole = transitions_of(batch, self._spec, before, continues=before is not None)
        columns = {name: getattr(whole, name)[marked] for name in ("origin", "successor", *OF_ORIGIN, *OF_SUCCESSOR)}
        chosen = replace(whole, continues=False, **columns)
        self._source.add(learner_batch(chosen, self._view), following.collector)


def _marked(batch: StepBatch, before: StepBatch | None) -> NDArray[np.bool_]:
    """Of each transition that `transitions_of` makes of them, whether it is a person's."""
    own = batch.extra[INTERVENTION][:-1][batch.has_action[:-1]]
    return own if before is None else np.concatenate((before.extra[INTERVENTION][-1:], own))
