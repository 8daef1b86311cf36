"""NAF's learner: gradient steps with a hand-written backward pass over stacked networks.

B batch, D observation, A action, H hidden units; the stack of three is µ, L, V in this order.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from naf_robot.core.errors import CheckpointError
from naf_robot.learning.naf import losses
from naf_robot.learning.naf.config import NafConfig
from naf_robot.learning.naf.networks import EPSILON, Parameters, Shape, Statistics
from naf_robot.learning.naf.policy import policy_arrays
from naf_robot.learning.replay_buffer import REWARD, TERMINATED, TRUNCATED, ReplayBuffer

BLOCK = 64  # updates whose batches are drawn at once
METRICS = ("loss", "q_mean", "gradient_norm", "skipped_updates")


class NafLearner:
    """Gradient steps of either variant of NAF on batches drawn from `replay`."""

    def __init__(
        self,
        config: NafConfig,
        observation_size: int,
        action_size: int,
        replay: ReplayBuffer,
        seed: int,
        device: str = "cpu",
    ) -> None:
        self.config = config
        self.replay = replay
        self.updates = 0
        self.device = torch.device(device)
        cross = config.variant == "cross_normalised"
        shape = Shape(
            observation_size, action_size, config.hidden, "batch" if cross else "layer" if config.layer_norm else "none"
        )
        self.shape = shape
        self.parameters = Parameters(shape, self.device)
        self.parameters.initialise(torch.Generator().manual_seed(seed))
        self.gradient = Parameters(shape, self.device)
        self.statistics = Statistics(shape, self.device) if cross else None
        self.target = None if cross else Parameters(shape, self.device)
        if self.target is not None:
            self.target.flat.copy_(self.parameters.flat)
        self.first_moment = torch.zeros_like(self.parameters.flat)
        self.second_moment = torch.zeros_like(self.parameters.flat)
        self.adam_step = torch.zeros((), device=self.device)
        self.averaged = Parameters(shape, self.device) if config.policy_average else None
        self.averaged_statistics = Statistics(shape, self.device) if self.averaged is not None and cross else None
        if self.averaged is not None:
            self.averaged.flat.copy_(self.parameters.flat)
        self.generator = torch.Generator(self.device).manual_seed(seed + 1)
        self.rows, self.columns = losses.triangle_maps(action_size, self.device)

    @torch.no_grad()
    def update(self, count: int) -> dict[str, float]:
        """Take `count` gradient steps; metrics are means over them, `skipped_updates` their number."""
        total = torch.zeros(len(METRICS), device=self.device)
        for start in range(0, count, BLOCK):
            blocks = min(BLOCK, count - start)
            observations, outcomes = self.replay.sample(blocks, self.config.batch_size, self.generator)
            for k in range(blocks):
                self._step(observations[k], outcomes[k], total)
        self.updates += count
        values = (total / torch.tensor([count - float(total[3])] * 3 + [1.0], device=self.device).clamp_min(1)).tolist()
        return dict(zip(METRICS, values, strict=True))

    def policy_arrays(self) -> dict[str, NDArray[np.float32]]:
        """µ as the collectors act on it: averaged over updates if the config says so."""
        if self.averaged is not None:
            return policy_arrays(self.averaged, self.averaged_statistics)
        return policy_arrays(self.parameters, self.statistics)

    def state(self) -> dict[str, NDArray]:
        """Networks, target, optimiser, statistics, counters and random state; copies."""
        arrays: dict[str, NDArray] = {name: t.cpu().numpy().copy() for name, t in self._tensors().items()}
        arrays["generator"] = self.generator.get_state().numpy().copy()
        arrays["updates"] = np.asarray(self.updates, np.int64)
        return arrays

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Go on bit for bit from `state`; nothing changes if an array does not fit."""
        tensors = self._tensors()
        expected = {name: tuple(tensor.shape) for name, tensor in tensors.items()} | {"updates": ()}
        expected["generator"] = tuple(self.generator.get_state().shape)
        found = {name: tuple(np.shape(array)) for name, array in state.items()}
        if found != expected:
            wrong = sorted(set(found.items()) ^ set(expected.items()))
            raise CheckpointError(f"learner state does not fit this configuration: {wrong}")
        for name, tensor in tensors.items():
            tensor.copy_(torch.from_numpy(np.array(state[name], np.float32)))
        self.generator.set_state(torch.from_numpy(np.array(state["generator"], np.uint8)))
        self.updates = int(state["updates"])

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {
            "parameters": self.parameters.flat,
            "first_moment": self.first_moment,
            "second_moment": self.second_moment,
            "adam_step": self.adam_step,
        }
        for name in ("target", "statistics", "averaged", "averaged_statistics"):
            if getattr(self, name) is not None:
                tensors[name] = getattr(self, name).flat
        return tensors

    def _step(self, observations: Tensor, outcomes: Tensor, total: Tensor) -> None:
        config, size = self.config, self.shape.action_size
        count = observations.shape[1]
        if self.statistics is None:
            trace = _forward(self.parameters, observations[0])
            assert self.target is not None
            next_value = self._target_value(observations[1])
        else:
            joint = observations.reshape(2 * count, -1)
            mean, variance = joint.mean(0), joint.var(0, correction=0)
            trace = _forward(self.parameters, (joint - mean) * torch.rsqrt(variance + EPSILON))
            weight, bias = self.parameters.heads[2]
            next_value = (trace.hidden[-1][2, count:] @ weight + bias).squeeze(1)
        top = trace.hidden[-1][:, :count]
        raw_mu, raw_triangle, value = (top[k] @ w + b for k, (w, b) in enumerate(self.parameters.heads))
        advantage, mu_gradient, triangle_gradient = losses.quadratic_advantage(
            raw_mu, raw_triangle, outcomes[:, :size], self.rows, self.columns, config.log_diagonal_limit
        )
        q = value.squeeze(1) + advantage
        target = losses.td_target(
            outcomes[:, REWARD], outcomes[:, TERMINATED], outcomes[:, TRUNCATED], next_value,
            config.discount, config.time_limit_is_terminal,
        )  # fmt: skip
        error = q - target
        scale = ((2.0 / count) * error).unsqueeze(1)
        _backward(self.parameters, self.gradient, trace, count, (scale * mu_gradient, scale * triangle_gradient, scale))
        self._apply(error.square().mean(), q.mean(), trace, observations, total)

    def _apply(self, loss: Tensor, q_mean: Tensor, trace: "Trace", observations: Tensor, total: Tensor) -> None:
        config = self.config
        norm = torch.linalg.vector_norm(self.gradient.flat)
        if not (torch.isfinite(norm) and torch.isfinite(loss)):
            total[3] += 1.0
            return
        self.gradient.flat.mul_(torch.clamp(config.gradient_norm_limit / (norm + 1e-6), max=1.0))
        torch._fused_adam_(
            [self.parameters.flat], [self.gradient.flat], [self.first_moment], [self.second_moment], [],
            [self.adam_step.add_(1.0)], lr=config.learning_rate, beta1=config.first_moment_decay, beta2=config.beta2,
            weight_decay=0.0, eps=1e-8, amsgrad=False, maximize=False,
        )  # fmt: skip
        if self.statistics is not None:
            self._follow_statistics(trace, observations)
        if self.target is not None:
            self.target.flat.lerp_(self.parameters.flat, config.tau)
        if self.averaged is not None:
            self.averaged.flat.lerp_(self.parameters.flat, 1.0 - config.policy_average)
            if self.averaged_statistics is not None and self.statistics is not None:
                self.averaged_statistics.flat.lerp_(self.statistics.flat, 1.0 - config.policy_average)
        total += torch.stack((loss, q_mean, norm, torch.zeros_like(loss)))

    def _follow_statistics(self, trace: "Trace", observations: Tensor) -> None:
        assert self.statistics is not None
        momentum = self.config.batch_norm_momentum
        rows = observations.reshape(-1, observations.shape[-1])
        unbiased = rows.shape[0] / (rows.shape[0] - 1)
        self.statistics.input_mean.lerp_(rows.mean(0), momentum)
        self.statistics.input_variance.lerp_(rows.var(0), momentum)
        for (mean, variance), (batch_mean, batch_variance) in zip(self.statistics.layers, trace.moments, strict=True):
            mean.lerp_(batch_mean, momentum)
            variance.lerp_(batch_variance * unbiased, momentum)

    def _target_value(self, observation: Tensor) -> Tensor:
        assert self.target is not None
        weight, bias = self.target.heads[2]
        trace = _forward(self.target, observation)
        return (trace.hidden[-1][2] @ weight + bias).squeeze(1)


