from dataclasses import replace

import numpy as np
import pytest
import torch
from random_batch import make_batch

from naf_robot.core.errors import NafRobotError
from naf_robot.learning.replay_buffer import ReplayBuffer


def numbered(start: int, count: int):
    """A batch whose reward is the transition's number, and whose other arrays follow from it."""
    batch, number = make_batch(count, 2, 1), np.arange(start, start + count, dtype=np.float32)
    return replace(
        batch,
        reward=number,
        observation=np.stack((number, -number), axis=1),
        next_observation=np.stack((number + 0.5, -number), axis=1),
        action=number[:, None] / 1000,
        terminated=number % 2 == 0,
        truncated=number % 3 == 0,
    )


@pytest.mark.parametrize("sizes", [(3,), (10,), (7, 3), (7, 7), (4, 4, 4), (25,), (9, 23, 2), (10, 10, 1)])
def test_ring_keeps_the_newest_when_it_wraps(sizes):
    replay, start = ReplayBuffer(10, 2, 1), 0
    for size in sizes:
        replay.add(numbered(start, size))
        start += size
    assert len(replay) == min(10, start)
    observations, outcomes = replay.sample(20, 32, torch.Generator().manual_seed(0))
    number = outcomes[..., 1]
    assert set(number.flatten().int().tolist()) == set(range(max(0, start - 10), start))
    torch.testing.assert_close(observations[:, 0, :, 0], number)
    torch.testing.assert_close(observations[:, 0, :, 1], -number)
    torch.testing.assert_close(observations[:, 1, :, 0], number + 0.5)
    torch.testing.assert_close(outcomes[..., 0], number / 1000)
    torch.testing.assert_close(outcomes[..., 2], (number % 2 == 0).float())
    torch.testing.assert_close(outcomes[..., 3], (number % 3 == 0).float())


def test_sampling_is_uniform():
    replay = ReplayBuffer(10, 2, 1)
    replay.add(numbered(0, 10))
    _, outcomes = replay.sample(500, 100, torch.Generator().manual_seed(0))
    counts = np.bincount(outcomes[..., 1].flatten().int().numpy(), minlength=10)
    assert abs(counts / 50_000 - 0.1).max() < 0.006


def test_sampling_does_not_depend_on_how_blocks_are_divided():
    replay = ReplayBuffer(10, 2, 1)
    replay.add(numbered(0, 10))
    one, two = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    whole = replay.sample(5, 7, one)[1]
    parts = torch.cat([replay.sample(k, 7, two)[1] for k in (1, 3, 1)])
    assert torch.equal(whole, parts)


@pytest.mark.parametrize("name", ["observation", "next_observation", "action", "reward"])
def test_values_that_are_not_finite_are_refused(name):
    replay, batch = ReplayBuffer(10, 2, 1), numbered(0, 4)
    spoiled = getattr(batch, name).copy()
    spoiled[2] = np.nan
    with pytest.raises(NafRobotError, match="not finite"):
        replay.add(replace(batch, **{name: spoiled}))
    assert len(replay) == 0


def test_wrong_sizes_and_empty_buffers_are_refused():
    with pytest.raises(NafRobotError, match="size 3 and actions of size 1, got 2 and 1"):
        ReplayBuffer(10, 3, 1).add(numbered(0, 4))
    with pytest.raises(NafRobotError, match="empty"):
        ReplayBuffer(10, 2, 1).sample(1, 2, torch.Generator())
    with pytest.raises(NafRobotError, match="at least 1"):
        ReplayBuffer(0, 2, 1)
