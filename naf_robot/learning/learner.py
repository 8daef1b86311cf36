"""What every algorithm's learner offers to the trainer."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Learner(Protocol):
    """Takes gradient steps on a replay buffer and hands out policy parameters.

    The loop it lives in::

        learner = make_learner("naf", config, observation_size, action_size, replay, seed)
        while training:
            replay.add(batch)
            metrics = learner.update(count)
            publish(learner.policy_arrays())
    """

    updates: int  # gradient steps attempted so far, skipped ones included

    def update(self, count: int) -> dict[str, float]:
        """Take `count` gradient steps; return metrics averaged over them.

        Raises:
            NafRobotError: the replay buffer is empty.
        """
        ...

    def policy_arrays(self) -> dict[str, NDArray[np.float32]]:
        """The acting parameters now, as `naf_robot.learning.policy.Policy.from_arrays` reads them."""
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
