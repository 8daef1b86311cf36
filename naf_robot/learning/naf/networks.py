"""The three networks of NAF, their forward and their hand-written backward pass.

N rows, B of them with heads, D inputs, S = 3 networks (µ, L, V in this order), H units of a hidden layer.
Every buffer and every view is made once; an update only runs kernels. Tested against autograd.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from naf_robot.learning.naf.config import NafConfig
from naf_robot.learning.stacked import Moments, Normalisation, Parameters, StackShape

MU, TRIANGLE, VALUE = 0, 1, 2  # networks in the stack
EPSILON = 1e-5  # added to the variance in batch and layer norm
_relu_backward = torch.ops.aten.threshold_backward.grad_input


def naf_shape(config: NafConfig, observation_size: int, action_size: int) -> StackShape:
    """Three networks: µ with A outputs, L with the A(A+1)/2 numbers of a triangle, V with one."""
    normalisation: Normalisation = "layer" if config.layer_norm else "none"
    if config.variant == "cross_normalised":
        normalisation = "batch"
    heads = (action_size, action_size * (action_size + 1) // 2, 1)
    return StackShape(observation_size, config.hidden, heads, normalisation)


class Layer:
    """Buffers of one hidden layer, (N, S·H), and their views; `*_stack` is the same memory as (S, N, H)."""

    def __init__(self, parameters: Parameters, gradient: Parameters, batch: Moments, rows: int, index: int) -> None:
        shape, device = parameters.shape, parameters.flat.device
        p, out = parameters.layers[index], gradient.layers[index]
        absent = torch.empty(0, device=device)
        self.weight, self.bias, self.scale, self.shift = (p.get(name, absent) for name in "wbgc")
        self.weight_t = self.weight.transpose(-2, -1)
        self.weight_gradient = out["w"]
        self.bias_gradient, self.scale_gradient, self.shift_gradient = (out.get(name, absent) for name in "bgc")
        self.has_bias = "b" in p
        self.bias_stack = self.bias.view(shape.networks, 1, -1) if self.has_bias else absent
        self.mean, self.inverse = batch.means[index + 1], batch.variances[index + 1]  # of the rows: mean, 1 / deviation

        def buffer() -> tuple[Tensor, Tensor]:
            flat = torch.zeros(rows, shape.networks * shape.hidden[index], device=device)
            return flat, flat.view(rows, shape.networks, -1).transpose(0, 1)

        self.active, self.active_stack = buffer()  # after ReLU
        self.before, self.before_stack = (  # before normalisation and ReLU
            (self.active, self.active_stack) if shape.normalisation == "none" else buffer()
        )
        self.back, self.back_stack = buffer()  # gradient by `active`; rows without heads stay zero in the last layer
        self.delta, self.delta_stack = buffer()  # gradient by `before`
        self.delta_t, self.active_stack_t = self.delta.t(), self.active_stack.transpose(1, 2)
        self.scratch, _ = buffer()
        self.scratch_t = self.scratch.t()


@dataclass
class Head:
    """Output layer of one network for B rows, with the views that its products need."""

    weight: Tensor  # (H, W), W the padded width
    weight_t: Tensor
    bias: Tensor
    weight_gradient: Tensor
    bias_gradient: Tensor
    top: Tensor  # (B, H), the last hidden layer
    top_t: Tensor
    back: Tensor  # (B, H), gradient by `top`
    output: Tensor  # (B, W)
    slope: Tensor  # (B, W), gradient by `output`; padding stays zero


class Networks:
    """Forward and backward for `rows` rows, of which the first `count` have heads.

    With batch norm, `batch` holds the rows' means and, in place of variances, 1 / sqrt(variance + ε)
    (what the kernels give); the first pair is that of the inputs.
    """

    def __init__(self, parameters: Parameters, gradient: Parameters, rows: int, count: int) -> None:
        shape, device = parameters.shape, parameters.flat.device
        self.shape, self.rows = shape, rows
        self.batch = Moments(shape, device)
        self.inputs = torch.zeros(rows, shape.inputs, device=device)
        self._inputs_t = self.inputs.t()
        self._ones = torch.ones(rows, device=device)
        self._minus_share = torch.tensor(-1.0 / rows, device=device)
        self.layers = [Layer(parameters, gradient, self.batch, rows, i) for i in range(len(shape.hidden))]
        self.heads = [_head(parameters, gradient, self.layers[-1], k, count) for k in range(shape.networks)]
        self.value_top = self.layers[-1].active_stack[VALUE]  # all rows, for V(x')

    def forward(self, inputs: Tensor) -> None:
        """Run all rows of `inputs`, shape (N, D), through hidden layers and heads."""
        normalisation = self.shape.normalisation
        if normalisation == "batch":
            _batch_norm(inputs, None, None, self.inputs, self.batch.means[0], self.batch.variances[0])
        else:
            self.inputs.copy_(inputs)
        below = None
        for layer in self.layers:
            if below is not None:
                if layer.has_bias:
                    torch.baddbmm(layer.bias_stack, below.active_stack, layer.weight, out=layer.before_stack)
                else:
                    torch.bmm(below.active_stack, layer.weight, out=layer.before_stack)
            elif layer.has_bias:
                torch.addmm(layer.bias, self.inputs, layer.weight, out=layer.before)
            else:
                torch.mm(self.inputs, layer.weight, out=layer.before)
            if normalisation == "batch":
                _batch_norm(layer.before, layer.scale, layer.shift, layer.active, layer.mean, layer.inverse)
            elif normalisation == "layer":
                self._layer_norm(layer)
            torch.relu_(layer.active)
            below = layer
        for head in self.heads:
            torch.addmm(head.bias, head.top, head.weight, out=head.output)

    def backward(self) -> None:
        """From the gradient by the heads' outputs, in `slope`, fill the gradient of every parameter."""
        for head in self.heads:
            torch.mm(head.top_t, head.slope, out=head.weight_gradient)
            torch.sum(head.slope, 0, out=head.bias_gradient)
            torch.mm(head.slope, head.weight_t, out=head.back)
        for i in reversed(range(len(self.layers))):
            layer = self.layers[i]
            _relu_backward(layer.back, layer.active, 0, grad_input=layer.delta)
            if self.shape.normalisation == "batch":
                self._batch_norm_backward(layer)
            elif self.shape.normalisation == "layer":
                self._layer_norm_backward(layer)
            if layer.has_bias:
                torch.mv(layer.delta_t, self._ones, out=layer.bias_gradient)
            if i == 0:
                torch.mm(self._inputs_t, layer.delta, out=layer.weight_gradient)
            else:
                below = self.layers[i - 1]
                torch.bmm(below.active_stack_t, layer.delta_stack, out=layer.weight_gradient)
                torch.bmm(layer.delta_stack, layer.weight_t, out=below.back_stack)

    def _batch_norm_backward(self, layer: Layer) -> None:
        """In place: ∂/∂x = (g/s) [ȳ - mean(ȳ) - (x - m)/s² · mean(ȳ (x - m))], with ȳ the gradient by g(x - m)/s + c.

        Gathered by powers of x into ȳ k₁ + x k₂ + k₃, so that the rows are passed over as little as possible.
        """
        g, c = layer.scale_gradient, layer.shift_gradient
        torch.mv(layer.delta_t, self._ones, out=c)
        torch.mul(layer.delta, layer.before, out=layer.scratch)
        torch.mv(layer.scratch_t, self._ones, out=g)
        g.addcmul_(layer.mean, c, value=-1.0).mul_(layer.inverse)
        k1 = layer.scale * layer.inverse
        shared = k1 * self._minus_share
        k2 = (shared * layer.inverse).mul_(g)
        k3 = shared.mul_(c).addcmul_(layer.mean, k2, value=-1.0)
        torch.addcmul(k3, layer.before, k2, out=layer.scratch)
        torch.addcmul(layer.scratch, layer.delta, k1, out=layer.delta)

    def _layer_norm(self, layer: Layer) -> None:
        """Normalise over the units of each network; `before` keeps the normalised rows, `scratch` 1 / s."""
        x = layer.before.view(self.rows, self.shape.networks, -1)
        normal, _, inverse = torch.native_layer_norm(x, x.shape[2:], None, None, EPSILON)
        x.copy_(normal)
        layer.scratch[:, : self.shape.networks] = inverse.squeeze(2)
        torch.addcmul(layer.shift, layer.before, layer.scale, out=layer.active)

    def _layer_norm_backward(self, layer: Layer) -> None:
        """In place: the batch norm formula with the means over units instead of rows."""
        torch.sum(layer.delta, 0, out=layer.shift_gradient)
        torch.sum(layer.delta * layer.before, 0, out=layer.scale_gradient)
        back = (layer.delta * layer.scale).view(self.rows, self.shape.networks, -1)
        normal = layer.before.view_as(back)
        back = back - back.mean(2, keepdim=True) - normal * (back * normal).mean(2, keepdim=True)
        back.mul_(layer.scratch[:, : self.shape.networks].unsqueeze(2))
        layer.delta.copy_(back.view_as(layer.delta))


