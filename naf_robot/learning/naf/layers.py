"""Hidden layers of a stack of networks, forward and hand-written backward. Tested against autograd.

N rows, of which the first M are live (they receive a gradient), D inputs, S networks, H units each.
Activations are (N, S·H); `*_stack` is the same memory seen as (S, N, H). Every buffer and every view is made
once; an update only runs kernels, and as few over all rows as the formulas allow.
"""

import torch
from torch import Tensor

from naf_robot.learning.naf.stacked import Moments, Parameters

EPSILON = 1e-5  # added to the variance in batch and layer norm
NARROW = 64  # inputs up to which the moments behind the first layer are cheaper from the inputs' own
_relu_backward = torch.ops.aten.threshold_backward.grad_input


class Layer:
    """Product, bias, ReLU; and what the normalised kinds have in common."""

    def __init__(self, parameters: Parameters, gradient: Parameters, index: int, rows: int, live: int) -> None:
        shape, self.device = parameters.shape, parameters.flat.device
        self.networks, self.units = shape.networks, shape.hidden[index]
        self.first, self.rows, self.live = index == 0, rows, live
        p, out = parameters.layers[index], gradient.layers[index]
        absent = torch.empty(0, device=self.device)
        self.weight, self.bias, self.scale, self.shift = (p.get(name, absent) for name in "wbgc")
        self.weight_t = self.weight.transpose(-2, -1)
        self.weight_gradient = out["w"]
        self.bias_gradient, self.scale_gradient, self.shift_gradient = (out.get(name, absent) for name in "bgc")
        self.bias_stack = self.bias.view(self.networks, 1, -1) if "b" in p else absent
        self._ones = torch.ones(live, device=self.device)
        self.active, self.active_stack = self.buffer(rows)  # after ReLU
        self.active_stack_t = self.active_stack.transpose(1, 2)
        self._live_active = self.active[:live]
        self.back, self.back_stack = self.buffer(live)  # gradient by `active`, then by what ReLU was given
        self._back_t = self.back.t()
        self.before, self.before_stack = self.active, self.active_stack  # before normalisation, if there is one
        self.delta, self.delta_stack = self.back, self.back_stack  # gradient by `before`

    def buffer(self, rows: int) -> tuple[Tensor, Tensor]:
        """Zeros of this layer's width, and the same memory as a stack."""
        flat = torch.zeros(rows, self.networks * self.units, device=self.device)
        return flat, flat.view(rows, self.networks, self.units).transpose(0, 1)

    def forward(self, inputs: Tensor, below: "Layer | None") -> None:
        """From the layer below, or from `inputs` (N, D), fill `active`."""
        self.multiply(inputs, below)
        torch.relu_(self.active)

    def multiply(self, inputs: Tensor, below: "Layer | None") -> None:
        """Fill `before`."""
        if below is not None:
            torch.baddbmm(self.bias_stack, below.active_stack, self.weight, out=self.before_stack)
        else:
            torch.addmm(self.bias, inputs, self.weight, out=self.before)

    def backward(self, inputs_t: Tensor, below: "Layer | None") -> None:
        """From `back`, fill the gradients of this layer's parameters and the layer below's `back`."""
        _relu_backward(self.back, self._live_active, 0, grad_input=self.back)
        self.normalise_backward()
        if self.bias_gradient.numel():
            torch.mv(self._back_t, self._ones, out=self.bias_gradient)  # with a bias, `delta` is `back`
        if below is None:
            torch.mm(inputs_t, self.delta, out=self.weight_gradient)
        else:
            torch.bmm(below.active_stack_t, self.delta_stack, out=self.weight_gradient)
            torch.bmm(self.delta_stack, self.weight_t, out=below.back_stack)

    def normalise_backward(self) -> None:
        """From `back`, fill `delta` and the gradients of the normalisation."""


