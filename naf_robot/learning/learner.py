"""What the learner of an off-policy algorithm offers to `OffPolicyActorCritic`."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Learner(Protocol):
    """Takes gradient steps on drawn batches and provides policy parameters.

    The loop that uses it::

        learner = make_learner("naf", config, observation_size, action_size, batches, seed)
        while training:
            source.add(batch)
            metrics = learner.update(count)
            publish(learner.policy_arrays())
    """

    updates: int  # gradient steps attempted so far, skipped ones included
    # and, where the kind of its policy is not `mlp`, `policy_kind: str`

    def update(self, count: int) -> dict[str, float]:
        """Take `count` gradient steps; return metrics averaged over them.

        Raises:
            NafRobotError: there is nothing to draw from.
        """
        ...

    def policy_arrays(self) -> dict[str, NDArray[np.float32]]:
        """The acting parameters now, as a policy of its kind reads them."""
        ...

    def state(self) -> dict[str, NDArray]:
        """Everything needed to go on bit for bit: networks, optimiser, counters, random state."""
        ...

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Go on from what `state` returned.

        Raises:
            CheckpointError: arrays that are missing or of another shape.
        """
        ...