class ValueNetwork:
    """V of a stack by itself, forward only: the target network of the plain variant."""

    def __init__(self, parameters: Parameters, rows: int) -> None:
        self.layers, (weight, self.bias) = parameters.network(VALUE)
        self.weight = weight[:, 0]
        self.hidden = [torch.zeros(rows, units, device=weight.device) for units in parameters.shape.hidden]
        self.value = torch.zeros(rows, device=weight.device)

    def forward(self, inputs: Tensor) -> Tensor:
        """The value of each row of `inputs`, (N, D): shape (N,), overwritten by the next call."""
        for layer, hidden in zip(self.layers, self.hidden, strict=True):
            torch.addmm(layer["b"], inputs, layer["w"], out=hidden)
            if "g" in layer:
                hidden.copy_(torch.layer_norm(hidden, hidden.shape[1:], layer["g"], layer["c"], EPSILON))
            inputs = torch.relu_(hidden)
        return torch.mv(inputs, self.weight, out=self.value).add_(self.bias)


def _head(parameters: Parameters, gradient: Parameters, last: Layer, index: int, count: int) -> Head:
    weight, bias = parameters.heads[index]
    output, slope = (torch.zeros(count, weight.shape[1], device=weight.device) for _ in range(2))
    top, back = last.active_stack[index, :count], last.back_stack[index, :count]
    return Head(weight, weight.t(), bias, *gradient.heads[index], top, top.t(), back, output, slope)


def _batch_norm(x: Tensor, g: Tensor | None, c: Tensor | None, out: Tensor, mean: Tensor, inverse: Tensor) -> None:
    torch.native_batch_norm(x, g, c, None, None, True, 0.0, EPSILON, out=(out, mean, inverse))
