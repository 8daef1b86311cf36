"""Random transitions for the tests of learners."""

import numpy as np

from naf_robot.core.records import TransitionBatch


def make_batch(count: int, observation_size: int = 5, action_size: int = 3, seed: int = 0) -> TransitionBatch:
    rng = np.random.default_rng(seed)
    number, flag = np.zeros(count, np.int64), np.zeros(count, bool)
    action = rng.uniform(-1, 1, (count, action_size)).astype(np.float32)
    return TransitionBatch(
        observation=(3.0 * rng.normal(size=(count, observation_size)) + 1.0).astype(np.float32),
        action=action,
        requested_action=action,
        reward=rng.normal(size=count).astype(np.float32),
        reward_terms=np.zeros((count, 1), np.float32),
        next_observation=(3.0 * rng.normal(size=(count, observation_size)) + 1.0).astype(np.float32),
        terminated=rng.random(count) < 0.2,
        truncated=rng.random(count) < 0.2,
        episode=number,
        step=number,
        policy_version=number,
        greedy=flag,
        success=flag,
        stamp_s=np.zeros(count),
    )