class LayerNormLayer(Layer):
    """Normalised over the units of each network; all rows are live."""

    def __init__(self, parameters: Parameters, gradient: Parameters, index: int, rows: int, live: int) -> None:
        super().__init__(parameters, gradient, index, rows, live)
        self.before, self.before_stack = self.buffer(rows)  # keeps the normalised rows
        self._inverse = torch.zeros(rows, self.networks, 1, device=self.device)

    def forward(self, inputs: Tensor, below: Layer | None) -> None:
        """Product, normalisation, ReLU."""
        self.multiply(inputs, below)
        x = self.before.view(self.rows, self.networks, self.units)
        normal, _, inverse = torch.native_layer_norm(x, x.shape[2:], None, None, EPSILON)
        x.copy_(normal)
        self._inverse.copy_(inverse)
        torch.relu_(torch.addcmul(self.shift, self.before, self.scale, out=self.active))

    def normalise_backward(self) -> None:
        """In place: the batch norm formula with the means over units instead of rows."""
        torch.sum(self.delta, 0, out=self.shift_gradient)
        torch.sum(self.delta * self.before, 0, out=self.scale_gradient)
        back = (self.delta * self.scale).view(self.rows, self.networks, self.units)
        normal = self.before.view_as(back)
        back = back - back.mean(2, keepdim=True) - normal * (back * normal).mean(2, keepdim=True)
        self.delta.copy_(back.mul_(self._inverse).view_as(self.delta))


class BatchNormLayer(Layer):
    """Normalised over all N rows, live or not.

    Of the rows that are not live, only the network `watched` has its `active` filled. The batch's mean is left
    in `moments.means[index + 1]` and, in place of the variance, 1 / sqrt(variance + ε).
    """

    def __init__(
        self, parameters: Parameters, gradient: Parameters, index: int, rows: int, live: int,
        moments: Moments, watched: int,
    ) -> None:  # fmt: skip
        super().__init__(parameters, gradient, index, rows, live)
        self.mean, self.inverse = moments.means[index + 1], moments.variances[index + 1]
        self._gain, self._offset = torch.zeros_like(self.scale), torch.zeros_like(self.scale)
        self._minus_share, self._epsilon = torch.tensor((-1.0 / rows, EPSILON), device=self.device).unbind()
        self._make_buffers(slice(watched * self.units, (watched + 1) * self.units))

    def _make_buffers(self, watched: slice) -> None:
        self.before, self.before_stack = self.buffer(self.rows)
        self.delta, self.delta_stack = self.buffer(self.rows)
        self._live_before, self._live_delta = self.before[: self.live], self.delta[: self.live]
        self._live_delta_t = self._live_delta.t()
        parts = [(slice(0, self.live), slice(None))]
        if self.live < self.rows:
            parts.append((slice(self.live, None), watched))
        self._parts = [  # of rows and columns whose `active` somebody reads
            (self._offset[columns], self.before[rows, columns], self._gain[columns], self.active[rows, columns])
            for rows, columns in parts
        ]

    def forward(self, inputs: Tensor, below: Layer | None) -> None:
        """Product, normalisation, ReLU."""
        self.multiply(inputs, below)
        mean, variance = torch.batch_norm_update_stats(self.before, None, None, 0.0)
        self.mean.copy_(mean)
        torch.rsqrt(variance.add_(self._epsilon), out=self.inverse)
        torch.mul(self.scale, self.inverse, out=self._gain)
        torch.addcmul(self.shift, mean, self._gain, value=-1.0, out=self._offset)
        for offset, before, gain, active in self._parts:
            torch.addcmul(offset, before, gain, out=active).relu_()

    def multiply(self, inputs: Tensor, below: Layer | None) -> None:
        """Fill `before`; batch norm would cancel a bias."""
        if below is not None:
            torch.bmm(below.active_stack, self.weight, out=self.before_stack)
        else:
            torch.mm(inputs, self.weight, out=self.before)

    def normalise_backward(self) -> None:
        """∂/∂x = (g/s) [ȳ - mean(ȳ) - (x - m)/s² · mean(ȳ (x - m))], with ȳ the gradient by g(x - m)/s + c.

        Gathered by powers of x into ȳ k₁ + x k₂ + k₃; ȳ is zero in rows that are not live.
        """
        g, c, k1 = self.scale_gradient, self.shift_gradient, self._gain
        torch.mv(self._back_t, self._ones, out=c)
        torch.mul(self.back, self._live_before, out=self._live_delta)
        torch.mv(self._live_delta_t, self._ones, out=g)
        g.addcmul_(self.mean, c, value=-1.0).mul_(self.inverse)
        shared = k1 * self._minus_share
        k2 = (shared * self.inverse).mul_(g)
        k3 = shared.mul_(c).addcmul_(self.mean, k2, value=-1.0)
        torch.addcmul(k3, self.before, k2, out=self.delta)
        self._live_delta.addcmul_(self.back, k1)


