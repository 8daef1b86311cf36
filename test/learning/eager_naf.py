"""NAF as one would write it first (modules, autograd, `torch.optim.Adam`): yardstick of tests and benchmarks."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from naf_robot.learning.naf.config import NafConfig
from naf_robot.learning.naf.learner import NafLearner
from naf_robot.learning.triangle import triangle_indices


class Network(nn.Module):
    def __init__(self, config: NafConfig, inputs: int, outputs: int) -> None:
        super().__init__()
        batch = config.variant == "cross_normalised"
        sizes = (inputs, *config.hidden)
        layers: list[nn.Module] = [nn.BatchNorm1d(inputs, momentum=config.batch_norm_momentum, affine=False)] * batch
        for before, after in pairwise(sizes):
            layers.append(nn.Linear(before, after, bias=not batch))
            if batch:
                layers.append(nn.BatchNorm1d(after, momentum=config.batch_norm_momentum))
            elif config.layer_norm:
                layers.append(nn.LayerNorm(after))
            layers.append(nn.ReLU())
        self.hidden = nn.Sequential(*layers)
        self.head = nn.Linear(sizes[-1], outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.hidden(x))


class EagerNaf:
    def __init__(self, config: NafConfig, observation_size: int, action_size: int) -> None:
        self.config, self.action_size = config, action_size
        self.rows, self.columns = triangle_indices(action_size)
        outputs = (action_size, len(self.rows), 1)
        self.networks = nn.ModuleList(Network(config, observation_size, size) for size in outputs)
        self.target_value = Network(config, observation_size, 1)
        self.target_value.load_state_dict(self.networks[2].state_dict())
        self.optimiser = torch.optim.Adam(
            self.networks.parameters(), lr=config.learning_rate, betas=(config.first_moment_decay, config.beta2)
        )

    def to(self, device: str) -> "EagerNaf":
        self.networks.to(device)
        self.target_value.to(device)
        return self

    def copy_from(self, learner: NafLearner) -> None:
        with torch.no_grad():
            for k, network in enumerate(self.networks):
                layers, (weight, bias) = learner.parameters.network(k)
                network.head.weight.copy_(weight.T)
                network.head.bias.copy_(bias)
                affine = iter([m for m in network.hidden if isinstance(m, nn.Linear)])
                norms = iter(
                    [m for m in network.hidden if isinstance(m, nn.BatchNorm1d | nn.LayerNorm) and m.weight is not None]
                )
                for layer in layers:
                    linear = next(affine)
                    linear.weight.copy_(layer["w"].T)
                    if "b" in layer:
                        linear.bias.copy_(layer["b"])
                    if "g" in layer:
                        norm = next(norms)
                        norm.weight.copy_(layer["g"])
                        norm.bias.copy_(layer["c"])
        self.target_value.load_state_dict(self.networks[2].state_dict())

    def q(self, outputs: list[Tensor], action: Tensor) -> Tensor:
        raw_mu, raw_triangle, value = outputs
        mu = torch.tanh(raw_mu)
        limit, size = self.config.log_diagonal_limit, self.action_size
        triangle = torch.zeros(len(action), size, size, dtype=action.dtype, device=action.device)
        diagonal = torch.exp(limit * torch.tanh(raw_triangle[:, :size] / limit))
        triangle[:, self.rows, self.columns] = torch.cat((diagonal, raw_triangle[:, size:]), dim=1)
        precision = triangle @ triangle.transpose(1, 2)
        difference = (action - mu).unsqueeze(2)
        advantage = -0.5 * (difference.transpose(1, 2) @ precision @ difference).view(-1)
        return value.squeeze(1) + advantage

    def loss(self, observations: Tensor, outcomes: Tensor) -> Tensor:
        """Observations (2, B, D), outcomes (B, A + 3)."""
        count, size = observations.shape[1], self.action_size
        if self.config.variant == "cross_normalised":
            joint = [network(observations.flatten(0, 1)) for network in self.networks]
            outputs, next_value = [out[:count] for out in joint], joint[2][count:].detach().squeeze(1)
        else:
            outputs = [network(observations[0]) for network in self.networks]
            with torch.no_grad():
                next_value = self.target_value(observations[1]).squeeze(1)
        reward, terminated, truncated = outcomes[:, size], outcomes[:, size + 1], outcomes[:, size + 2]
        ended = torch.maximum(terminated, truncated) if self.config.time_limit_is_terminal else terminated
        target = reward + self.config.discount * (1.0 - ended) * next_value
        return torch.mean((self.q(outputs, outcomes[:, :size]) - target) ** 2)

    def step(self, observations: Tensor, outcomes: Tensor) -> None:
        self.optimiser.zero_grad()
        self.loss(observations, outcomes).backward()
        nn.utils.clip_grad_norm_(self.networks.parameters(), self.config.gradient_norm_limit)
        self.optimiser.step()
        if self.config.variant == "plain":
            with torch.no_grad():
                pairs = zip(self.target_value.parameters(), self.networks[2].parameters(), strict=True)
                for slow, fast in pairs:
                    slow.lerp_(fast, self.config.tau)
