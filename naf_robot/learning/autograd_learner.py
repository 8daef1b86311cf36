"""What the baselines share: modules trained by autograd and Adam, with target copies that follow. Plain, not fast.

B batch, D observation, A action.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from naf_robot.core.array_spec import ArraySpec
from naf_robot.learning.cloning import Cloning, cloning_loss
from naf_robot.learning.learner_state import load_arrays, state_arrays
from naf_robot.learning.policies.registry import MLP, VISION
from naf_robot.learning.ramp import Pairs
from naf_robot.learning.replay_buffer import REWARD, TERMINATED, TRUNCATED
from naf_robot.learning.sources import Batches, PictureBatches
from naf_robot.learning.vision.augmentation import augmented
from naf_robot.learning.vision.config import EncoderConfig
from naf_robot.learning.vision.encoder import Encoder


class Batch:
    """One batch: observation and next_observation (B, D), action (B, A), reward, terminated, truncated (B,).

    `demonstrated` (B,) marks by 1 the rows that are cloned with `cloning_weight`; None where none are.
    """

    def __init__(
        self, observations: Tensor, outcomes: Tensor, demonstrated: Tensor | None = None, cloning_weight: float = 0.0
    ) -> None:
        self.observation, self.next_observation = observations.unbind(0)
        self.action = outcomes[:, :REWARD]
        self.reward, self.terminated, self.truncated = (outcomes[:, i] for i in (REWARD, TERMINATED, TRUNCATED))
        self._demonstrated, self._cloning_weight = demonstrated, cloning_weight

    def with_cloning(self, loss: Tensor, mu: Tensor, metrics: dict[str, float]) -> Tensor:
        """`loss` of a policy whose actions are `mu` (B, A), with the weighted cloning term if there is one."""
        metrics["cloning_loss"] = 0.0
        if self._demonstrated is None:
            return loss
        term = self._cloning_weight * cloning_loss(mu, self.action, self._demonstrated)
        metrics["cloning_loss"] = float(term.detach())
        return loss + term


class BaselineConfig(Protocol):
    """What every baseline's configuration has."""

    @property
    def batch_size(self) -> int:
        """Transitions per update."""
        ...

    @property
    def tau(self) -> float:
        """Step of the target networks."""
        ...

    @property
    def encoder(self) -> EncoderConfig:
        """Of pictures."""
        ...

    @property
    def cloning_weight(self) -> float | Pairs:
        """Weight of behaviour cloning, 0 or a ramp."""
        ...


ConfigT = TypeVar("ConfigT", bound=BaselineConfig)


