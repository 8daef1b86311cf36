"""Learners learn: a short seeded run on an environment that is not ours."""

import gymnasium
import numpy as np
import pytest
import torch

from naf_robot.core.array_spec import ArraySpec, ObservationSpec
from naf_robot.core.records import StepSpec
from naf_robot.core.seeding import stream
from naf_robot.core.transitions import transitions_of
from naf_robot.experience.recorder import EpisodeRecorder
from naf_robot.learning import registry
from naf_robot.learning.exploration import ExplorationConfig, ExplorationSchedule, OrnsteinUhlenbeck
from naf_robot.learning.policies.mlp import MlpPolicy
from naf_robot.learning.replay_buffer import ReplayBuffer

STEPS = StepSpec(ObservationSpec("pendulum", (ArraySpec("observation", (3,)),)), 1, ("reward",))
EPISODES = 30  # of 200 steps, one update each
SOLVED = -400.0  # mean return of Pendulum-v1; standing still gives about -1300, a good policy -150


def run(env, policy, noise=None, seed=None, replay=None):
    """One episode of `policy`, plus noise if given; returns its return and stores its transitions."""
    scale, total, recorder = env.action_space.high, 0.0, EpisodeRecorder(STEPS, 0)
    observation, _ = env.reset(seed=seed)
    recorder.observe(0.0, {"observation": observation}, success=False)
    for _ in range(1000):
        action = policy.action(observation)
        if noise is not None:
            action = np.clip(action + noise.sample(), -1.0, 1.0)
        following, reward, terminated, truncated, _ = env.step(action * scale)
        total += reward
        reward /= 10.0  # to the size that P = I at the start suits
        recorder.complete(action, action, [reward])
        recorder.observe(0.0, {"observation": following}, success=False)
        observation = following
        if terminated or truncated:
            recorder.close(terminated, truncated)
            break
    if replay is not None:
        replay.add(transitions_of(recorder.take(), STEPS.observation))
    return total


def evaluation_return(env, learner):
    policy = MlpPolicy.from_arrays(learner.policy_arrays())
    return np.mean([run(env, policy, seed=1000 + k) for k in range(5)])


@pytest.mark.parametrize("settings", [{}, {"variant": "plain"}], ids=["default", "plain"])
def test_learns_to_swing_up_a_pendulum(settings):
    env = gymnasium.make("Pendulum-v1")
    replay = ReplayBuffer(50_000, 3, 1)
    config = registry.algorithm_config_type("naf")(**settings)
    learner = registry.make_learner("naf", config, 3, 1, replay, seed=0)
    noise = OrnsteinUhlenbeck(ExplorationSchedule(ExplorationConfig()), 1, stream(0, "noise"))
    before = evaluation_return(env, learner)
    skipped = 0.0
    for episode in range(EPISODES):
        noise.reset()
        run(env, MlpPolicy.from_arrays(learner.policy_arrays()), noise, seed=episode, replay=replay)
        skipped += learner.update(200)["skipped_updates"]
    after = evaluation_return(env, learner)
    assert before < 2 * SOLVED
    assert after > SOLVED
    assert skipped == 0.0
    assert torch.isfinite(learner.parameters.flat).all()
