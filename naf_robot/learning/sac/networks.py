"""SAC's networks. D observation, A action, N rows."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from naf_robot.learning.autograd_learner import seeded_linear


class Gaussian(nn.Module):
    """A ReLU network with two heads, mean and log deviation of a Gaussian before tanh, each (N, A)."""

    def __init__(
        self, observation_size: int, action_size: int, hidden: Sequence[int], generator: torch.Generator
    ) -> None:
        super().__init__()
        sizes = (observation_size, *hidden)
        self.layers = nn.ModuleList(seeded_linear(*pair, generator) for pair in pairwise(sizes))
        self.mean = seeded_linear(sizes[-1], action_size, generator)
        self.log_deviation = seeded_linear(sizes[-1], action_size, generator)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log deviation, the latter held within [-20, 2]."""
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.mean(x), self.log_deviation(x).clamp(-20.0, 2.0)


class TwinCritic(nn.Module):
    """Two independent Q(x, u); their minimum guards against overestimation."""

    def __init__(
        self, observation_size: int, action_size: int, hidden: Sequence[int], generator: torch.Generator
    ) -> None:
        super().__init__()
        sizes = (observation_size + action_size, *hidden, 1)
        self.twins = nn.ModuleList(
            nn.ModuleList(seeded_linear(*pair, generator) for pair in pairwise(sizes)) for _ in range(2)
        )

    def forward(self, x: Tensor, action: Tensor) -> Tensor:
        """Both values, shape (2, N)."""
        values = []
        for twin in self.twins:
            assert isinstance(twin, nn.ModuleList)
            *hidden, last = twin
            y = torch.cat((x, action), dim=1)
            for layer in hidden:
                y = torch.relu(layer(y))
            values.append(last(y).squeeze(1))
        return torch.stack(values)


class Temperature(nn.Module):
    """The weight of the entropy, kept positive by its logarithm."""

    def __init__(self, initial: float) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.tensor(initial).log())
