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


def of_episode(start: int, count: int, episode: int, success: bool, over: bool = True):
    """Transitions `start` to `start + count` of one episode, whose last one ends it."""
    last = np.arange(count) == count - 1
    return replace(
        numbered(start, count),
        episode=np.full(count, episode),
        terminated=np.zeros(count, bool),
        truncated=last & over,
        success=last & success,
    )


def drawn(replay: ReplayBuffer, blocks: int = 200) -> np.ndarray:
    """How often each transition is drawn in batches of 20, by its number."""
    _, outcomes = replay.sample(blocks, 20, torch.Generator().manual_seed(0))
    return np.bincount(outcomes[..., 1].flatten().int().numpy(), minlength=100) / (blocks * 20)


def test_a_share_of_each_batch_comes_from_successful_episodes():
    replay = ReplayBuffer(100, 2, 1, success_fraction=0.25)
    replay.add(of_episode(0, 40, 0, success=False))
    assert drawn(replay)[:40].max() < 0.04  # no success yet: all alike
    replay.add(of_episode(40, 5, 1, success=True, over=False))
    replay.add(of_episode(45, 5, 1, success=True))
    often = drawn(replay)
    assert often[:40].sum() == pytest.approx(0.75 * 0.8, abs=0.02)
    assert often[40:50] == pytest.approx(np.full(10, 0.025 + 0.75 * 0.02), abs=0.01)
    _, outcomes = replay.sample(50, 20, torch.Generator().manual_seed(1))
    assert (outcomes[:, :5, 1] >= 40).all()  # the first quarter of every batch


def test_episodes_of_several_collectors_are_told_apart_and_their_batches_may_come_in_any_order():
    replay = ReplayBuffer(100, 2, 1, success_fraction=0.5)
    replay.add(of_episode(0, 10, 3, success=False, over=False), "a")
    replay.add(of_episode(10, 10, 3, success=True), "b")
    replay.add(of_episode(20, 10, 4, success=True), "a")
    replay.add(of_episode(30, 10, 4, success=True, over=False), "a")  # of the same episode, late
    replay.add(of_episode(40, 10, 3, success=False), "a")
    _, outcomes = replay.sample(100, 20, torch.Generator().manual_seed(0))
    assert set(outcomes[:, :10, 1].flatten().int().tolist()) == set(range(10, 40))


def test_what_a_success_left_in_the_ring_is_forgotten_when_it_is_overwritten():
    replay = ReplayBuffer(30, 2, 1, success_fraction=0.5)
    replay.add(of_episode(0, 20, 0, success=True))
    replay.add(of_episode(20, 25, 1, success=False))  # leaves the last five of the success
    _, outcomes = replay.sample(100, 20, torch.Generator().manual_seed(0))
    assert set(outcomes[:, :10, 1].flatten().int().tolist()) == set(range(15, 20))
    replay.add(of_episode(45, 30, 2, success=False))
    assert drawn(replay, 10)[45:75].max() < 0.1
    replay.add(of_episode(100, 70, 3, success=True))  # longer than the ring
    assert set(replay.sample(100, 20, torch.Generator())[1][..., 1].flatten().int().tolist()) == set(range(140, 170))


def test_the_share_of_successes_does_not_depend_on_how_blocks_are_divided():
    replay = ReplayBuffer(100, 2, 1, success_fraction=0.3)
    replay.add(of_episode(0, 40, 0, success=False))
    replay.add(of_episode(40, 10, 1, success=True))
    one, two = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    whole = replay.sample(5, 7, one)[1]
    assert torch.equal(whole, torch.cat([replay.sample(k, 7, two)[1] for k in (1, 3, 1)]))


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_an_impossible_share_is_refused(share: float):
    with pytest.raises(NafRobotError, match="share of successes"):
        ReplayBuffer(10, 2, 1, success_fraction=share)
