"""What holds for every algorithm of the registry."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from random_batch import make_batch

from naf_robot.core.errors import CheckpointError, NafRobotError
from naf_robot.learning import registry
from naf_robot.learning.policies.mlp import MlpPolicy
from naf_robot.learning.replay_buffer import ReplayBuffer
from naf_robot.learning.sac import losses as sac_losses

pytestmark = pytest.mark.parametrize("name", [n for n, entry in registry.ALGORITHMS.items() if entry.learner])


def make(name, seed=0, filled=True):
    replay = ReplayBuffer(500, 5, 3)
    if filled:
        replay.add(make_batch(300))
    return registry.make_learner(name, registry.algorithm_config_type(name)(), 5, 3, replay, seed)


def test_updates_give_finite_metrics_and_a_policy_that_acts(name):
    learner = make(name)
    metrics = learner.update(5)
    assert learner.updates == 5
    assert all(np.isfinite(value) for value in metrics.values())
    assert metrics["skipped_updates"] == 0
    policy = MlpPolicy.from_arrays(learner.policy_arrays())
    assert (policy.observation_size, policy.action_size) == (5, 3)
    assert np.abs(policy.action(np.ones(5))).max() <= 1.0


def test_equal_seeds_give_equal_learners(name):
    first, second, other = make(name, 1), make(name, 1), make(name, 2)
    assert first.update(5) == second.update(5) != other.update(5)


def test_resume_goes_on_bit_for_bit(name):
    learner, resumed = make(name, 0), make(name, 7)
    learner.update(5)
    resumed.load_state(learner.state())
    assert learner.update(5) == resumed.update(5)
    for key, array in learner.state().items():
        np.testing.assert_array_equal(array, resumed.state()[key], err_msg=key)
        assert array.dtype in (np.float32, np.int64, np.uint8)


def test_state_that_lacks_an_array_is_refused(name):
    learner = make(name)
    state = learner.state()
    removed = sorted(state)[0]
    del state[removed]
    with pytest.raises(CheckpointError, match=removed):
        learner.load_state(state)


def test_empty_replay_is_refused(name):
    with pytest.raises(NafRobotError, match="empty"):
        make(name, filled=False).update(1)


def test_published_policy_is_a_copy(name):
    learner = make(name)
    before = {key: array.copy() for key, array in learner.policy_arrays().items()}
    held = learner.policy_arrays()
    learner.update(5)
    for key, array in before.items():
        np.testing.assert_array_equal(array, held[key])


def test_greedy_action_finds_the_best_of_a_bandit(name):
    """Every state alike, every step the last, reward -|u - 0.5|²."""
    batch = make_batch(4000)
    reward = -((batch.action - 0.5) ** 2).sum(1)
    replay = ReplayBuffer(4000, 5, 3)
    replay.add(replace(batch, reward=reward, terminated=np.ones(4000, bool)))
    learner = registry.make_learner(name, registry.algorithm_config_type(name)(), 5, 3, replay, 0)
    learner.update(1000)
    if (
        name == "ddpg"
    ):  # on fixed data its critic extrapolates wrongly into the corners; the actor still has to climb it
        x = torch.from_numpy(batch.observation)
        with torch.no_grad():
            gain = learner.critic(x, learner.actor(x)) - learner.critic(x, torch.zeros(4000, 3))
        assert float(gain.mean()) > 0.0
        return
    policy = MlpPolicy.from_arrays(learner.policy_arrays())
    actions = np.mean([policy.action(x) for x in batch.observation[:50]], axis=0)
    assert actions == pytest.approx(np.full(3, 0.5), abs=0.25)


def test_squashed_density_integrates_to_one(name):
    if name != "sac":
        pytest.skip("of SAC alone")
    mean, log_deviation = torch.tensor([[0.3]]), torch.tensor([[-0.5]])
    normal = torch.linspace(-6, 6, 4001).unsqueeze(1)
    action, log_probability = sac_losses.squash(mean.expand_as(normal), log_deviation.expand_as(normal), normal)
    assert float(torch.trapezoid(log_probability.exp(), action[:, 0])) == pytest.approx(1.0, abs=1e-3)


def test_every_metric_is_explained_on_the_algorithms_page(name):
    page = (Path(__file__).resolve().parents[2] / "docs" / "algorithms" / f"{name}.md").read_text(encoding="utf-8")
    explained = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    assert explained == set(make(name).update(1))
