"""DDPG's learner."""

import numpy as np
import torch
from numpy.typing import NDArray

from naf_robot.learning.autograd_learner import AutogradLearner, Batch
from naf_robot.learning.bellman import bootstrap_factor, td_target
from naf_robot.learning.ddpg import losses
from naf_robot.learning.ddpg.config import DdpgConfig
from naf_robot.learning.ddpg.networks import Actor, Critic
from naf_robot.learning.ddpg.policy import policy_arrays


class DdpgLearner(AutogradLearner[DdpgConfig]):
    """A critic of the current policy, and an actor that maximises it."""

    def _acting_arrays(self) -> dict[str, NDArray[np.float32]]:
        """The newest policy."""
        return policy_arrays(self.actor)

    def _make_networks(self, observation_size: int, action_size: int, generator: torch.Generator) -> None:
        config = self.config
        self.actor = Actor((observation_size, *config.hidden, action_size), generator)
        self.critic = Critic(observation_size, action_size, config.hidden, generator)
        self.add_network("actor", self.actor, config.actor_learning_rate, target=True)
        self.add_network("critic", self.critic, config.critic_learning_rate, target=True)

    def _gradient_step(self, batch: Batch) -> dict[str, float]:
        config = self.config
        with torch.no_grad():
            next_action = self.targets["actor"](batch.next_observation)
            next_value = self.targets["critic"](batch.next_observation, next_action)
            factor = bootstrap_factor(batch.terminated, batch.truncated, config.discount, config.time_limit_is_terminal)
            target = td_target(batch.reward, factor, next_value)
        q = self.critic(batch.observation, batch.action)
        loss = losses.critic_loss(q, target)
        skipped = self.minimise("critic", loss)
        metrics: dict[str, float] = {}
        observation = batch.observation.detach()  # the critic's loss alone moves an encoder
        mu = self.actor(observation)
        actor_loss = losses.actor_loss(self.critic(observation, mu))
        skipped += self.minimise("actor", batch.with_cloning(actor_loss, mu, metrics))
        return metrics | {
            "loss": float(loss.detach()),
            "q_mean": float(q.detach().mean()),
            "actor_loss": float(actor_loss.detach()),
            "skipped_updates": skipped,
        }