class FirstBatchNormLayer(BatchNormLayer):
    """The first layer on inputs x̂ that are normalised themselves: its normalisation costs no pass over the rows.

    With G = x̂ᵀx̂ / N, the product x̂W has mean 0 and variance diag(WᵀGW), so that batch norm is a scaling of W
    by k = g/s: one product gives the normalised rows. Backward, with M = x̂ᵀȳ:

        ∂/∂g = diag(WᵀM)/s,   ∂/∂c = Σ ȳ,   ∂/∂W = [M - GW · (∂/∂g)/s] k

    Worth it while D is small; G costs N·D² against the product's N·D·S·H.
    """

    def _make_buffers(self, watched: slice) -> None:
        size = self.weight.shape[0]
        self._gram, self._share = torch.zeros(size, size, device=self.device), -self._minus_share
        self._gram_weight, self._scaled, self._scratch = (torch.zeros_like(self.weight) for _ in range(3))
        self._scratch_t = self._scratch.t()
        self._sum_ones = torch.ones(size, device=self.device)
        self._variance = torch.zeros_like(self.scale)

    def forward(self, inputs: Tensor, below: Layer | None) -> None:
        """Product, normalisation and bias in one, ReLU; `inputs` must have mean 0."""
        torch.mm(inputs.t(), inputs, out=self._gram).mul_(self._share)
        torch.mm(self._gram, self.weight, out=self._gram_weight)
        torch.mul(self.weight, self._gram_weight, out=self._scratch)
        torch.mv(self._scratch_t, self._sum_ones, out=self._variance).add_(self._epsilon)
        torch.rsqrt(self._variance, out=self.inverse)
        torch.mul(self.scale, self.inverse, out=self._gain)
        torch.mul(self.weight, self._gain, out=self._scaled)
        torch.addmm(self.shift, inputs, self._scaled, out=self.active).relu_()

    def backward(self, inputs_t: Tensor, below: Layer | None) -> None:
        """From `back`, fill the gradients of this layer's parameters."""
        _relu_backward(self.back, self._live_active, 0, grad_input=self.back)
        g, w = self.scale_gradient, self.weight_gradient
        torch.mv(self._back_t, self._ones, out=self.shift_gradient)
        torch.mm(inputs_t, self.back, out=w)
        torch.mul(self.weight, w, out=self._scratch)
        torch.mv(self._scratch_t, self._sum_ones, out=g).mul_(self.inverse)
        w.addcmul_(self._gram_weight, g * self.inverse, value=-1.0).mul_(self._gain)


def make_layers(
    parameters: Parameters, gradient: Parameters, rows: int, live: int, moments: Moments, watched: int
) -> list[Layer]:
    """The stack's hidden layers for `rows` rows, the first `live` of which have heads."""
    shape, layers = parameters.shape, list[Layer]()
    for index in range(len(shape.hidden)):
        with_gradient = live if index == len(shape.hidden) - 1 else rows
        sizes = (parameters, gradient, index, rows, with_gradient)
        if shape.normalisation == "none":
            layers.append(Layer(*sizes))
        elif shape.normalisation == "layer":
            layers.append(LayerNormLayer(*sizes))
        elif index == 0 and shape.inputs <= NARROW:
            layers.append(FirstBatchNormLayer(*sizes, moments, watched))
        else:
            layers.append(BatchNormLayer(*sizes, moments, watched))
    return layers
