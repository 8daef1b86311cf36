"""The synchronous, ROS-free loop: one process, one environment after another, any number of seeds.

It trains any learner on any Gymnasium environment with Box observations and actions, so that
algorithms can be compared quickly before they meet robots.
"""

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError
from naf_robot.core.records import TransitionBatch, stack
from naf_robot.core.seeding import derived_seed, stream
from naf_robot.learning.exploration import ExplorationConfig, OrnsteinUhlenbeck
from naf_robot.learning.learner import Learner
from naf_robot.learning.policy import Policy
from naf_robot.learning.registry import make_learner
from naf_robot.learning.replay_buffer import ReplayBuffer
from naf_robot.runtime.learned_action import LearnedAction, as_learned
from naf_robot.runtime.ratio import RatioLimiter

UPDATE_PERIOD = 32  # env steps between calls of the learner; the policy acts unchanged through an episode

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class StudyOptions:
    """How one synchronous run goes."""

    episodes: int = 200
    updates_per_transition: float = 1.0
    learning_starts: int = 300
    replay_capacity: int = 1_000_000
    evaluate_every: int = 20  # episodes
    evaluation_episodes: int = 20
    stop_at_success: float = 2.0  # end after an evaluation this good; above 1 never
    confirmation_episodes: int = 0  # held-out episodes of other seeds that must be as good before the end; 0: none
    learned_action: LearnedAction = "requested"
    exploration: ExplorationConfig = field(default_factory=ExplorationConfig)


@dataclass
class Evaluation:
    """Greedy episodes after `episodes` training episodes."""

    episodes: int
    env_steps: int
    updates: int
    success_rate: float | None  # None where the environment does not report success
    mean_return: float
    mean_final_distance: float | None
    confirmed_success_rate: float | None = None  # over the confirmation episodes, where they were run


def box_environment(environment: gymnasium.Env) -> gymnasium.Env:
    """`environment` with its Box actions scaled to [-1, 1] from their bounds.

    Raises:
        ConfigError: observation or action space is not a bounded Box as needed.
    """
    for name, space in (("observation", environment.observation_space), ("action", environment.action_space)):
        if not isinstance(space, gymnasium.spaces.Box) or len(space.shape) != 1:
            raise ConfigError(f"the {name} space must be a one-dimensional Box, got {space}")
    actions = environment.action_space
    if not (np.isfinite(actions.low).all() and np.isfinite(actions.high).all()):
        raise ConfigError(f"the action space must have finite bounds to scale from, got {actions}")
    if (actions.low == -1.0).all() and (actions.high == 1.0).all():
        return environment
    return gymnasium.wrappers.RescaleAction(environment, np.float32(-1.0), np.float32(1.0))


def run_seed(
    environment: gymnasium.Env,
    held_out: gymnasium.Env,
    algorithm: str,
    config: Config,
    options: StudyOptions,
    seed: int,
    report: Report = lambda row: None,
) -> list[dict[str, Any]]:
    """Train from scratch on `environment`, evaluating on `held_out`; one row per evaluation."""
    environment, held_out = box_environment(environment), box_environment(held_out)
    (size,), (actions,) = environment.observation_space.shape, environment.action_space.shape
    replay = ReplayBuffer(options.replay_capacity, size, actions)
    learner = make_learner(algorithm, config, size, actions, replay, derived_seed(seed, "learner"))
    noise = OrnsteinUhlenbeck(options.exploration, actions, stream(seed, "exploration"))
    rows: list[dict[str, Any]] = []
    env_steps = 0
    for episode in range(1, options.episodes + 1):
        reset_seed = derived_seed(seed, "reset") + episode
        env_steps = _explore(environment, learner, noise, replay, options, episode, reset_seed, env_steps)
        if episode % options.evaluate_every == 0:
            policy = Policy.from_arrays(learner.policy_arrays())
            success, returns, distance = evaluate(
                held_out, policy, options.evaluation_episodes, derived_seed(seed, "held-out", episode)
            )
            confirmed = None
            good = success is not None and success >= options.stop_at_success
            if good and options.confirmation_episodes > 0:
                confirmed, *_ = evaluate(
                    held_out, policy, options.confirmation_episodes, derived_seed(seed, "confirmation", episode)
                )
                good = confirmed is not None and confirmed >= options.stop_at_success
            row = Evaluation(episode, env_steps, learner.updates, success, returns, distance, confirmed)
            rows.append(asdict(row))
            report(rows[-1])
            if good:
                break
    return rows


def _explore(
    environment: gymnasium.Env,
    learner: Learner,
    noise: OrnsteinUhlenbeck,
    replay: ReplayBuffer,
    options: StudyOptions,
    episode: int,
    seed: int,
    env_steps: int,
) -> int:
    ratio = RatioLimiter(options.updates_per_transition, 0, options.learning_starts)
    noise.reset()
    observation, _ = environment.reset(seed=seed)
    policy = Policy.from_arrays(learner.policy_arrays())
    over, step = False, 0
    while not over:
        requested = np.clip(policy.action(observation) + noise.sample(), -1.0, 1.0)
        following, reward, terminated, truncated, info = environment.step(requested)
        executed = info.get("executed_action", requested)
        transition = one_transition(
            observation, executed, requested, float(reward), following, terminated, truncated, episode, step
        )
        replay.add(as_learned(transition, options.learned_action))
        env_steps += 1
        observation, over, step = following, terminated or truncated, step + 1
        if env_steps % UPDATE_PERIOD == 0 or over:
            count = ratio.allowed_updates(env_steps, learner.updates, at_most=sys.maxsize)
            if count > 0:
                learner.update(count)
    return env_steps


def one_transition(
    observation: NDArray,
    executed: NDArray,
    requested: NDArray,
    reward: float,
    following: NDArray,
    terminated: bool,
    truncated: bool,
    episode: int,
    step: int,
) -> TransitionBatch:
    """A batch of one transition of a synchronous run."""
    return stack(
        [
            {
                "observation": observation,
                "action": executed,
                "requested_action": requested,
                "reward": reward,
                "reward_terms": np.array([reward]),
                "next_observation": following,
                "terminated": terminated,
                "truncated": truncated,
                "episode": episode,
                "step": step,
                "policy_version": 0,
                "greedy": False,
                "success": False,
                "stamp_s": 0.0,
            }
        ]
    )


def evaluate(
    environment: gymnasium.Env, policy: Policy, episodes: int, seed: int, report: Report = lambda row: None
) -> tuple[float | None, float, float | None]:
    """Greedy episodes: (success rate at the episode's end, mean return, mean final distance)."""
    successes: list[bool] = []
    distances: list[float] = []
    returns: list[float] = []
    for episode in range(episodes):
        observation, _ = environment.reset(seed=seed if episode == 0 else None)
        total, over, info = 0.0, False, {}
        while not over:
            observation, reward, terminated, truncated, info = environment.step(policy.action(observation))
            total, over = total + float(reward), terminated or truncated
        returns.append(total)
        if "success" in info:
            successes.append(bool(info["success"]))
            distances.append(float(info["distance"]))
        report({"episode": episode + 1, "return": total, "success": info.get("success")})
    rate = float(np.mean(successes)) if successes else None
    return rate, float(np.mean(returns)), float(np.mean(distances)) if distances else None
