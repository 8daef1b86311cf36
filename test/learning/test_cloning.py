"""Behaviour cloning of the rows that are demonstrations: the term, its weights, and what it does to every learner."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from random_batch import make_batch

from naf_robot.core.config import build
from naf_robot.core.errors import ConfigError, NafRobotError
from naf_robot.learning import registry
from naf_robot.learning.algorithm import AlgorithmSetup, Budget
from naf_robot.learning.cloning import Cloning, cloning_loss
from naf_robot.learning.naf import losses
from naf_robot.learning.policies.mlp import MlpPolicy
from naf_robot.learning.ramp import value_at
from naf_robot.learning.replay_buffer import ReplayBuffer
from naf_robot.learning.source_shares import SourceShares
from naf_robot.learning.sources import Mixture

RAMP = ((100, 2.0), (300, 0.0))
LEARNERS = [name for name, entry in registry.ALGORITHMS.items() if entry.learner]
actions = arrays.arrays(np.float64, (5, 3), elements=st.floats(-0.99, 0.99))


@pytest.mark.parametrize(("updates", "value"), [(0, 2.0), (100, 2.0), (150, 1.5), (299, 0.01), (300, 0.0), (9999, 0.0)])
def test_a_ramp_is_straight_between_its_pairs(updates, value):
    assert value_at(RAMP, updates) == pytest.approx(value)


def test_the_term_by_hand():
    mu, action = torch.tensor([[0.5, 0.0], [1.0, 1.0], [0.0, 0.0]]), torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    assert float(cloning_loss(mu, action, torch.tensor([1.0, 1.0, 0.0]))) == pytest.approx((0.25 + 1.0) / 2.0)
    assert float(cloning_loss(mu, action, torch.zeros(3))) == 0.0


@settings(max_examples=30)
@given(
    arrays.arrays(np.float64, (5, 3), elements=st.floats(-4.0, 4.0)),
    actions,
    st.lists(st.booleans(), min_size=5, max_size=5),
)
def test_nafs_slope_is_the_gradient_of_the_term(raw, action, marks):
    raw_mu, u, rows = torch.tensor(raw, requires_grad=True), torch.tensor(action), torch.tensor(marks).double()
    wanted = 0.7 * cloning_loss(torch.tanh(raw_mu), u, rows)
    wanted.backward()
    row_weights = 2.0 * 0.7 * rows / rows.sum().clamp(min=1.0)
    term, slope = losses.cloning_term(raw_mu.detach(), u, row_weights)
    assert float(term) == pytest.approx(float(wanted.detach()), abs=1e-12)
    np.testing.assert_allclose(slope.numpy(), raw_mu.grad.numpy(), atol=1e-12)


def mixture(shares, held):
    sources = {}
    for number, (name, count) in enumerate(held.items()):
        sources[name] = ReplayBuffer(100, 5, 3)
        if count:
            batch = make_batch(count, seed=number)
            batch.reward[:] = number
            sources[name].add(batch)
    return Mixture(sources, SourceShares(**shares), seed=0)


def test_marked_rows_are_those_of_the_source():
    drawn = mixture({"online": 2.0, "demonstration": ((0, 3.0), (4, 0.5))}, {"online": 20, "demonstration": 20})
    _, outcomes = drawn.sample(6, 10, torch.Generator())
    rows = drawn.rows_of("demonstration")
    np.testing.assert_array_equal(rows.numpy(), (outcomes[..., -3] == 1.0).float().numpy())
    assert rows.sum(1).tolist() == [6.0, 5.0, 5.0, 4.0, 2.0, 2.0]
    assert not drawn.rows_of("offline").any()


def test_weights_of_rows_follow_the_updates():
    drawn = mixture({"online": 1.0, "demonstration": 1.0}, {"online": 20, "demonstration": 20})
    drawn.sample(2, 4, torch.Generator())
    weights = Cloning(RAMP, drawn).row_weights(299, torch.device("cpu"))
    np.testing.assert_allclose(weights.numpy(), [[0, 0, 0.01, 0.01], [0, 0, 0, 0]], atol=1e-7)


def test_a_share_of_an_empty_source_clones_nothing():
    drawn = mixture({"online": 1.0, "demonstration": 1.0}, {"online": 20, "demonstration": 0})
    drawn.sample(1, 4, torch.Generator())
    assert not Cloning(1.0, drawn).row_weights(0, torch.device("cpu")).any()


def made(name, weight, shares=None, **values):
    config = build(registry.algorithm_config_type(name), {"cloning_weight": weight, **values})
    setup = AlgorithmSetup(5, 3, 0, ("left",), replay_capacity=600, sources=SourceShares(**(shares or {})))
    algorithm = registry.make_algorithm(name, config, setup)
    for number, source in enumerate(algorithm.sources.values()):
        source.add(make_batch(200, seed=number))
    return algorithm


HALF = {"online": 1.0, "demonstration": 1.0}


@pytest.mark.parametrize("name", LEARNERS)
def test_a_weight_draws_the_policy_to_the_demonstrations_and_none_changes_nothing(name):
    algorithms = [made(name, weight, HALF) for weight in (0.0, [[0, 0.0], [1000, 0.0]], 20.0)]
    metrics = [algorithm.work(Budget(50)) for algorithm in algorithms]
    off, zero, cloned = (algorithm.learner.state() for algorithm in algorithms)
    for key, array in off.items():
        np.testing.assert_array_equal(array, zero[key], err_msg=key)
    assert any(not np.array_equal(array, cloned[key]) for key, array in off.items())
    assert metrics[0]["cloning_loss"] == metrics[1]["cloning_loss"] == 0.0 < metrics[2]["cloning_loss"]
    batch = make_batch(200, seed=1)
    errors = []
    for algorithm in (algorithms[0], algorithms[2]):
        policy = MlpPolicy.from_arrays(algorithm.learner.policy_arrays())
        found = np.array([policy.action(x) for x in batch.observation])
        errors.append(float(((found - batch.action) ** 2).sum(1).mean()))
    assert errors[1] < errors[0]


@pytest.mark.parametrize("name", LEARNERS)
def test_cloning_goes_on_bit_for_bit(name):
    whole, first, second = (made(name, [[0, 5.0], [30, 0.0]], HALF) for _ in range(3))
    whole.work(Budget(40))
    first.work(Budget(15))
    second.load_state(first.state())
    second.work(Budget(25))
    for key, array in whole.state().items():
        np.testing.assert_array_equal(array, second.state()[key], err_msg=key)


@pytest.mark.parametrize("name", LEARNERS)
def test_cloning_without_demonstrations_is_refused(name):
    with pytest.raises(ConfigError, match=r"give trainer\.sources\.demonstration a share"):
        made(name, 1.0)
    with pytest.raises(ConfigError, match="ramp of cloning_weight must ascend"):
        made(name, [[10, 1.0], [5, 0.0]], HALF)


def test_batches_that_know_no_sources_are_refused():
    with pytest.raises(NafRobotError, match="which rows are demonstrations"):
        Cloning(1.0, ReplayBuffer(10, 5, 3))
    assert not Cloning(0.0, ReplayBuffer(10, 5, 3)).is_active
