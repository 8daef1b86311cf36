import numpy as np
import pytest
import torch
from eager_naf import EagerNaf
from random_batch import make_batch

from naf_robot.core.errors import CheckpointError
from naf_robot.learning.naf.config import NafConfig
from naf_robot.learning.naf.learner import NafLearner
from naf_robot.learning.policies.mlp import MlpPolicy
from naf_robot.learning.replay_buffer import ReplayBuffer

VARIANTS = {
    "cross_normalised": {},
    "cross_normalised_wide": {"hidden": (32, 24, 16)},
    "plain": {"variant": "plain"},
    "plain_deep": {"variant": "plain", "hidden": (24, 16, 24), "time_limit_is_terminal": True},
    "plain_layer_norm": {"variant": "plain", "layer_norm": True},
}


def make_learner(seed=0, size=5, actions=3, **settings):
    config = NafConfig(**{"hidden": (20, 20), "batch_size": 16, **settings})
    replay = ReplayBuffer(500, size, actions)
    replay.add(make_batch(300, size, actions))
    return NafLearner(config, size, actions, replay, seed)


def sample(learner, blocks=1):
    observations, outcomes = learner.replay.sample(blocks, learner.config.batch_size, torch.Generator().manual_seed(9))
    return observations, outcomes


def eager_of(learner):
    eager = EagerNaf(learner.config, learner.replay.observation_size, learner.action_size)
    eager.copy_from(learner)
    return eager


def assert_networks_equal(learner, eager, tolerance):
    for k, network in enumerate(eager.networks):
        fresh = EagerNaf(learner.config, learner.replay.observation_size, learner.action_size)
        fresh.copy_from(learner)
        expected = dict(network.named_parameters())
        for name, value in fresh.networks[k].named_parameters():
            torch.testing.assert_close(value, expected[name], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS)
def test_gradient_equals_autograd(settings):
    learner = make_learner(**settings)
    eager = eager_of(learner)
    observations, outcomes = sample(learner, 2)
    learner.parameters.flat.requires_grad_(False)
    start = learner.parameters.flat.clone()
    for k in range(2):  # the second pass finds buffers that the first one used
        eager.optimiser.zero_grad()
        eager.loss(observations[k], outcomes[k]).backward()
        learner.parameters.flat.copy_(start)
        if learner.target is not None:
            learner.target.flat.copy_(start)
        with torch.no_grad():
            learner._block(observations[k : k + 1], outcomes[k : k + 1])
        clipped = learner._gradient_scale  # Adam's kernel leaves the gradient divided by this
        for i, network in enumerate(eager.networks):
            layers, (weight, bias) = learner.gradient.network(i)
            found = [weight.T, bias]
            modules = [m for m in network.hidden if sum(p.numel() for p in m.parameters(recurse=False))]
            wanted = [network.head.weight.grad, network.head.bias.grad]
            wanted += [parameter.grad for module in modules for parameter in module.parameters()]
            for layer in layers:
                found += [layer[name].T if name == "w" else layer[name] for name in "wbgc" if name in layer]
            for mine, theirs in zip(found, wanted, strict=True):
                torch.testing.assert_close(mine * clipped, theirs, rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS)
def test_updates_equal_the_straightforward_learner(settings):
    learner = make_learner(**settings)
    eager = eager_of(learner)
    observations, outcomes = sample(learner, 40)
    with torch.no_grad():
        learner._block(observations, outcomes)
    for k in range(40):
        eager.step(observations[k], outcomes[k])
    assert_networks_equal(learner, eager, 2e-4)
    if learner.moments is not None:
        network = eager.networks[0]
        norms = [module for module in network.hidden if isinstance(module, torch.nn.BatchNorm1d)]
        for norm, mean, variance in zip(norms, learner.moments.means, learner.moments.variances, strict=True):
            torch.testing.assert_close(mean[: norm.num_features], norm.running_mean, rtol=1e-3, atol=1e-4)
            torch.testing.assert_close(variance[: norm.num_features], norm.running_var, rtol=1e-3, atol=1e-4)
    else:
        layers, (weight, _) = learner.target.network(2)
        torch.testing.assert_close(weight.T, eager.target_value.head.weight, rtol=2e-4, atol=2e-4)
        torch.testing.assert_close(layers[0]["w"].T, eager.target_value.hidden[0].weight, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS)
def test_published_policy_equals_the_network_in_evaluation(settings):
    learner = make_learner(**settings)
    learner.update(30)
    eager = eager_of(learner)
    network = eager.networks[0].eval()
    if learner.moments is not None:
        norms = [module for module in network.hidden if isinstance(module, torch.nn.BatchNorm1d)]
        for norm, mean, variance in zip(norms, learner.moments.means, learner.moments.variances, strict=True):
            norm.running_mean.copy_(mean[: norm.num_features])
            norm.running_var.copy_(variance[: norm.num_features])
    policy = MlpPolicy.from_arrays(learner.policy_arrays())
    for observation in make_batch(20).observation:
        with torch.no_grad():
            wanted = torch.tanh(network(torch.from_numpy(observation)[None]))[0].numpy()
        np.testing.assert_allclose(policy.action(observation), wanted, atol=3e-6)


