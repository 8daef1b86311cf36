"""Episodes in Gymnasium environments with Box observations and actions: exploring ones and greedy ones."""

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from naf_robot.core.errors import ConfigError
from naf_robot.core.records import TransitionBatch, stack
from naf_robot.learning.behaviour import BehaviourPolicy
from naf_robot.learning.policy import Policy

Report = Callable[[dict[str, Any]], None]


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


def explore(
    environment: gymnasium.Env, behaviour: BehaviourPolicy, episode: int, seed: int
) -> Iterator[TransitionBatch]:
    """One exploring episode of `behaviour`, transition by transition, goals drawn from `seed`."""
    behaviour.reset()
    observation, _ = environment.reset(seed=seed)
    over, step = False, 0
    while not over:
        requested = behaviour.act(observation, greedy=False)
        following, reward, terminated, truncated, info = environment.step(requested)
        executed = info.get("executed_action", requested)
        yield _one_transition(
            observation,
            executed,
            requested,
            float(reward),
            following,
            terminated,
            truncated,
            episode,
            step,
            bool(info.get("success", False)),
        )
        observation, over, step = following, terminated or truncated, step + 1


def evaluate(
    environment: gymnasium.Env, policy: Policy, episodes: int, seed: int, report: Report = lambda row: None
) -> tuple[float | None, float, float | None]:
    """Greedy episodes: (success rate at the episode's end, mean return, mean final distance)."""
    successes: list[bool] = []
    distances: list[float] = []
    returns: list[float] = []
    for episode in range(episodes):
        observation, _ = environment.reset(seed=seed if episode == 0 else None)
        policy.reset()
        total, over, info = 0.0, False, {}
        while not over:
            observation, reward, terminated, truncated, info = environment.step(policy.act(observation))
            total, over = total + float(reward), terminated or truncated
        returns.append(total)
        if "success" in info:
            successes.append(bool(info["success"]))
            distances.append(float(info["distance"]))
        report({"episode": episode + 1, "return": total, "success": info.get("success")})
    rate = float(np.mean(successes)) if successes else None
    return rate, float(np.mean(returns)), float(np.mean(distances)) if distances else None


def _one_transition(
    observation: NDArray,
    executed: NDArray,
    requested: NDArray,
    reward: float,
    following: NDArray,
    terminated: bool,
    truncated: bool,
    episode: int,
    step: int,
    success: bool,
) -> TransitionBatch:
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
                "success": success,
                "stamp_s": 0.0,
            }
        ]
    )