class Trace:
    """What the forward pass keeps for the backward pass."""

    def __init__(self, inputs: Tensor) -> None:
        self.inputs = inputs  # (N, D)
        self.hidden: list[Tensor] = []  # after ReLU, (3, N, H)
        self.normal: list[Tensor] = []  # normalised, before scale and shift, (3, N, H)
        self.inverse: list[Tensor] = []  # 1 / standard deviation, over rows or units
        self.moments: list[tuple[Tensor, Tensor]] = []  # batch mean and biased variance, (3, 1, H)


def _forward(parameters: Parameters, inputs: Tensor) -> Trace:
    trace = Trace(inputs)
    x = inputs.expand(3, -1, -1)
    axis = 1 if parameters.shape.normalisation == "batch" else 2
    for layer in parameters.layers:
        x = torch.bmm(x, layer["w"])
        if "b" in layer:
            x = x + layer["b"]
        if "g" in layer:
            variance, mean = torch.var_mean(x, dim=axis, correction=0, keepdim=True)
            inverse = torch.rsqrt(variance + EPSILON)
            x = (x - mean) * inverse
            trace.normal.append(x)
            trace.inverse.append(inverse)
            trace.moments.append((mean, variance))
            x = torch.addcmul(layer["c"], x, layer["g"])
        x = torch.relu(x)
        trace.hidden.append(x)
    return trace


def _backward(
    parameters: Parameters, gradient: Parameters, trace: Trace, count: int, outputs: tuple[Tensor, Tensor, Tensor]
) -> None:
    top = trace.hidden[-1]
    back = torch.zeros_like(top)
    for k, output in enumerate(outputs):
        torch.mm(top[k, :count].T, output, out=gradient.heads[k][0])
        torch.sum(output, dim=0, out=gradient.heads[k][1])
        torch.mm(output, parameters.heads[k][0].T, out=back[k, :count])
    axis = 1 if parameters.shape.normalisation == "batch" else 2
    for i in reversed(range(len(parameters.layers))):
        layer, out = parameters.layers[i], gradient.layers[i]
        back = back * (trace.hidden[i] > 0)
        if "g" in layer:
            normal = trace.normal[i]
            out["c"].copy_(back.sum(dim=1, keepdim=True))
            out["g"].copy_((back * normal).sum(dim=1, keepdim=True))
            back = back * layer["g"]
            back = back - back.mean(dim=axis, keepdim=True) - normal * (back * normal).mean(dim=axis, keepdim=True)
            back = back * trace.inverse[i]
        if "b" in layer:
            out["b"].copy_(back.sum(dim=1, keepdim=True))
        below = trace.hidden[i - 1] if i else trace.inputs.expand(3, -1, -1)
        out["w"].copy_(torch.bmm(below.transpose(1, 2), back))
        if i:
            back = torch.bmm(back, layer["w"].transpose(1, 2))