@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS)
def test_equal_seeds_give_equal_learners(settings):
    first, second, other = make_learner(1, **settings), make_learner(1, **settings), make_learner(2, **settings)
    assert first.update(7) == second.update(7)
    assert torch.equal(first.parameters.flat, second.parameters.flat)
    other.update(7)
    assert not torch.equal(first.parameters.flat, other.parameters.flat)


def test_updates_do_not_depend_on_how_they_are_divided_over_calls():
    whole, parts = make_learner(), make_learner()
    whole.update(150)
    for count in (1, 64, 65, 20):
        parts.update(count)
    assert whole.updates == parts.updates == 150
    assert torch.equal(whole.parameters.flat, parts.parameters.flat)


@pytest.mark.parametrize("settings", [*VARIANTS.values(), {"policy_average": 0.99}])
def test_resume_goes_on_bit_for_bit(settings):
    learner, resumed = make_learner(0, **settings), make_learner(5, **settings)
    learner.update(20)
    state = {name: array.copy() for name, array in learner.state().items()}
    learner.update(20)
    resumed.load_state(state)
    resumed.update(20)
    assert resumed.updates == 40
    for name, array in learner.state().items():
        np.testing.assert_array_equal(array, resumed.state()[name], err_msg=name)


def test_state_of_another_shape_is_refused_and_changes_nothing():
    learner = make_learner()
    before = learner.state()
    with pytest.raises(CheckpointError, match="parameters"):
        learner.load_state(make_learner(hidden=(8, 8)).state())
    incomplete = learner.state()
    del incomplete["generator"]
    with pytest.raises(CheckpointError, match="generator"):
        learner.load_state(incomplete)
    for name, array in before.items():
        np.testing.assert_array_equal(array, learner.state()[name])


@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_update_is_skipped_and_counted_when_the_gradient_is_not_finite(settings, poison):
    learner = make_learner(**settings)
    learner.update(3)
    before = learner.state()
    observations, outcomes = sample(learner, 2)
    outcomes[1, 4, 3] = poison  # a reward
    with torch.no_grad():
        learner._block(observations[1:], outcomes[1:])
    assert float(learner._block_total(1)[-1]) == 1.0
    after = learner.state()
    for name in ("parameters", "first_moment", "second_moment", "adam_step", "moments"):
        if name in before:
            np.testing.assert_array_equal(before[name], after[name], err_msg=name)
    metrics = learner.update(5)
    assert metrics["skipped_updates"] == 0
    assert all(np.isfinite(value) for value in metrics.values())


def test_averaged_policy_is_the_moving_average_of_the_acting_one():
    learner = make_learner(policy_average=0.9)
    expected = learner.parameters.flat.clone()
    for _ in range(5):
        learner.update(1)
        expected.lerp_(learner.parameters.flat, 1.0 - 0.9)
    torch.testing.assert_close(learner.averaged.flat, expected)
    learner.averaged.flat.fill_(0.0)
    assert MlpPolicy.from_arrays(learner.policy_arrays()).action(np.ones(5)) == pytest.approx(np.zeros(3))


def test_gradient_norm_is_limited():
    learner, free = make_learner(gradient_norm_limit=0.01), make_learner(gradient_norm_limit=1e6)
    assert learner.update(1)["gradient_norm"] == pytest.approx(free.update(1)["gradient_norm"])
    assert float(torch.linalg.vector_norm(learner.gradient.flat)) == pytest.approx(0.01, rel=1e-4)
    assert float(torch.linalg.vector_norm(free.gradient.flat)) > 0.1


def test_defaults_serve_wider_networks():
    learner = make_learner(hidden=(256, 256), batch_size=64, size=20, actions=7)
    metrics = learner.update(5)
    assert np.isfinite(metrics["loss"])
    assert MlpPolicy.from_arrays(learner.policy_arrays()).observation_size == 20


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS)
def test_cuda_equals_cpu(settings):
    config = (
        NafConfig(hidden=(20, 20), batch_size=16, **settings) if "hidden" not in settings else NafConfig(**settings)
    )
    learners = []
    for device in ("cpu", "cuda"):
        replay = ReplayBuffer(500, 5, 3, device)
        replay.add(make_batch(300))
        learners.append(NafLearner(config, 5, 3, replay, 0, device))
    observations, outcomes = sample(learners[0], 3 * 64)
    with torch.no_grad():
        for learner in learners:
            for block in zip(observations.split(64), outcomes.split(64), strict=True):  # eager, recorded, replayed
                learner._run(*(side.to(learner.device) for side in block))
    torch.testing.assert_close(learners[1].parameters.flat.cpu(), learners[0].parameters.flat, rtol=5e-3, atol=5e-3)


@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS)
def test_targets_bootstrap_from_no_more_than_rewards_can_add_up_to(settings):
    for bounded in (True, False):
        learner = make_learner(bounded_values=bounded, **settings)
        networks = [learner.parameters] if learner.target is None else [learner.parameters, learner.target]
        for parameters in networks:
            parameters.network(2)[1][1].fill_(1e6)  # a value network that has run away
        learner.update(1)
        low, high = learner.replay.reward_range
        most = high / (1.0 - learner.config.discount)
        assert low < 0.0 < high
        reached = float(learner._next_value.max())
        assert reached == pytest.approx(most) if bounded else reached > 1e5
