"""The records that pass between the package's folders. N transitions, D observation size, A action size."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.errors import NafRobotError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class TransitionBatch:
    """N transitions of one robot, oldest first.

    The action is what was executed after the safety projection, in the canonical box
    [-1, 1]; the reward is that of the executed action and the next observation.
    """

    observation: NDArray[np.float32]  # (N, D)
    action: NDArray[np.float32]  # (N, A) executed
    requested_action: NDArray[np.float32]  # (N, A) requested by the behaviour policy
    reward: NDArray[np.float32]  # (N,)
    reward_terms: NDArray[np.float32]  # (N, K) weighted terms, they sum to the reward
    next_observation: NDArray[np.float32]  # (N, D)
    terminated: NDArray[np.bool_]  # (N,) the task ended: no bootstrap
    truncated: NDArray[np.bool_]  # (N,) time limit or fault: bootstrap
    episode: NDArray[np.int64]  # (N,) counted per robot from 0
    step: NDArray[np.int64]  # (N,) within the episode from 0
    policy_version: NDArray[np.int64]  # (N,)
    greedy: NDArray[np.bool_]  # (N,) no exploration noise: counts for evaluation
    success: NDArray[np.bool_]  # (N,) whether the episode, ended at next_observation, would be one
    stamp_s: NDArray[np.float64]  # (N,) time of the observation on the robot's clock

    def __len__(self) -> int:
        return int(self.reward.shape[0])

    def validate(self, observation_size: int, action_size: int) -> None:
        """Check shapes, dtypes and finiteness.

        Raises:
            NafRobotError: naming the array that is wrong.
        """
        count = len(self)
        widths = {"observation": observation_size, "next_observation": observation_size}
        widths |= {"action": action_size, "requested_action": action_size, "reward_terms": self.reward_terms.shape[-1]}
        for field in fields(self):
            array = getattr(self, field.name)
            expected = (count, widths[field.name]) if field.name in widths else (count,)
            if array.shape != expected or array.dtype != TRANSITION_DTYPES[field.name]:
                raise NafRobotError(
                    f"transition array {field.name!r} must be {TRANSITION_DTYPES[field.name]} of shape {expected}, "
                    f"got {array.dtype} of shape {array.shape}"
                )
            if array.dtype.kind == "f" and not np.isfinite(array).all():
                raise NafRobotError(f"transition array {field.name!r} holds values that are not finite")


TRANSITION_DTYPES: dict[str, np.dtype] = {
    name: np.dtype(kind)
    for name, kind in {
        "observation": "float32",
        "action": "float32",
        "requested_action": "float32",
        "reward": "float32",
        "reward_terms": "float32",
        "next_observation": "float32",
        "terminated": "bool",
        "truncated": "bool",
        "episode": "int64",
        "step": "int64",
        "policy_version": "int64",
        "greedy": "bool",
        "success": "bool",
        "stamp_s": "float64",
    }.items()
}


def concatenate(batches: list[TransitionBatch]) -> TransitionBatch:
    """Join batches in the order given."""
    return TransitionBatch(
        **{field.name: np.concatenate([getattr(b, field.name) for b in batches]) for field in fields(TransitionBatch)}
    )


def stack(rows: list[dict[str, object]]) -> TransitionBatch:
    """Make a batch from one mapping per transition, keyed by the fields of `TransitionBatch`."""
    return TransitionBatch(
        **{name: np.asarray([row[name] for row in rows], dtype=kind) for name, kind in TRANSITION_DTYPES.items()}
    )


@dataclass(frozen=True)
class PolicyParameters:
    """One published policy: arrays by name, and what they were trained for."""

    arrays: dict[str, NDArray[np.float32]]
    version: int
    task: str
    observation_spec: str  # hash of the observation spec
    updates: int  # gradient updates behind these parameters
    transitions: int  # transitions the trainer had stored by then
