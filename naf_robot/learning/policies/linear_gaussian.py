"""Time-varying linear-Gaussian policies, kind `linear_gaussian`: what guided policy search acts with. Numpy only.

Published format: gains `K` (T, A, D), offsets `k` (T, A) and `cholesky` (T, A, A), the lower-triangular Cholesky
factor of the covariance. At step t of an episode, with n ~ N(0, I):

    u = clip(K_t x + k_t + C_t n, -1, 1),   covariance = C_t C_tᵀ

An episode that is longer than T goes on with the last step's; T = 1 is a policy that does not change in time.
T steps, A action size, D observation size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from naf_robot.core.errors import NafRobotError
from naf_robot.learning.exploration import Exploration, ExplorationSchedule, StandardNormal
from naf_robot.learning.policies.registry import LINEAR_GAUSSIAN
from naf_robot.learning.policy import Pictures, checked_action, checked_observation

NAMES = ("K", "k", "cholesky")


class LinearGaussianPolicy:
    """u ~ N(K_t x + k_t, C_t C_tᵀ), clipped to [-1, 1]; greedy is the mean, exploring its own covariance."""

    kind: ClassVar[str] = LINEAR_GAUSSIAN

    def __init__(self, gains: NDArray[np.float32], offsets: NDArray[np.float32], cholesky: NDArray[np.float32]) -> None:
        self._gains, self._offsets, self._cholesky = gains, offsets, cholesky
        self.pictures: dict[str, tuple[int, ...]] = {}
        self.steps, self.action_size, self.observation_size = gains.shape
        self._step = 0

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float32]]) -> LinearGaussianPolicy:
        """Build a policy from published arrays; they are copied.

        Raises:
            NafRobotError: an array that is missing, unknown, misshapen or not finite, or a `cholesky` that is not
                lower triangular with a diagonal of at least zero.
        """
        if set(arrays) != set(NAMES):
            raise NafRobotError(f"a linear_gaussian policy has the arrays {', '.join(NAMES)}; got {sorted(arrays)}")
        gains, offsets, cholesky = (np.array(arrays[name], np.float32) for name in NAMES)
        steps, actions, _ = gains.shape if gains.ndim == 3 and gains.size else (0, 0, 0)
        if not steps or offsets.shape != (steps, actions) or cholesky.shape != (steps, actions, actions):
            raise NafRobotError(
                "a linear_gaussian policy needs K (T, A, D), k (T, A) and cholesky (T, A, A), "
                f"got {gains.shape}, {offsets.shape} and {cholesky.shape}"
            )
        for name, array in zip(NAMES, (gains, offsets, cholesky), strict=True):
            if not np.isfinite(array).all():
                raise NafRobotError(f"policy array {name} holds values that are not finite")
        if np.triu(cholesky, 1).any() or np.diagonal(cholesky, axis1=1, axis2=2).min() < 0.0:
            raise NafRobotError("policy array cholesky must be lower triangular with a diagonal of at least zero")
        return cls(gains, offsets, cholesky)

    @classmethod
    def from_covariance(cls, gains: ArrayLike, offsets: ArrayLike, covariance: ArrayLike) -> LinearGaussianPolicy:
        """Build a policy from K (T, A, D), k (T, A) and positive definite covariances (T, A, A).

        Raises:
            NafRobotError: as `from_arrays`, or a covariance that is not positive definite.
        """
        try:
            cholesky = np.linalg.cholesky(np.asarray(covariance, np.float64))
        except np.linalg.LinAlgError:
            raise NafRobotError("every covariance of a linear_gaussian policy must be positive definite") from None
        arrays = [np.asarray(array, np.float32) for array in (gains, offsets, cholesky)]
        return cls.from_arrays(dict(zip(NAMES, arrays, strict=True)))

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The arrays that `from_arrays` reads; copies."""
        own = (self._gains, self._offsets, self._cholesky)
        return {name: array.copy() for name, array in zip(NAMES, own, strict=True)}

    def exploration(self, schedule: ExplorationSchedule, generator: np.random.Generator) -> StandardNormal:
        """Standard normal numbers, which the covariance scales."""
        return StandardNormal(schedule, self.action_size, generator)

    def reset(self) -> None:
        """Back to the first step."""
        self._step = 0

    def act(
        self, observation: ArrayLike, exploration: Exploration | None = None, pictures: Pictures | None = None
    ) -> NDArray[np.float32]:
        """The mean of this step, or a sample around it, clipped to [-1, 1]; the next call is the next step.

        Raises:
            NafRobotError: as `action`.
        """
        mean, step = self._mean(observation), self._now
        self._step += 1
        if exploration is not None:
            mean = mean + self._cholesky[step] @ exploration.sample()
        clipped: NDArray[np.float32] = np.clip(checked_action(mean), -1.0, 1.0)
        return clipped

    def action(self, observation: ArrayLike, pictures: Pictures | None = None) -> NDArray[np.float32]:
        """The mean of this step, shape `(A,)`, clipped to [-1, 1], for `observation`, shape `(D,)`.

        Raises:
            NafRobotError: an observation of another shape or not finite, or an action that is not finite.
        """
        clipped: NDArray[np.float32] = np.clip(checked_action(self._mean(observation)), -1.0, 1.0)
        return clipped

    @property
    def _now(self) -> int:
        return min(self._step, self.steps - 1)

    def _mean(self, observation: ArrayLike) -> NDArray[np.float32]:
        x, step = checked_observation(observation, self.observation_size), self._now
        mean: NDArray[np.float32] = self._gains[step] @ x + self._offsets[step]
        return mean
