"""How exploring episodes depart from the greedy action. Numpy only: collectors load this.

The collector sets the scale for each episode (`ExplorationSchedule`); the policy's kind gives the random numbers
of each step (`Exploration`). A action size; actions lie in the box [-1, 1].
"""

from collections import deque
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.config import Config
from naf_robot.core.types import FractionBelowOne, NonNegativeFloat, PositiveFraction, PositiveInt


class ExplorationConfig(Config, frozen=True):
    """How a collector departs from its policy."""

    kind: Literal["ornstein_uhlenbeck", "white", "none"] = "ornstein_uhlenbeck"  # kind of noise on the action
    theta: PositiveFraction = 0.15  # fraction of the deviation that decays per step; 1 is white noise
    scale: NonNegativeFloat = 0.3  # stationary standard deviation, in units of the action box
    final_scale: NonNegativeFloat | None = None  # the same once episodes succeed; unset: always `scale`
    final_scale_success: PositiveFraction = 0.8  # success rate from which on the scale is `final_scale`
    window: PositiveInt = 10  # newest exploring episodes over which successes are counted
    noise_free_fraction: FractionBelowOne = 0.0  # fraction of an episode without noise, once episodes succeed
    mean_burst_steps: PositiveInt = 30  # mean length of a period with noise


class ExplorationSchedule:
    """How strongly a collector explores, by the success of its newest exploring episodes.

    With a `final_scale` the scale of an episode follows the success of those before it, linearly from
    `scale` without any to `final_scale`: strong while there is a skill to be found, weak
    when it is to be refined, and strong again when it is lost.
    """

    def __init__(self, config: ExplorationConfig) -> None:
        self.config = config
        self.outcomes: deque[bool] = deque(maxlen=config.window)  # success of the newest episodes

    @property
    def settled(self) -> float:
        """How far success has come, in [0, 1]: the newest episodes' share of it over `final_scale_success`."""
        if not self.outcomes:
            return 0.0
        return min(1.0, sum(self.outcomes) / len(self.outcomes) / self.config.final_scale_success)

    @property
    def scale(self) -> float:
        """Of the next exploring episode, in units of the action box."""
        config = self.config
        if config.kind == "none":
            return 0.0
        if config.final_scale is None:
            return config.scale
        return config.scale + self.settled * (config.final_scale - config.scale)

    def note(self, success: bool) -> None:
        """How an exploring episode ended."""
        self.outcomes.append(success)


class Exploration(Protocol):
    """What one kind of policy explores with: random numbers, step by step."""

    @property
    def next_scale(self) -> float:
        """Scale of the next episode, for display: in units of the action box, or of the policy's own deviation."""
        ...

    def reset(self) -> None:
        """An exploring or greedy episode begins."""
        ...

    def sample(self) -> NDArray[np.float32]:
        """The next random vector, shape `(A,)`."""
        ...


class StandardNormal:
    """Independent standard normal numbers, for kinds whose policy has a covariance of its own.

    With the exploration kind `none` they are zero. The schedule's scale does not apply: actions must follow the
    distribution that the policy states.
    """

    def __init__(self, schedule: ExplorationSchedule, action_size: int, generator: np.random.Generator) -> None:
        self._active = schedule.config.kind != "none"
        self._size, self._generator = action_size, generator

    @property
    def next_scale(self) -> float:
        """In units of the policy's own deviation."""
        return 1.0 if self._active else 0.0

    def reset(self) -> None:
        """Nothing is carried from episode to episode."""

    def sample(self) -> NDArray[np.float32]:
        """The next vector, shape `(A,)`."""
        if not self._active:
            return np.zeros(self._size, np.float32)
        return self._generator.standard_normal(self._size, dtype=np.float32)


class OrnsteinUhlenbeck:
    """Temporally correlated noise, restarted each episode (Gu et al. 2016, Algorithm 1).

    n_{t+1} = (1 - theta) n_t + sigma e_t with e_t ~ N(0, I) and sigma = scale * sqrt(1 - (1 - theta)^2),
    so that `scale` is the stationary standard deviation whatever the correlation time. The first
    sample after `reset` is drawn from the stationary distribution.

    Its scale is fixed at `reset` by the schedule.

    With a `noise_free_fraction` the noise comes, as success grows, in stretches of random length, begun and ended
    by chance at every step, and the policy acts alone between them (within an episode, as in
    Pislar et al. 2022). So episodes explore from where the policy itself would come to stand, which
    steady noise never lets it. Before the first success the noise is steady.
    """

    def __init__(self, schedule: ExplorationSchedule, action_size: int, generator: np.random.Generator) -> None:
        config = schedule.config
        self._schedule, self._config = schedule, config
        decay = {"ornstein_uhlenbeck": 1.0 - config.theta, "white": 0.0, "none": 0.0}[config.kind]
        self._decay = decay
        self._innovation = np.sqrt(1.0 - decay**2)
        self._generator = generator
        self._noise: NDArray[np.float32] | None = None
        self.action_size = action_size
        self._scale = self.next_scale
        self._pause_share = 0.0  # of this episode
        self._paused: bool | None = None  # None: before the first step

    @property
    def next_scale(self) -> float:
        """Standard deviation of the noise after the next `reset`, in units of the action box."""
        return self._schedule.scale

    def reset(self) -> None:
        """Forget the past: call at the start of each episode."""
        self._noise = None
        self._scale = self.next_scale
        self._pause_share = self._config.noise_free_fraction * self._schedule.settled
        self._paused = None

    def sample(self) -> NDArray[np.float32]:
        """The next noise vector, shape `(A,)`, to be added to an action in [-1, 1]."""
        normal = self._generator.standard_normal(self.action_size, dtype=np.float32)
        if self._noise is None:
            self._noise = normal
        else:
            self._noise = (self._decay * self._noise + self._innovation * normal).astype(np.float32)
        if self._pause_share and self._pauses():
            return np.zeros_like(self._noise)
        return (self._scale * self._noise).astype(np.float32)

    def _pauses(self) -> bool:
        """Whether this step is one without noise; the two probabilities of change keep to the share."""
        share, draw = self._pause_share, self._generator.random()
        if self._paused is None:
            self._paused = draw < share
            return self._paused
        begins = 1.0 / self._config.mean_burst_steps
        change = begins * (1.0 - share) / share if self._paused else begins
        self._paused ^= draw < change
        return self._paused
