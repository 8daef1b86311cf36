"""Algorithms of Stable-Baselines3, sb3-contrib and SBX on our environments, in their own training loop.

Goals, evaluations and what ends the training are those of our own study.
"""

import importlib
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from naf_robot.core.errors import ConfigError
from naf_robot.core.seeding import derived_seed
from naf_robot.study.config import StudyConfig
from naf_robot.study.evaluations import evaluation_row, is_good
from naf_robot.study.gym_episodes import box_environment
from naf_robot.study.observations import Observations
from naf_robot.study.seeds import environments
from naf_robot.study.table4.contestants import LIBRARIES
from naf_robot.study.table4.protocol import Table4Cell

POLICY = "MlpPolicy"
MOST_STEPS = 2**31 - 1
DISTRIBUTIONS = {"sbx": "sbx-rl"}  # where its name is not the library's


class SeededEpisodes(gymnasium.Wrapper):
    """Episode k has the goal that it has in our own study of the same seed; rewards are times `scale`."""

    def __init__(self, environment: gymnasium.Env, seed: int, scale: float) -> None:
        super().__init__(environment)
        self._seed, self._scale, self._episode = derived_seed(seed, "reset"), scale, 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin the next episode, whatever seed is asked for."""
        self._episode += 1
        return self.env.reset(seed=self._seed + self._episode, options=options)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """One step with the reward scaled."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, float(reward) * self._scale, terminated, truncated, info


class ForeignPolicy:
    """Greedy actions of another library's model; implements `Acting`."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def reset(self) -> None:
        """Nothing is kept from step to step."""

    def act(self, observation: NDArray[np.float32]) -> NDArray[np.float32]:
        """The action (A,) for a flat observation (D,)."""
        action: NDArray[np.float32] = self._model.predict(observation, deterministic=True)[0]
        return action


class ForeignStudy:
    """One seed's training by another library.

    Raises:
        ConfigError: observations or actions that are not Boxes, or pictures.
    """

    def __init__(self, config: StudyConfig, settings: Table4Cell, library: str, seed: int) -> None:
        pair = environments(config)
        environment, self._held_out = (box_environment(each) for each in pair)
        observed = Observations(environment.observation_space)
        if observed.images or not isinstance(environment.observation_space, gymnasium.spaces.Box):
            raise ConfigError(f"{library} takes a flat Box as observation, got {environment.observation_space}")
        self._options, self._seed = config.options, seed
        keywords = dict(settings.keywords)
        if "action_noise" in keywords:
            keywords["action_noise"] = _noise(environment.action_space.shape[0], keywords["action_noise"])
        made = getattr(importlib.import_module(LIBRARIES[library].module), settings.class_name)
        training = SeededEpisodes(environment, seed, settings.reward_scale)
        policy = keywords.pop("policy", POLICY)
        self._model = made(policy, training, seed=seed, device="cpu", **keywords)
        self.policy = ForeignPolicy(self._model)
        self.version = version(DISTRIBUTIONS.get(library, library))
        self.rows: list[dict[str, Any]] = []
        self.episodes = self.env_steps = 0

    @property
    def updates(self) -> int:
        """Gradient updates by now."""
        return int(self._model._n_updates)

    def run(self, check: Callable[[], None]) -> None:
        """Train until it is over; `check` is called at the end of each episode."""

        def at_step(named: dict[str, Any], _: dict[str, Any]) -> bool:
            self.env_steps += 1
            if not named["dones"][0]:
                return True
            self.episodes += 1
            check()
            if self.episodes % self._options.evaluate_every == 0:
                self._evaluate()
            return self.episodes < self._options.episodes and not (self.rows and is_good(self.rows[-1], self._options))

        self._model.learn(MOST_STEPS, callback=at_step, log_interval=None)

    def _evaluate(self) -> None:
        before = self.rows[-1]["evaluation_episodes"] if self.rows else 0
        progress = (self.episodes, self.env_steps, self.updates)
        self.rows.append(evaluation_row(self._held_out, self.policy, self._options, self._seed, progress, before))


def _noise(actions: int, deviation: float) -> Any:
    """Normal noise on each of `actions` components."""
    noise = importlib.import_module("stable_baselines3.common.noise")
    return noise.NormalActionNoise(np.zeros(actions), np.full(actions, deviation))
