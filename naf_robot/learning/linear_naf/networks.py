"""Linear-NAF's Q function. D observation, A action, N rows."""

import torch
from torch import Tensor, nn

from naf_robot.learning.autograd_learner import seeded_linear


class LinearNaf(nn.Module):
    """Q(x, u) = -½ (u - µ)ᵀ P (u - µ) + xᵀBx + xᵀb + c with µ = tanh(k + Kx) (Gu et al. 2016b, section IV-C).

    P = L Lᵀ does not depend on x. The paper prints +½; equation 1 and the sense of a maximum want -½.
    """

    def __init__(self, observation_size: int, action_size: int, generator: torch.Generator) -> None:
        super().__init__()
        self.mu = seeded_linear(observation_size, action_size, generator)
        self.triangle = nn.Parameter(torch.zeros(action_size * (action_size + 1) // 2))  # P = I at the start
        self.value_square = nn.Parameter(torch.zeros(observation_size, observation_size))
        self.value_linear = nn.Linear(observation_size, 1)
        nn.init.zeros_(self.value_linear.weight)
        nn.init.zeros_(self.value_linear.bias)

    def value(self, observation: Tensor) -> Tensor:
        """V(x), shape (N,)."""
        square = ((observation @ self.value_square) * observation).sum(1)
        return square + self.value_linear(observation).squeeze(1)
