"""Earlier observations and actions beside the newest observation. D, A sizes, k periods."""

from collections import deque
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from naf_robot.core.errors import ConfigError


class History(gymnasium.Wrapper):
    """Observes (o_t, o_{t-1}, ..., o_{t-k}, a_{t-1}, ..., a_{t-k}) of shape (D + k (D + A),).

    At the beginning of an episode the earlier observations are the first one, and the earlier actions zero. Against
    late readings it makes the world Markov again where k is at least the latency (Ibarz et al. 2021, section 4.8).

    Raises:
        ConfigError: observations or actions that are no one-dimensional Box.
    """

    def __init__(self, environment: gymnasium.Env, periods: int) -> None:
        super().__init__(environment)
        seen, done = environment.observation_space, environment.action_space
        for space in (seen, done):
            if not isinstance(space, gymnasium.spaces.Box) or len(space.shape) != 1:
                raise ConfigError(f"a history needs one-dimensional Boxes, got {space}")
        low, high = (
            np.concatenate([np.tile(getattr(seen, end), periods + 1), np.tile(getattr(done, end), periods)])
            for end in ("low", "high")
        )
        self.observation_space = gymnasium.spaces.Box(low.astype(np.float32), high.astype(np.float32))
        self._still = np.zeros(done.shape, np.float32)
        self._observations: deque[NDArray] = deque(maxlen=periods + 1)  # the newest first
        self._actions: deque[NDArray] = deque(maxlen=periods)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray, dict[str, Any]]:
        """Begin an episode with a history of its first observation."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._observations.extend([observation] * (self._observations.maxlen or 0))
        self._actions.extend([self._still] * (self._actions.maxlen or 0))
        return self._whole(), info

    def step(self, action: NDArray) -> tuple[NDArray, float, bool, bool, dict[str, Any]]:
        """One step; the action becomes the newest of the history."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._observations.appendleft(observation)
        self._actions.appendleft(np.asarray(action, np.float32))
        return self._whole(), float(reward), terminated, truncated, info

    def _whole(self) -> NDArray:
        return np.concatenate([*self._observations, *self._actions]).astype(np.float32)
