"""The mixture: shares over one batch and over many, ramps, empty sources, streams and resume."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from random_batch import make_batch

from naf_robot.core.errors import CheckpointError, NafRobotError
from naf_robot.learning.algorithm import AlgorithmSetup, Budget
from naf_robot.learning.off_policy import OffPolicyActorCritic
from naf_robot.learning.registry import algorithm_config_type, make_algorithm, make_learner
from naf_robot.learning.replay_buffer import REWARD, ReplayBuffer
from naf_robot.learning.source_shares import SourceShares
from naf_robot.learning.sources import Mixture

MARK = {"online": 1.0, "offline": 2.0, "demonstration": 3.0, "train": 4.0}  # the reward that tells a source's rows


def filled(name: str, count: int = 50) -> ReplayBuffer:
    replay = ReplayBuffer(100, 5, 3)
    if count:
        batch = make_batch(count, seed=int(MARK[name]))
        replay.add(replace(batch, reward=np.full(count, MARK[name], np.float32)))
    return replay


def mixture(shares: SourceShares, empty: tuple[str, ...] = (), seed: int = 0) -> Mixture:
    return Mixture({name: filled(name, 0 if name in empty else 50) for name in MARK}, shares, seed)


def counts(outcomes: torch.Tensor) -> list[dict[str, int]]:
    return [{name: int((row == mark).sum()) for name, mark in MARK.items()} for row in outcomes[..., REWARD]]


def draw(it: Mixture, *blocks: int, size: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    parts = [it.sample(count, size, torch.Generator()) for count in blocks]
    return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])


def test_shapes_and_shares_of_every_batch():
    observations, outcomes = draw(mixture(SourceShares(online=3.0, offline=1.0)), 7)
    assert observations.shape == (7, 2, 64, 5)
    assert outcomes.shape == (7, 64, 6)
    assert counts(outcomes) == [{"online": 48, "offline": 16, "demonstration": 0, "train": 0}] * 7


def test_observation_successor_and_outcome_stay_together():
    it = mixture(SourceShares(online=1.0, demonstration=1.0))
    observations, outcomes = draw(it, 3, size=9)
    known = {}
    for name, mark in MARK.items():
        batch = make_batch(50, seed=int(mark))
        for i in range(50):
            known[batch.observation[i].tobytes()] = (name, batch.next_observation[i], batch.action[i])
    for block in range(3):
        for row in range(9):
            name, following, action = known[observations[block, 0, row].numpy().tobytes()]
            np.testing.assert_array_equal(observations[block, 1, row], following)
            np.testing.assert_array_equal(outcomes[block, row, :3], action)
            assert outcomes[block, row, REWARD] == MARK[name]


def test_shares_too_small_for_one_batch_hold_over_many():
    shares = SourceShares(online=0.9, offline=0.003, demonstration=0.097)
    rows = counts(draw(mixture(shares), 500, size=10)[1])
    total = {name: sum(row[name] for row in rows) for name in MARK}
    assert {sum(row.values()) for row in rows} == {10}
    assert total == {"online": 4500, "offline": 15, "demonstration": 485, "train": 0}


def test_ramps_go_with_the_batches():
    it = mixture(SourceShares(online=((0, 0.5), (100, 1.0)), demonstration=((0, 0.5), (100, 0.0))))
    rows = counts(draw(it, 60, 60)[1])
    assert rows[0]["demonstration"] == 32
    assert rows[50]["demonstration"] == 16
    assert rows[100]["demonstration"] == rows[119]["demonstration"] == 0
    demonstrations = [row["demonstration"] for row in rows]
    assert max(b - a for a, b in pairwise(demonstrations)) <= 1


def test_the_share_of_an_empty_source_goes_to_the_others_until_it_holds_something():
    it = mixture(SourceShares(online=2.0, offline=1.0, demonstration=1.0), empty=("demonstration",), seed=3)
    assert counts(draw(it, 1, size=60)[1])[0] == {"online": 40, "offline": 20, "demonstration": 0, "train": 0}
    it._sources["demonstration"].add(make_batch(5))
    assert counts(draw(it, 1, size=60)[1])[0] | {"demonstration": 15} == {
        "online": 30, "offline": 15, "demonstration": 15, "train": 0,
    }  # fmt: skip


def test_with_nothing_to_draw_from_it_says_what_is_filled():
    with pytest.raises(NafRobotError, match=r"every source with a share is empty; filled: none"):
        draw(mixture(SourceShares(online=1.0, offline=1.0), empty=("online", "offline")), 1)


def test_batches_are_the_same_however_they_are_divided_over_calls():
    shares = SourceShares(online=((0, 0.2), (40, 0.7)), offline=0.31, demonstration=0.05)
    whole, parts = draw(mixture(shares), 60), draw(mixture(shares), 1, 20, 3, 36)
    for one, other in zip(whole, parts, strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(whole[0], draw(mixture(shares, seed=1), 60)[0])


def test_the_reward_range_is_that_of_all():
    assert mixture(SourceShares(online=1.0, train=1.0)).reward_range == (0.0, 4.0)


def algorithm(name="naf", sources=None, fill=("online", "offline"), seed=0, **settings) -> OffPolicyActorCritic:
    setup = AlgorithmSetup(5, 3, seed, ("robot_1",), replay_capacity=400, sources=sources or SourceShares())
    made = make_algorithm(name, algorithm_config_type(name)(**settings), setup)
    assert isinstance(made, OffPolicyActorCritic)
    for source in made.sources:
        if source in fill:
            made.sources[source].add(make_batch(200, seed=int(MARK[source])))
    return made


def assert_equal_states(one, other):
    first, second = one.state(), other.state()
    assert first.keys() == second.keys()
    for key, array in first.items():
        np.testing.assert_array_equal(array, second[key], err_msg=key)


@pytest.mark.parametrize("name", ["naf", "linear_naf", "ddpg", "sac"])
def test_one_source_gives_the_very_updates_of_the_learner_by_itself(name):
    replay = ReplayBuffer(400, 5, 3)
    replay.add(make_batch(200, seed=1))
    learner = make_learner(name, algorithm_config_type(name)(), 5, 3, replay, 0)
    whole = algorithm(name)
    assert set(whole.sources) == {"online"}
    assert whole.work(Budget(70)) == learner.update(70)
    assert_equal_states(whole, learner)
    assert whole.counters() == {}


RAMPED = SourceShares(online=((0, 0.3), (50, 1.0)), offline=0.37)


def test_a_mixed_run_goes_on_bit_for_bit():
    unbroken, first, second = algorithm(sources=RAMPED), algorithm(sources=RAMPED), algorithm(sources=RAMPED, seed=9)
    unbroken.work(Budget(20))
    first.work(Budget(20))
    second.load_state(first.state())
    assert unbroken.work(Budget(30)) == second.work(Budget(30))
    assert_equal_states(unbroken, second)
    assert unbroken.counters() == {"transitions in online": 200, "transitions in offline": 200}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {"sources": RAMPED}),
        ({"sources": RAMPED}, {}),
        ({"sources": RAMPED}, {"sources": SourceShares(demonstration=1.0)}),
        ({"sources": RAMPED}, {"sources": RAMPED, "hidden": (8, 8)}),
    ],
)
def test_a_state_of_other_sources_or_networks_is_refused_and_nothing_changes(ours, theirs):
    own, foreign = algorithm(**ours), algorithm(**theirs)
    foreign.work(Budget(3))
    before = own.state()
    with pytest.raises(CheckpointError):
        own.load_state(foreign.state())
    for key, array in own.state().items():
        np.testing.assert_array_equal(array, before[key], err_msg=key)


def test_a_budget_of_seconds_ends_the_work_and_the_updates_are_the_same():
    timed, plain = algorithm(), algorithm()
    metrics = timed.work(Budget(1_000_000, seconds=0.2))
    assert 0 < timed.updates < 1_000_000
    assert timed.updates % 16 == 0
    plain.work(Budget(timed.updates))
    assert_equal_states(timed, plain)
    assert np.isfinite(metrics["loss"])
    assert timed.work(Budget(5, seconds=0.0)) != {}  # at least one step, or it would never come on
    assert timed.updates == plain.updates + 5


def test_metrics_of_a_timed_call_are_means_over_its_updates():
    timed, plain = algorithm("linear_naf"), algorithm("linear_naf")
    expected = plain.work(Budget(40))
    assert timed.work(Budget(40, seconds=1e6)) == pytest.approx(expected)
