"""NAF's learner of observations with pictures: an encoder whose features are inputs of all three networks.

The loss, the networks' parameters and their steps are those of `NafLearner`. Its hand-written backward pass ends at
the networks' inputs; here, where convolutions cost most, autograd goes through both.

B batch, D flat vector, F features, A action.
"""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from naf_robot.core.array_spec import ArraySpec
from naf_robot.learning.bellman import bootstrap_factor, td_target
from naf_robot.learning.cloning import cloning_loss
from naf_robot.learning.naf import losses
from naf_robot.learning.naf.config import NafConfig
from naf_robot.learning.naf.layers import EPSILON
from naf_robot.learning.naf.learner import METRICS, NafLearner
from naf_robot.learning.naf.networks import MU, TRIANGLE, VALUE
from naf_robot.learning.naf.stacked import Moments, Parameters
from naf_robot.learning.policies.registry import VISION
from naf_robot.learning.replay_buffer import REWARD, TERMINATED, TRUNCATED
from naf_robot.learning.sources import Batches, PictureBatches
from naf_robot.learning.vision.augmentation import augmented
from naf_robot.learning.vision.encoder import Encoder

STACK = (MU, TRIANGLE, VALUE)


class VisionNafLearner(NafLearner):
    """Gradient steps of either variant of NAF on batches with pictures of the cameras `images`."""

    policy_kind = VISION

    def __init__(
        self,
        config: NafConfig,
        observation_size: int,
        action_size: int,
        replay: Batches,
        seed: int,
        device: str = "cpu",
        images: Sequence[ArraySpec] = (),
    ) -> None:
        encoder = Encoder(config.encoder, images, torch.Generator().manual_seed(seed + 2))
        super().__init__(config, observation_size + encoder.size, action_size, replay, seed, device)
        self.encoder = encoder.to(self.device)
        self._vision_maps = losses.triangle_maps(action_size, config.log_diagonal_limit, device=self.device)
        self.target_encoder = self._copy_of_encoder() if self.target is not None else None
        self.averaged_encoder = self._copy_of_encoder() if self.averaged is not None else None
        self._optimiser = torch.optim.Adam(
            self.encoder.parameters(),
            lr=config.encoder.learning_rate,
            betas=(config.first_moment_decay, config.beta2),
        )
        for parameter in self.encoder.parameters():  # now, not at the first step, so that the state always has them
            moments = {key: torch.zeros_like(parameter) for key in ("exp_avg", "exp_avg_sq")}
            self._optimiser.state[parameter] = {"step": torch.zeros(()), **moments}

    def update(self, count: int) -> dict[str, float]:
        """Take `count` gradient steps; metrics are means over those not skipped, `skipped_updates` a number."""
        total = torch.zeros(len(METRICS), dtype=torch.float64)
        if self.config.bounded_values:
            self._bounds.copy_(torch.tensor(losses.value_bounds(self.replay.reward_range, self.config.discount)))
        for done in range(count):
            assert isinstance(self.replay, PictureBatches)
            observations, outcomes, pictures = self.replay.sample_images(1, self.config.batch_size, self.generator)
            rows = self._cloning.rows()[0].to(self.device) if self._cloning.is_active else None
            weight = self._cloning.weight(self.updates + done) if rows is not None else 0.0
            seen = {name: array[0] for name, array in pictures.items()}
            self._vision_step(observations[0], outcomes[0], seen, rows, weight)
            total += self._block_total(1)
        self.updates += count
        total[:-1] /= max(1.0, count - float(total[-1]))
        return dict(zip(METRICS, total.tolist(), strict=True))

    def policy_arrays(self) -> dict[str, NDArray[np.float32]]:
        """Encoder and µ as the collectors act on them: averaged over updates if the configuration says so."""
        return super().policy_arrays() | (self.averaged_encoder or self.encoder).arrays()

    def _copy_of_encoder(self) -> Encoder:
        return copy.deepcopy(self.encoder).requires_grad_(False)

    def _vision_step(
        self, observations: Tensor, outcomes: Tensor, pictures: dict[str, Tensor], rows: Tensor | None, weight: float
    ) -> None:
        """One update on observations (2, B, D), outcomes (B, A + 3) and pictures (2, B, H, W, 3) by camera."""
        leaf = self.parameters.flat.detach().requires_grad_()  # the same memory
        networks = Parameters(self.parameters.shape, self.device, leaf)
        action = outcomes[:, : self.action_size]
        q, target, raw_mu = self._values(networks, observations, outcomes, pictures)
        error = q - target
        loss = error.square().mean()
        self._q[0], self._error[0], self._cloned[0] = q.detach(), error.detach(), 0.0
        if rows is not None:
            term = weight * cloning_loss(torch.tanh(raw_mu), action, rows)
            self._cloned[0] = term.detach()
            loss = loss + term
        self._optimiser.zero_grad()
        loss.backward()
        assert leaf.grad is not None
        self.gradient.flat.copy_(leaf.grad)
        self._step_both()

    @torch.no_grad()
    def _step_both(self) -> None:
        """Networks and encoder move together or, where a gradient is not finite, not at all."""
        gradients = [parameter.grad for parameter in self.encoder.parameters() if parameter.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if not torch.isfinite(norm):
            self.gradient.flat.fill_(torch.nan)
        self._step(*self._steps[0])
        if self._skipped[0] == 0.0:
            torch._foreach_mul_(gradients, 1.0 / torch.clamp(norm * self._norm_scale, min=1.0))
            self._optimiser.step()
        followers = ((self.target_encoder, self.config.tau), (self.averaged_encoder, 1.0 - self.config.policy_average))
        for follower, share in followers:
            if follower is not None:
                for slow, newest in zip(follower.parameters(), self.encoder.parameters(), strict=True):
                    slow.lerp_(newest, share)

    def _values(
        self, networks: Parameters, observations: Tensor, outcomes: Tensor, pictures: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Q (B,), its target (B,) and µ before tanh (B, A); no gradient goes through what comes of successors."""
        config, count = self.config, observations.shape[1]
        seen = {
            name: augmented(array.flatten(0, 1), config.encoder, self.generator) for name, array in pictures.items()
        }
        features = self.encoder({name: array[:count] for name, array in seen.items()})
        with torch.no_grad():
            next_features = (self.target_encoder or self.encoder)({name: a[count:] for name, a in seen.items()})
        inputs = torch.cat((observations[0], features), dim=1)
        nexts = torch.cat((observations[1], next_features), dim=1)
        if self.target is None:
            joined = torch.cat((inputs, nexts))
            mu, triangle, value = (self._output(networks, joined, k, self._networks.batch) for k in STACK)
            next_value = value[count:, 0].detach()
        else:
            mu, triangle, value = (self._output(networks, inputs, k) for k in STACK)
            with torch.no_grad():
                next_value = self._output(self.target, nexts, VALUE)[:, 0]
        factor = bootstrap_factor(
            outcomes[:, TERMINATED], outcomes[:, TRUNCATED], config.discount, config.time_limit_is_terminal
        )
        bounded = torch.clamp(next_value, self._lowest, self._highest)
        action = outcomes[:, : self.action_size].contiguous()
        advantage = Advantage.apply(mu[:count], triangle[:count], action, self._vision_maps)
        return value[:count, 0] + advantage, td_target(outcomes[:, REWARD], factor, bounded), mu[:count]

    def _output(self, networks: Parameters, inputs: Tensor, index: int, batch: Moments | None = None) -> Tensor:
        """What network `index` gives (N, W) for `inputs` (N, D + F); with batch norm, moments are left in `batch`."""
        layers, (weight, bias) = networks.network(index)
        x = inputs if batch is None else _normalised(inputs, batch.means[0], batch.variances[0])
        for i, layer in enumerate(layers):
            x = x @ layer["w"]
            if batch is not None:
                own = slice(index * x.shape[1], (index + 1) * x.shape[1])
                x = _normalised(x, batch.means[i + 1][own], batch.variances[i + 1][own]) * layer["g"] + layer["c"]
            else:
                x = x + layer["b"]
                if "g" in layer:
                    x = torch.layer_norm(x, x.shape[1:], layer["g"], layer["c"], EPSILON)
            x = torch.relu(x)
        return x @ weight + bias

    def _tensors(self) -> dict[str, Tensor]:
        tensors = super()._tensors()
        for name in ("encoder", "target_encoder", "averaged_encoder"):
            if (module := getattr(self, name, None)) is not None:
                tensors |= {f"{name}.{key}": tensor for key, tensor in module.state_dict().items()}
        for i, parameter in enumerate(self.encoder.parameters()):
            tensors |= {f"adam.encoder.{i}.{key}": value for key, value in self._optimiser.state[parameter].items()}
        return tensors


class Advantage(torch.autograd.Function):
    """`losses.quadratic_advantage`, which knows its own gradient, for autograd."""

    @staticmethod
    def forward(ctx: Any, raw_mu: Tensor, raw_triangle: Tensor, action: Tensor, maps: losses.TriangleMaps) -> Tensor:
        """The advantage (B,)."""
        advantage, *slopes = losses.quadratic_advantage(raw_mu, raw_triangle, action, maps)
        ctx.save_for_backward(*slopes)
        return advantage

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """By µ before tanh and by the triangle before its exponential."""
        gradient = gradients[0].unsqueeze(1)
        mu_slope, triangle_slope = ctx.saved_tensors
        return gradient * mu_slope, gradient * triangle_slope, None, None


def _normalised(x: Tensor, mean_out: Tensor, inverse_out: Tensor) -> Tensor:
    """`x` (N, W) with mean 0 and variance 1 over its rows; mean and 1 / sqrt(variance + ε) are written out."""
    mean = x.mean(0)
    inverse = torch.rsqrt((x - mean).square().mean(0) + EPSILON)
    mean_out.copy_(mean.detach())
    inverse_out.copy_(inverse.detach())
    return (x - mean) * inverse