class AutogradLearner(ABC, Generic[ConfigT]):
    """Base of the baselines: a subclass gives `_make_networks`, `_gradient_step` and `_acting_arrays`."""

    policy_kind = MLP

    def __init__(
        self,
        config: ConfigT,
        observation_size: int,
        action_size: int,
        replay: Batches,
        seed: int,
        device: str = "cpu",
        images: Sequence[ArraySpec] = (),
    ) -> None:
        self.config, self.replay, self.updates = config, replay, 0
        self._cloning = Cloning(config.cloning_weight, replay)
        self.device = torch.device(device)
        self.generator = torch.Generator(self.device).manual_seed(seed + 1)
        self.networks = nn.ModuleDict()
        self.targets = nn.ModuleDict()  # by name, slow copies of some of the networks
        self.optimisers: dict[str, torch.optim.Adam] = {}
        self.encoder: Encoder | None = None
        if images:
            self.policy_kind = VISION
            self.encoder = Encoder(config.encoder, images, torch.Generator().manual_seed(seed + 2))
            self.add_network("encoder", self.encoder, config.encoder.learning_rate)
            observation_size += self.encoder.size
        self._make_networks(observation_size, action_size, torch.Generator().manual_seed(seed))

    def add_network(self, name: str, network: nn.Module, learning_rate: float, target: bool = False) -> None:
        """Register a network with an optimiser of its own and, if wanted, a target copy."""
        self.networks[name] = network.to(self.device)
        if target:
            self.targets[name] = copy.deepcopy(network).requires_grad_(False)
        optimiser = self.optimisers[name] = torch.optim.Adam(network.parameters(), lr=learning_rate)
        for parameter in network.parameters():  # now, not at the first step, so that `state` always has them
            moments = {key: torch.zeros_like(parameter) for key in ("exp_avg", "exp_avg_sq")}
            optimiser.state[parameter] = {"step": torch.zeros(()), **moments}

    def update(self, count: int) -> dict[str, float]:
        """Take `count` gradient steps; metrics are means over them, `skipped_updates` a number."""
        total: dict[str, float] = {"skipped_updates": 0.0}
        for done in range(count):
            observations, outcomes = self._draw_batch()
            batch = Batch(observations, outcomes)
            if self._cloning.is_active:
                rows = self._cloning.rows()[0].to(self.device)
                batch = Batch(observations, outcomes, rows, self._cloning.weight(self.updates + done))
            for name, value in self._gradient_step(batch).items():
                total[name] = total.get(name, 0.0) + value
            if self.encoder is not None:
                total["skipped_updates"] += self._step("encoder")
            self._follow()
        self.updates += count
        return {name: value if name == "skipped_updates" else value / max(1, count) for name, value in total.items()}

    def minimise(self, name: str, loss: Tensor) -> float:
        """One Adam step of network `name` down `loss`; a step that is not finite is left out. Returns 1 if it was."""
        self.optimisers[name].zero_grad()
        loss.backward()
        return self._step(name)

    def _step(self, name: str) -> float:
        """One Adam step of network `name` down its gradient, which is then cleared; 1 if it is not finite."""
        norm = nn.utils.get_total_norm([p.grad for p in self.networks[name].parameters() if p.grad is not None])
        if not torch.isfinite(norm):
            self.optimisers[name].zero_grad()
            return 1.0
        self.optimisers[name].step()
        self.optimisers[name].zero_grad()
        return 0.0

    def _draw_batch(self) -> tuple[Tensor, Tensor]:
        """Observations (2, B, D), with pictures (2, B, D + F), and outcomes (B, A + 3).

        The features of the observations carry a gradient to the encoder, which only the critic's loss uses; those of
        the successors do not.
        """
        if self.encoder is None:
            observations, outcomes = self.replay.sample(1, self.config.batch_size, self.generator)
            return observations[0], outcomes[0]
        assert isinstance(self.replay, PictureBatches)
        observations, outcomes, pictures = self.replay.sample_images(1, self.config.batch_size, self.generator)
        seen = {name: augmented(a.flatten(0, 2), self.config.encoder, self.generator) for name, a in pictures.items()}
        count = observations.shape[2]
        features = self.encoder({name: array[:count] for name, array in seen.items()})
        with torch.no_grad():
            next_features = self.encoder({name: array[count:] for name, array in seen.items()})
        return torch.cat((observations[0], torch.stack((features, next_features))), dim=2), outcomes[0]

    def state(self) -> dict[str, NDArray]:
        """Networks, targets, Adam's moments, counters and random state; copies."""
        return state_arrays(self._tensors(), self.generator, self.updates)

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Go on bit for bit from `state`; nothing changes if an array does not fit."""
        self.updates = load_arrays(state, self._tensors(), self.generator)

    def policy_arrays(self) -> dict[str, NDArray[np.float32]]:
        """The acting parameters now, of the encoder too where there is one."""
        arrays = self._acting_arrays()
        return arrays if self.encoder is None else arrays | self.encoder.arrays()

    @abstractmethod
    def _acting_arrays(self) -> dict[str, NDArray[np.float32]]:
        """The layers of the acting network, in the format of kind `mlp`."""

    @abstractmethod
    def _make_networks(self, observation_size: int, action_size: int, generator: torch.Generator) -> None:
        """Call `add_network` for every network, drawn from `generator`."""

    @abstractmethod
    def _gradient_step(self, batch: Batch) -> dict[str, float]:
        """One step of every optimiser on `batch`; metrics."""

    @torch.no_grad()
    def _follow(self) -> None:
        for name, target in self.targets.items():
            for slow, fast in zip(target.parameters(), self.networks[name].parameters(), strict=True):
                slow.lerp_(fast, self.config.tau)

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {f"networks.{name}": tensor for name, tensor in self.networks.state_dict().items()}
        tensors |= {f"targets.{name}": tensor for name, tensor in self.targets.state_dict().items()}
        for name, optimiser in self.optimisers.items():
            for i, parameter in enumerate(self.networks[name].parameters()):
                tensors |= {f"adam.{name}.{i}.{key}": value for key, value in optimiser.state[parameter].items()}
        return tensors


def seeded_linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """An affine layer with weights and biases uniform in ± 1/sqrt(inputs), drawn from `generator`."""
    layer = nn.Linear(inputs, outputs)
    bound = inputs**-0.5
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.rand(parameter.shape, generator=generator) * 2.0 * bound - bound)
    return layer


def affine_arrays(layers: list[nn.Linear]) -> dict[str, NDArray[np.float32]]:
    """Affine layers in the published format of kind `mlp`."""
    arrays = {}
    for i, layer in enumerate(layers):
        arrays[f"w{i}"] = layer.weight.detach().t().cpu().numpy().copy()
        arrays[f"b{i}"] = layer.bias.detach().cpu().numpy().copy()
    return arrays
