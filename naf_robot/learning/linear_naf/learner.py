"""Linear-NAF's learner."""

import numpy as np
import torch
from numpy.typing import NDArray

from naf_robot.learning.autograd_learner import AutogradLearner, Batch
from naf_robot.learning.bellman import bootstrap_factor, td_target
from naf_robot.learning.linear_naf import losses
from naf_robot.learning.linear_naf.config import LinearNafConfig
from naf_robot.learning.linear_naf.networks import LinearNaf
from naf_robot.learning.linear_naf.policy import policy_arrays


class LinearNafLearner(AutogradLearner[LinearNafConfig]):
    """Q-learning with a linear policy and a quadratic value."""

    def _acting_arrays(self) -> dict[str, NDArray[np.float32]]:
        """The newest policy."""
        return policy_arrays(self.network)

    def _make_networks(self, observation_size: int, action_size: int, generator: torch.Generator) -> None:
        self.network = LinearNaf(observation_size, action_size, generator)
        self.add_network("q", self.network, self.config.learning_rate, target=True)

    def _gradient_step(self, batch: Batch) -> dict[str, float]:
        config, network = self.config, self.network
        with torch.no_grad():
            factor = bootstrap_factor(batch.terminated, batch.truncated, config.discount, config.time_limit_is_terminal)
            target_network = self.targets["q"]
            assert isinstance(target_network, LinearNaf)
            target = td_target(batch.reward, factor, target_network.value(batch.next_observation))
        mu = torch.tanh(network.mu(batch.observation))
        advantage = losses.quadratic_advantage(mu, network.triangle, batch.action, config.log_diagonal_limit)
        q = network.value(batch.observation) + advantage
        loss = losses.bellman_loss(q, target)
        metrics = {"loss": float(loss.detach()), "q_mean": float(q.detach().mean())}
        skipped = self.minimise("q", batch.with_cloning(loss, mu, metrics))
        return metrics | {"skipped_updates": skipped}
