"""DDPG's actor and critic. D observation, A action, N rows."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from naf_robot.learning.autograd_learner import seeded_linear


class Actor(nn.Module):
    """µ(x) = tanh of a ReLU network, (N, D) to (N, A)."""

    def __init__(self, sizes: Sequence[int], generator: torch.Generator) -> None:
        super().__init__()
        self.layers = nn.ModuleList(seeded_linear(*pair, generator) for pair in pairwise(sizes))

    def forward(self, x: Tensor) -> Tensor:
        """The action in [-1, 1]."""
        *hidden, last = self.layers
        for layer in hidden:
            x = torch.relu(layer(x))
        return torch.tanh(last(x))


class Critic(nn.Module):
    """Q(x, u): the action enters at the second hidden layer (Gu et al. 2016b, section IV-C)."""

    def __init__(
        self, observation_size: int, action_size: int, hidden: Sequence[int], generator: torch.Generator
    ) -> None:
        super().__init__()
        self.first = seeded_linear(observation_size, hidden[0], generator)
        sizes = (hidden[0] + action_size, *hidden[1:], 1)
        self.layers = nn.ModuleList(seeded_linear(*pair, generator) for pair in pairwise(sizes))

    def forward(self, x: Tensor, action: Tensor) -> Tensor:
        """The value of `action` in `x`, shape (N,)."""
        x = torch.cat((torch.relu(self.first(x)), action), dim=1)
        *hidden, last = self.layers
        for layer in hidden:
            x = torch.relu(layer(x))
        output: Tensor = last(x)
        return output.squeeze(1)
