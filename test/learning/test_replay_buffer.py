from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from random_batch import make_batch, make_chain

from naf_robot.core.array_spec import ArraySpec
from naf_robot.core.errors import NafRobotError
from naf_robot.core.frames import Frames
from naf_robot.core.images import encode_image
from naf_robot.learning.replay_buffer import ReplayBuffer


def numbered(start: int, count: int):
    """Transitions whose reward is their number, and whose other arrays follow from it."""
    batch, number = make_batch(count, 2, 1), np.arange(start, start + count, dtype=np.float32)
    observation, following = np.stack((number, -number), axis=1), np.stack((number + 0.5, -number), axis=1)
    return replace(
        batch,
        reward=number,
        vectors=np.concatenate((observation, following)),
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


@pytest.mark.parametrize("name", ["vectors", "action", "reward"])
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
    with pytest.raises(NafRobotError, match="fraction of successes"):
        ReplayBuffer(10, 2, 1, success_fraction=share)


def chain(start: int, count: int, continues: bool = False, images=None):
    """Transitions `start` to `start + count` of one chain: from observation i to observation i + 1."""
    number = np.arange(start, start + count + 1, dtype=np.float32)
    batch = make_chain(count, 2, 1)
    vectors = np.stack((number, -number), axis=1)
    return replace(batch, vectors=vectors, reward=number[:-1], images=images or {}, continues=continues)


def check_chain(replay: ReplayBuffer) -> list[int]:
    """Numbers of the transitions held, oldest first, each seen to be whole."""
    observations, outcomes = replay.contents()
    number = outcomes[0, :, 1]
    torch.testing.assert_close(observations[0, 0], torch.stack((number, -number), dim=1))
    torch.testing.assert_close(observations[0, 1], torch.stack((number + 1, -number - 1), dim=1))
    return number.int().tolist()


def test_an_observation_is_held_once_also_across_the_border_of_batches():
    replay = ReplayBuffer(100, 2, 1)
    replay.add(chain(0, 10), "a")
    assert replay.observations_held == 11
    replay.add(chain(10, 10, continues=True), "a")
    assert replay.observations_held == 21
    replay.add(chain(50, 5), "b")
    replay.add(chain(20, 10, continues=True), "a")
    assert replay.observations_held == 21 + 6 + 10
    assert check_chain(replay) == [*range(20), *range(50, 55), *range(20, 30)]


@given(st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.sampled_from("ab")), max_size=40))
def test_rows_are_freed_when_no_transition_refers_to_them(batches: list[tuple[int, bool, str]]):
    replay, following = ReplayBuffer(10, 2, 1), {"a": 0, "b": 10_000}
    expected: list[int] = []
    for count, continues, source in batches:
        start = following[source] + (0 if continues else 5)
        replay.add(chain(start, count, continues), source)
        following[source] = start + count
        expected = [*expected, *range(start, start + count)][-10:]
    if expected:
        assert check_chain(replay) == expected
    ends = set(expected) | {number + 1 for number in expected}
    assert len(ends) <= replay.observations_held <= 2 * len(expected)


def test_slots_are_drawn_as_before_whatever_rows_they_refer_to():
    replay = ReplayBuffer(16, 2, 1)
    for start in range(0, 60, 6):
        replay.add(chain(start, 6, continues=start > 0))
    slots = torch.randint(16, (3, 1, 8), generator=torch.Generator().manual_seed(5)).squeeze(1)
    _, outcomes = replay.sample(3, 8, torch.Generator().manual_seed(5))
    in_slot = torch.tensor([next(n for n in range(44, 60) if n % 16 == slot) for slot in range(16)])
    assert torch.equal(outcomes[..., 1].long(), in_slot[slots])


CAMERA = ArraySpec("camera", (6, 5, 3), dtype="uint8")


def pictures(first: int, count: int) -> dict[str, Frames]:
    """One-coloured pictures: the colour is the observation's number."""
    return {
        "camera": Frames.of([encode_image(np.full(CAMERA.shape, n, np.uint8)) for n in range(first, first + count)])
    }


def test_sampled_pictures_are_those_of_their_observations_and_each_is_held_once():
    replay = ReplayBuffer(100, 2, 1, images=[CAMERA])
    replay.add(chain(0, 10, images=pictures(0, 11)), "a")
    replay.add(chain(10, 10, continues=True, images=pictures(10, 11)), "a")
    assert replay.frame_bytes == len(pictures(0, 21)["camera"].data)
    observations, outcomes, images = replay.sample_images(3, 8, torch.Generator().manual_seed(0))
    assert images["camera"].shape == (3, 2, 8, 6, 5, 3)
    colours = images["camera"].float().flatten(3)
    assert torch.equal(colours.amin(-1), observations[..., 0])
    assert torch.equal(colours.amax(-1), observations[..., 0])
    plain = replay.sample(3, 8, torch.Generator().manual_seed(0))
    assert torch.equal(plain[0], observations)
    assert torch.equal(plain[1], outcomes)


def test_pictures_beyond_the_bound_leave_with_the_oldest_transitions():
    one = len(pictures(0, 1)["camera"].data)
    replay = ReplayBuffer(100, 2, 1, success_fraction=0.5, images=[CAMERA], frame_bytes=15 * one)
    for start in range(0, 60, 5):
        images = pictures(start, 6)
        part = chain(start, 5, continues=start > 0, images=images)
        success = np.full(5, start % 10 == 0)
        replay.add(replace(part, success=success, truncated=np.arange(5) == 4, episode=np.full(5, start)), "a")
        assert replay.frame_bytes <= 15 * one
    held = check_chain(replay)
    assert held == list(range(60 - len(held), 60))
    assert len(held) >= 10
    _, outcomes = replay.sample(100, 8, torch.Generator().manual_seed(0))
    assert set(outcomes[..., 1].flatten().int().tolist()) == set(held)


def test_pictures_of_other_cameras_are_refused():
    with pytest.raises(NafRobotError, match=r"pictures of \['camera'\], got \[\]"):
        ReplayBuffer(10, 2, 1, images=[CAMERA]).add(chain(0, 2))
