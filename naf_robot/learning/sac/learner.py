"""SAC's learner."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from naf_robot.learning.autograd_learner import AutogradLearner, Batch
from naf_robot.learning.bellman import bootstrap_factor, td_target
from naf_robot.learning.sac import losses
from naf_robot.learning.sac.config import SacConfig
from naf_robot.learning.sac.networks import Gaussian, Temperature, TwinCritic
from naf_robot.learning.sac.policy import policy_arrays


class SacLearner(AutogradLearner[SacConfig]):
    """Twin critics, a Gaussian actor and a temperature that holds its entropy.

    Collectors act on the mean and add their own noise; the Gaussian serves training only.
    """

    def _acting_arrays(self) -> dict[str, NDArray[np.float32]]:
        """The newest policy."""
        return policy_arrays(self.actor)

    def _make_networks(self, observation_size: int, action_size: int, generator: torch.Generator) -> None:
        config = self.config
        self._target_entropy = config.target_entropy_per_action * action_size
        self.actor = Gaussian(observation_size, action_size, config.hidden, generator)
        self.critic = TwinCritic(observation_size, action_size, config.hidden, generator)
        self.temperature = Temperature(config.initial_temperature)
        self.add_network("actor", self.actor, config.learning_rate)
        self.add_network("critic", self.critic, config.learning_rate, target=True)
        self.add_network("temperature", self.temperature, config.learning_rate)

    def _draw(self, observation: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """An action, its log probability, and the mean before tanh."""
        mean, log_deviation = self.actor(observation)
        normal = torch.randn(mean.shape, generator=self.generator, device=self.device)
        return *losses.squash(mean, log_deviation, normal), mean

    def _gradient_step(self, batch: Batch) -> dict[str, float]:
        config, temperature = self.config, self.temperature.log.detach().exp()
        with torch.no_grad():
            next_action, next_log, _ = self._draw(batch.next_observation)
            next_q = self.targets["critic"](batch.next_observation, next_action)
            factor = bootstrap_factor(batch.terminated, batch.truncated, config.discount, config.time_limit_is_terminal)
            target = td_target(batch.reward, factor, losses.soft_value(next_q, next_log, temperature))
        q = self.critic(batch.observation, batch.action)
        loss = losses.critic_loss(q, target)
        skipped = self.minimise("critic", loss)
        metrics: dict[str, float] = {}
        observation = batch.observation.detach()  # the critic's loss alone moves an encoder
        action, log_probability, mean = self._draw(observation)
        actor_loss = -losses.soft_value(self.critic(observation, action), log_probability, temperature).mean()
        skipped += self.minimise("actor", batch.with_cloning(actor_loss, torch.tanh(mean), metrics))
        entropy_loss = losses.temperature_loss(self.temperature.log, log_probability, self._target_entropy)
        skipped += self.minimise("temperature", entropy_loss)
        return metrics | {
            "loss": float(loss.detach()),
            "q_mean": float(q.detach().mean()),
            "actor_loss": float(actor_loss.detach()),
            "entropy": -float(log_probability.detach().mean()),
            "temperature": float(temperature),
            "skipped_updates": skipped,
        }
