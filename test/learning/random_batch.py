"""Random transitions for the tests of learners."""

import numpy as np

from naf_robot.core.transitions import Transitions


def make_batch(count: int, observation_size: int = 5, action_size: int = 3, seed: int = 0) -> Transitions:
    """`count` transitions between observations of their own."""
    rng = np.random.default_rng(seed)
    action = rng.uniform(-1, 1, (count, action_size)).astype(np.float32)
    observation = 3.0 * rng.normal(size=(count, observation_size)) + 1.0
    reward = rng.normal(size=count).astype(np.float32)
    following = 3.0 * rng.normal(size=(count, observation_size)) + 1.0
    return Transitions(
        vectors=np.concatenate((observation, following)).astype(np.float32),
        origin=np.arange(count),
        successor=count + np.arange(count),
        action=action,
        requested_action=action,
        reward=reward,
        terminated=rng.random(count) < 0.2,
        truncated=rng.random(count) < 0.2,
        success=np.zeros(count, bool),
        episode=np.zeros(count, np.int64),
    )


def make_chain(count: int, observation_size: int = 5, action_size: int = 3, seed: int = 0) -> Transitions:
    """`count` transitions one after the other, as a collector sends them."""
    isolated = make_batch(count, observation_size, action_size, seed)
    shared = {"origin": np.arange(count), "successor": np.arange(1, count + 1)}
    return Transitions(**vars(isolated) | {"vectors": isolated.vectors[: count + 1]} | shared)
