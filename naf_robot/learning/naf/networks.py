"""The three networks of NAF, their forward and their hand-written backward pass.

N rows, D inputs, S = 3 networks (µ, L, V in this order), H units of a hidden layer. Every buffer and
every view is made once; an update only runs kernels. Tested against autograd.
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


@dataclass
class _Layer:
    """Buffers of one hidden layer, (N, S·H); `*_stack` the same memory as (S, N, H)."""

    parameters: dict[str, Tensor]
    gradient: dict[str, Tensor]
    before: Tensor  # before normalisation and ReLU; the same as `active` without normalisation
    before_stack: Tensor
    active: Tensor  # after ReLU
    active_stack: Tensor
    back: Tensor  # gradient by `active`; rows that no head reads are never written and stay zero
    back_stack: Tensor
    delta: Tensor  # gradient by `before`
    delta_stack: Tensor
    scratch: Tensor
    mean: Tensor  # batch mean of `before`, (S·H,)
    inverse: Tensor  # its 1 / standard deviation


class Networks:
    """Forward and backward for a fixed number of rows.

    With batch norm, `batch` holds the rows' means and, in place of variances, inverse standard
    deviations (what the kernels give); the first pair is that of the inputs.
    """

    def __init__(self, parameters: Parameters, gradient: Parameters, rows: int) -> None:
        shape, device = parameters.shape, parameters.flat.device
        self.shape, self.rows, self.parameters, self.gradient = shape, rows, parameters, gradient
        self.batch = Moments(shape, device)
        self.inputs = torch.zeros(rows, shape.inputs, device=device)
        self.ones = torch.ones(rows, device=device)
        self.layers: list[_Layer] = []
        for i, units in enumerate(shape.hidden):
            width = shape.networks * units
            names = ("before", "active", "back", "delta", "scratch")
            flat = {name: torch.zeros(rows, width, device=device) for name in names}
            if shape.normalisation == "none":
                flat["before"] = flat["active"]
            stacks = {f"{name}_stack": _stack(flat[name], shape.networks) for name in names[:4]}
            moments = (self.batch.means[i + 1], self.batch.variances[i + 1])
            self.layers.append(
                _Layer(parameters.layers[i], gradient.layers[i], **flat, **stacks, mean=moments[0], inverse=moments[1])
            )
        self.top = self.layers[-1].active_stack.unbind()  # one (N, H) per network
        self.top_back = self.layers[-1].back_stack.unbind()

    def forward(self, inputs: Tensor) -> None:
        """Run all rows of `inputs`, shape (N, D), up to the last hidden layer, into `top`."""
        if self.shape.normalisation == "batch":
            _batch_norm(inputs, None, None, self.inputs, self.batch.means[0], self.batch.variances[0])
        else:
            self.inputs.copy_(inputs)
        below = self.inputs
        for i, layer in enumerate(self.layers):
            p = layer.parameters
            if i == 0 and "b" in p:
                torch.addmm(p["b"], below, p["w"], out=layer.before)
            elif i == 0:
                torch.mm(below, p["w"], out=layer.before)
            else:
                torch.bmm(self.layers[i - 1].active_stack, p["w"], out=layer.before_stack)
                if "b" in p:
                    layer.before.add_(p["b"])
            if self.shape.normalisation == "batch":
                _batch_norm(layer.before, p["g"], p["c"], layer.active, layer.mean, layer.inverse)
            elif self.shape.normalisation == "layer":
                self._layer_norm(layer)
            torch.relu_(layer.active)

    def backward(self) -> None:
        """From the gradient by the last hidden layer, in `top_back`, fill the gradient of every hidden layer."""
        for i in reversed(range(len(self.layers))):
            layer, out = self.layers[i], self.layers[i].gradient
            _relu_backward(layer.back, layer.active, 0, grad_input=layer.delta)
            if self.shape.normalisation == "batch":
                self._batch_norm_backward(layer)
            elif self.shape.normalisation == "layer":
                self._layer_norm_backward(layer)
            if "b" in out:
                torch.mv(layer.delta.t(), self.ones, out=out["b"])
            if i == 0:
                torch.mm(self.inputs.t(), layer.delta, out=out["w"])
                return
            below = self.layers[i - 1]
            torch.bmm(below.active_stack.transpose(1, 2), layer.delta_stack, out=out["w"])
            torch.bmm(layer.delta_stack, layer.parameters["w"].transpose(1, 2), out=below.back_stack)

    def _batch_norm_backward(self, layer: _Layer) -> None:
        """In place: ∂/∂x = (g/s) [ȳ - mean(ȳ) - (x - m)/s² · mean(ȳ (x - m))], with ȳ the gradient by g(x - m)/s + c.

        Gathered by powers of x into ȳ k₁ + x k₂ + k₃, so that the rows are passed over as little as possible.
        """
        p, out, share = layer.parameters, layer.gradient, -1.0 / self.rows
        torch.mv(layer.delta.t(), self.ones, out=out["c"])
        torch.mul(layer.delta, layer.before, out=layer.scratch)
        torch.mv(layer.scratch.t(), self.ones, out=out["g"])
        out["g"].addcmul_(layer.mean, out["c"], value=-1.0).mul_(layer.inverse)
        k1 = p["g"] * layer.inverse
        k2 = (k1 * layer.inverse).mul_(out["g"]).mul_(share)
        k3 = (k1 * out["c"]).mul_(share).addcmul_(layer.mean, k2, value=-1.0)
        torch.addcmul(k3, layer.before, k2, out=layer.scratch)
        torch.addcmul(layer.scratch, layer.delta, k1, out=layer.delta)

    def _layer_norm(self, layer: _Layer) -> None:
        """Normalise over the units of each network; `before` keeps the normalised rows, `scratch` 1 / s."""
        x = layer.before.view(self.rows, self.shape.networks, -1)
        normal, _, inverse = torch.native_layer_norm(x, x.shape[2:], None, None, EPSILON)
        x.copy_(normal)
        layer.scratch[:, : self.shape.networks] = inverse.squeeze(2)
        torch.addcmul(layer.parameters["c"], layer.before, layer.parameters["g"], out=layer.active)

    def _layer_norm_backward(self, layer: _Layer) -> None:
        """In place: the batch norm formula with the means over units instead of rows."""
        out = layer.gradient
        torch.sum(layer.delta, 0, out=out["c"])
        torch.sum(layer.delta * layer.before, 0, out=out["g"])
        back = (layer.delta * layer.parameters["g"]).view(self.rows, self.shape.networks, -1)
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


def _stack(rows: Tensor, networks: int) -> Tensor:
    return rows.view(rows.shape[0], networks, -1).transpose(0, 1)


def _batch_norm(x: Tensor, g: Tensor | None, c: Tensor | None, out: Tensor, mean: Tensor, inverse: Tensor) -> None:
    torch.native_batch_norm(x, g, c, None, None, True, 0.0, EPSILON, out=(out, mean, inverse))
