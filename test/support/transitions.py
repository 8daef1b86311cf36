"""Batches of transitions for tests."""

import numpy as np

from naf_robot.core.records import TransitionBatch, stack
from naf_robot.experience.codec import Contract

CONTRACT = Contract("reach", "0123456789ab", 20, 7, ("distance", "action"))


def make_batch(count: int, first_step: int = 0, episode: int = 0, last: bool = False, seed: int = 0) -> TransitionBatch:
    """`count` transitions of reach's sizes with random numbers; the last one may end the episode."""
    random = np.random.default_rng([seed, first_step, episode])
    rows = []
    for index in range(count):
        terms = random.normal(size=2)
        rows.append(
            {
                "observation": random.normal(size=20),
                "action": random.uniform(-1, 1, 7),
                "requested_action": random.uniform(-1, 1, 7),
                "reward": terms.sum(),
                "reward_terms": terms,
                "next_observation": random.normal(size=20),
                "terminated": False,
                "truncated": last and index == count - 1,
                "episode": episode,
                "step": first_step + index,
                "policy_version": 1,
                "greedy": False,
                "success": False,
                "stamp_s": 0.05 * (first_step + index),
            }
        )
    return stack(rows)
