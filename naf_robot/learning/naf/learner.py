"""NAF's learner: gradient steps with a hand-written backward pass over stacked networks.

B batch, D observation, A action, K blocked updates. An update is branchless: a step whose gradient is not
finite is skipped inside the kernels, so the same code runs on a CPU and can be recorded as a CUDA graph.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from naf_robot.learning.bellman import bootstrap_factor, td_target
from naf_robot.learning.cloning import Cloning
from naf_robot.learning.learner_state import load_arrays, state_arrays
from naf_robot.learning.naf import losses
from naf_robot.learning.naf.config import NafConfig
from naf_robot.learning.naf.layers import EPSILON
from naf_robot.learning.naf.networks import MU, TRIANGLE, VALUE, Networks, ValueNetwork, naf_shape
from naf_robot.learning.naf.policy import policy_arrays
from naf_robot.learning.naf.stacked import Moments, Parameters, padded
from naf_robot.learning.replay_buffer import REWARD, TERMINATED, TRUNCATED
from naf_robot.learning.sources import Batches

BLOCK = 64  # most updates whose batches are drawn at once
METRICS = ("loss", "q_mean", "gradient_norm", "cloning_loss", "skipped_updates")


class NafLearner:
    """Gradient steps of either variant of NAF on batches drawn from `replay`."""

    def __init__(
        self,
        config: NafConfig,
        observation_size: int,
        action_size: int,
        replay: Batches,
        seed: int,
        device: str = "cpu",
    ) -> None:
        self.config, self.replay, self.updates = config, replay, 0
        self._cloning = Cloning(config.cloning_weight, replay)
        self.device = torch.device(device)
        self.action_size = action_size
        cross = config.variant == "cross_normalised"
        shape = naf_shape(config, observation_size, action_size)
        self.parameters = Parameters(shape, self.device)
        self.parameters.initialise(torch.Generator().manual_seed(seed))
        self.gradient = Parameters(shape, self.device)
        self.moments = Moments(shape, self.device) if cross else None  # running, of batch norm
        self.target = None if cross else self._copy_of_parameters()
        self.averaged = self._copy_of_parameters() if config.policy_average else None
        self.averaged_moments = Moments(shape, self.device) if config.policy_average and cross else None
        self.first_moment = torch.zeros_like(self.parameters.flat)
        self.second_moment = torch.zeros_like(self.parameters.flat)
        self.adam_step = torch.zeros((), device=self.device)
        self.generator = torch.Generator(self.device).manual_seed(seed + 1)

        count = config.batch_size
        self._networks = Networks(self.parameters, self.gradient, 2 * count if cross else count, count)
        self._target_network = ValueNetwork(self.target, count) if self.target is not None else None
        widths = (padded(shape.heads[MU]), padded(shape.heads[TRIANGLE]))
        self._maps = losses.triangle_maps(action_size, config.log_diagonal_limit, widths, self.device)
        self._value = self._networks.heads[VALUE].output.view(-1)
        self._value_weight = self._networks.heads[VALUE].weight.view(-1)
        self._next_top = self._networks.value_top[count:]  # without a target network, V(x') is read off the same pass
        self._next_value = torch.zeros(count, device=self.device)
        self._value_slope = self._networks.heads[VALUE].slope.view(-1)
        self._q, self._error = (torch.zeros(BLOCK, count, device=self.device) for _ in range(2))
        self._norm, self._skipped, self._cloned = (torch.zeros(BLOCK, device=self.device) for _ in range(3))
        self._q_rows, self._error_rows = self._q.unbind(), self._error.unbind()
        self._steps = list(zip(self._norm.unbind(), self._skipped.unbind(), strict=True))
        self._gradient_scale = torch.ones((), device=self.device)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._graph_inputs: tuple[Tensor, ...] | None = None
        self._bounds = torch.tensor((-torch.inf, torch.inf), device=self.device)  # of V
        self._lowest, self._highest = self._bounds.unbind()
        # constants as tensors: a Python number costs a conversion at every use
        numbers = torch.tensor((0.0, 1.0, 2.0 / count, 1.0 / config.gradient_norm_limit), device=self.device)
        self._zero, self._one, self._error_scale, self._norm_scale = numbers.unbind()
        rows = self._networks.rows
        self._epsilon, self._unbiased = torch.tensor((EPSILON, rows / (rows - 1)), device=self.device).unbind()

    @torch.no_grad()
    def update(self, count: int) -> dict[str, float]:
        """Take `count` gradient steps; metrics are means over those not skipped, `skipped_updates` a number."""
        total = torch.zeros(len(METRICS), dtype=torch.float64)
        if self.config.bounded_values:
            self._bounds.copy_(torch.tensor(losses.value_bounds(self.replay.reward_range, self.config.discount)))
        for start in range(0, count, BLOCK):
            blocks = min(BLOCK, count - start)
            inputs: tuple[Tensor, ...] = self.replay.sample(blocks, self.config.batch_size, self.generator)
            if self._cloning.is_active:
                inputs = (*inputs, self._cloning.row_weights(self.updates + start, self.device))
            self._run(*inputs)
            total += self._block_total(blocks)
        self.updates += count
        total[:-1] /= max(1.0, count - float(total[-1]))
        return dict(zip(METRICS, total.tolist(), strict=True))

    def policy_arrays(self) -> dict[str, NDArray[np.float32]]:
        """µ as the collectors act on it: averaged over updates if the configuration says so."""
        if self.averaged is not None:
            return policy_arrays(self.averaged, self.averaged_moments)
        return policy_arrays(self.parameters, self.moments)

    def state(self) -> dict[str, NDArray]:
        """Networks, target, optimiser, moments, counters and random state; copies."""
        return state_arrays(self._tensors(), self.generator, self.updates)

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Go on bit for bit from `state`; nothing changes if an array does not fit."""
        self.updates = load_arrays(state, self._tensors(), self.generator)

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {
            "parameters": self.parameters.flat,
            "first_moment": self.first_moment,
            "second_moment": self.second_moment,
            "adam_step": self.adam_step,
        }
        for name in ("target", "moments", "averaged", "averaged_moments"):
            if getattr(self, name) is not None:
                tensors[name] = getattr(self, name).flat
        return tensors

    def _copy_of_parameters(self) -> Parameters:
        copy = Parameters(self.parameters.shape, self.device)
        copy.flat.copy_(self.parameters.flat)
        return copy

    def _run(self, *inputs: Tensor) -> None:
        """A block of updates: kernel by kernel, or on a GPU, where launching them costs most, as one recorded graph.

        The first full block runs as it is and warms up the libraries; the second is recorded.
        """
        if self.device.type != "cuda" or len(inputs[0]) < BLOCK:
            self._block(*inputs)
        elif self._graph_inputs is None:
            self._graph_inputs = tuple(array.clone() for array in inputs)
            self._block(*inputs)
        else:
            for static, new in zip(self._graph_inputs, inputs, strict=True):
                static.copy_(new)
            if self._graph is None:
                self._graph = torch.cuda.CUDAGraph()
                with torch.cuda.graph(self._graph):
                    self._block(*self._graph_inputs)
            self._graph.replay()

    def _block(self, observations: Tensor, outcomes: Tensor, row_weights: Tensor | None = None) -> None:
        """One update per first index of observations (K, 2, B, D), outcomes (K, B, A + 3) and cloned rows (K, B)."""
        config = self.config
        surplus = self._networks.heads[MU].output.shape[1] - self.action_size
        actions = torch.nn.functional.pad(outcomes[..., : self.action_size], (0, surplus)).unbind()
        rewards = outcomes[..., REWARD].contiguous().unbind()
        factors = bootstrap_factor(
            outcomes[..., TERMINATED], outcomes[..., TRUNCATED], config.discount, config.time_limit_is_terminal
        ).unbind()
        if self._target_network is None:
            inputs = nexts = observations.flatten(1, 2).unbind()
        else:
            inputs, nexts = (side.unbind() for side in observations.unbind(1))
        for k in range(len(inputs)):
            cloned = None if row_weights is None else row_weights[k]
            self._gradient_of_loss(inputs[k], nexts[k], actions[k], rewards[k], factors[k], k, cloned)
            self._step(*self._steps[k])

    def _gradient_of_loss(
        self,
        inputs: Tensor,
        nexts: Tensor,
        action: Tensor,
        reward: Tensor,
        factor: Tensor,
        k: int,
        row_weights: Tensor | None = None,
    ) -> None:
        networks = self._networks
        networks.forward(inputs)
        mu, triangle, value = networks.heads
        if self._target_network is None:
            next_value = torch.addmv(value.bias, self._next_top, self._value_weight, out=self._next_value)
        else:
            next_value = self._target_network.forward(nexts)
        next_value = torch.clamp(next_value, self._lowest, self._highest, out=self._next_value)
        advantage, *slopes = losses.quadratic_advantage(mu.output, triangle.output, action, self._maps)
        q = torch.add(advantage, self._value, out=self._q_rows[k])
        error = torch.sub(q, td_target(reward, factor, next_value), out=self._error_rows[k])
        torch.mul(error, self._error_scale, out=self._value_slope)
        torch.mul(slopes[0], value.slope, out=mu.slope)
        torch.mul(slopes[1], value.slope, out=triangle.slope)
        if row_weights is not None:
            term, slope = losses.cloning_term(mu.output, action, row_weights)
            self._cloned[k] = term
            mu.slope.add_(slope)
        networks.backward()

    def _step(self, norm: Tensor, skipped: Tensor) -> None:
        """Clip, Adam, moments, target and average; nothing moves when the gradient is not finite."""
        config = self.config
        torch.linalg.vector_norm(self.gradient.flat, out=norm)
        torch.ne(
            norm - norm, self._zero, out=skipped
        )  # infinity and NaN minus themselves are NaN, and NaN differs from 0
        torch.maximum(norm * self._norm_scale, self._one, out=self._gradient_scale)
        torch._fused_adam_(
            [self.parameters.flat], [self.gradient.flat], [self.first_moment], [self.second_moment], [],
            [self.adam_step.add_(self._one).sub_(skipped)], lr=config.learning_rate, beta1=config.first_moment_decay,
            beta2=config.beta2, weight_decay=0.0, eps=1e-8, amsgrad=False, maximize=False,
            grad_scale=self._gradient_scale, found_inf=skipped,
        )  # fmt: skip
        if self.moments is not None:
            self._follow_moments(skipped)
        if self.target is not None:
            self.target.flat.lerp_(self.parameters.flat, config.tau)
        if self.averaged is not None:
            self.averaged.flat.lerp_(self.parameters.flat, 1.0 - config.policy_average)
            if self.averaged_moments is not None and self.moments is not None:
                self.averaged_moments.flat.lerp_(self.moments.flat, 1.0 - config.policy_average)

    def _follow_moments(self, skipped: Tensor) -> None:
        """Running moments, the variance unbiased; the kernels leave 1 / sqrt(variance + ε) of the batch."""
        assert self.moments is not None
        batch, unbiased = self._networks.batch, self._unbiased
        torch.reciprocal(batch.variance.mul_(batch.variance), out=batch.variance).sub_(self._epsilon).mul_(unbiased)
        newest = torch.where(torch.eq(skipped, self._zero), batch.flat, self.moments.flat)
        self.moments.flat.lerp_(newest, self.config.batch_norm_momentum)

    def _block_total(self, blocks: int) -> Tensor:
        """Sums over a block: the metrics of the updates that were made, and how many were not."""
        skipped = self._skipped[:blocks]
        means = (self._error[:blocks].square().mean(1), self._q[:blocks].mean(1))
        rows = torch.stack((*means, self._norm[:blocks], self._cloned[:blocks]))
        made = torch.where(skipped == 0.0, rows, 0.0)
        return torch.cat((made, skipped.unsqueeze(0))).sum(1, dtype=torch.float64).cpu()
