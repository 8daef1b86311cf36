"""The three networks of NAF, their forward and their hand-written backward pass.

N rows, B of them with heads, D inputs, S = 3 networks (µ, L, V in this order), H units of a hidden layer.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from naf_robot.learning.naf.config import NafConfig
from naf_robot.learning.naf.layers import EPSILON, Layer, make_layers
from naf_robot.learning.naf.stacked import Moments, Normalisation, Parameters, StackShape

MU, TRIANGLE, VALUE = 0, 1, 2  # networks in the stack


def naf_shape(config: NafConfig, observation_size: int, action_size: int) -> StackShape:
    """Three networks: µ with A outputs, L with the A(A+1)/2 numbers of a triangle, V with one."""
    normalisation: Normalisation = "layer" if config.layer_norm else "none"
    if config.variant == "cross_normalised":
        normalisation = "batch"
    heads = (action_size, action_size * (action_size + 1) // 2, 1)
    return StackShape(observation_size, config.hidden, heads, normalisation)


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
    slope_t: Tensor


class Networks:
    """Forward and backward for `rows` rows, of which the first `count` have heads.

    With batch norm, `batch` holds the rows' means and, in place of variances, 1 / sqrt(variance + ε)
    (what the kernels give); the first pair is that of the inputs.
    """

    def __init__(self, parameters: Parameters, gradient: Parameters, rows: int, count: int) -> None:
        shape, device = parameters.shape, parameters.flat.device
        self.shape, self.rows = shape, rows
        self.batch = Moments(shape, device)
        self._normalised = torch.zeros(rows, shape.inputs, device=device)
        self._inputs_t = self._normalised.t()
        self._ones = torch.ones(count, device=device)
        self.layers = make_layers(parameters, gradient, rows, count, self.batch, VALUE)
        self.heads = [_head(parameters, gradient, self.layers[-1], k, count) for k in range(shape.networks)]
        self.value_top = self.layers[-1].active_stack[VALUE]  # all rows, for V(x')

    def forward(self, inputs: Tensor) -> None:
        """Run all rows of `inputs`, shape (N, D), through hidden layers and heads; `backward` reads them again."""
        if self.shape.normalisation == "batch":
            mean, inverse = self.batch.means[0], self.batch.variances[0]
            torch.native_batch_norm(
                inputs, None, None, None, None, True, 0.0, EPSILON, out=(self._normalised, mean, inverse)
            )
            inputs = self._normalised
        else:
            self._inputs_t = inputs.t()
        below = None
        for layer in self.layers:
            layer.forward(inputs, below)
            below = layer
        for head in self.heads:
            torch.addmm(head.bias, head.top, head.weight, out=head.output)

    def backward(self) -> None:
        """From the gradient by the heads' outputs, in `slope`, fill the gradient of every parameter."""
        for head in self.heads:
            torch.mm(head.top_t, head.slope, out=head.weight_gradient)
            torch.mv(head.slope_t, self._ones, out=head.bias_gradient)
            torch.mm(head.slope, head.weight_t, out=head.back)
        for i in reversed(range(len(self.layers))):
            self.layers[i].backward(self._inputs_t, self.layers[i - 1] if i else None)


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
        return torch.addmv(self.bias, inputs, self.weight, out=self.value)


def _head(parameters: Parameters, gradient: Parameters, last: Layer, index: int, count: int) -> Head:
    weight, bias = parameters.heads[index]
    output, slope = (torch.zeros(count, weight.shape[1], device=weight.device) for _ in range(2))
    top, back = last.active_stack[index, :count], last.back_stack[index]
    return Head(weight, weight.t(), bias, *gradient.heads[index], top, top.t(), back, output, slope, slope.t())
