"""The three networks of NAF as one flat parameter vector, with stacked views for batched products.

D observation, A action, H units of a hidden layer, N rows of a batch. The networks µ, L and V
have equal hidden layers, so layer i of all three is one product over a stack (3, inputs, outputs).
Flat order: head of µ, hidden layers of µ, of L, of V, head of V, head of L; so µ and V are contiguous.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

Normalisation = Literal["none", "batch", "layer"]
ALIGNMENT = 16  # floats: every array starts on its own cache line
EPSILON = 1e-5  # added to the variance in batch and layer norm


@dataclass(frozen=True)
class Shape:
    """What decides the layout of the parameters."""

    observation_size: int
    action_size: int
    hidden: tuple[int, ...]
    normalisation: Normalisation

    @property
    def triangle_size(self) -> int:
        """Numbers in the lower triangle of L, the diagonal first."""
        return self.action_size * (self.action_size + 1) // 2

    def layer_sizes(self) -> list[tuple[int, int]]:
        """Inputs and outputs of each hidden layer."""
        sizes = (self.observation_size, *self.hidden)
        return list(pairwise(sizes))


class Parameters:
    """Views into one flat float32 vector.

    `layers[i]` maps "w" (3, inputs, outputs) and, each (3, 1, outputs), the bias "b" (absent before
    batch norm, which would cancel it), scale "g" and shift "c" of the normalisation.
    `heads[k]` is the pair weight (H, outputs), bias (outputs,) of k = 0 µ, 1 L, 2 V.
    """

    def __init__(self, shape: Shape, device: torch.device) -> None:
        self.shape = shape
        vectors = {"none": ("b",), "batch": ("g", "c"), "layer": ("b", "g", "c")}[shape.normalisation]
        last = shape.hidden[-1]
        head_sizes = (shape.action_size, shape.triangle_size, 1)
        head_spans = [_aligned(last * size) + _aligned(size) for size in head_sizes]
        trunk = sum(_aligned(n * m) + len(vectors) * _aligned(m) for n, m in shape.layer_sizes())
        total = sum(head_spans) + 3 * trunk
        self.flat = torch.zeros(total, device=device)
        self.mu_span = slice(0, head_spans[0] + trunk)
        self.v_span = slice(head_spans[0] + 2 * trunk, head_spans[0] + 3 * trunk + head_spans[2])

        stack = self.flat[head_spans[0] : head_spans[0] + 3 * trunk].view(3, trunk)
        self.layers: list[dict[str, Tensor]] = []
        start = 0
        for inputs, outputs in shape.layer_sizes():
            layer = {"w": stack[:, start : start + inputs * outputs].unflatten(1, (inputs, outputs))}
            start += _aligned(inputs * outputs)
            for name in vectors:
                layer[name] = stack[:, start : start + outputs].unsqueeze(1)
                start += _aligned(outputs)
            self.layers.append(layer)

        starts = (0, total - head_spans[1], total - head_spans[1] - head_spans[2])
        self.heads: list[tuple[Tensor, Tensor]] = []
        for start, size in zip(starts, head_sizes, strict=True):
            bias = start + _aligned(last * size)
            weight = self.flat[start : start + last * size].view(last, size)
            self.heads.append((weight, self.flat[bias : bias + size]))

    def initialise(self, generator: torch.Generator) -> None:
        """Weights and biases uniform in ± 1/sqrt(inputs), PyTorch's habit; normalisation scales 1, shifts 0."""
        for layer in self.layers:
            bound = 1.0 / math.sqrt(layer["w"].shape[1])
            for name in ("w", "b"):
                if name in layer:
                    layer[name].copy_(_uniform(layer[name].shape, bound, generator))
            if "g" in layer:
                layer["g"].fill_(1.0)
        for weight, bias in self.heads:
            bound = 1.0 / math.sqrt(weight.shape[0])
            weight.copy_(_uniform(weight.shape, bound, generator))
            bias.copy_(_uniform(bias.shape, bound, generator))


def _uniform(shape: torch.Size, bound: float, generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator) * (2.0 * bound) - bound


def _aligned(count: int) -> int:
    return -(-count // ALIGNMENT) * ALIGNMENT


class Statistics:
    """Running mean and variance of the input and of each hidden layer, in one flat vector.

    `layers[i]` is the pair mean, variance, each (3, 1, outputs); they start at 0 and 1.
    """

    def __init__(self, shape: Shape, device: torch.device) -> None:
        inputs = shape.observation_size
        self.flat = torch.zeros(2 * inputs + 6 * sum(shape.hidden), device=device)
        self.input_mean, self.input_variance = self.flat[:inputs], self.flat[inputs : 2 * inputs]
        self.layers: list[tuple[Tensor, Tensor]] = []
        start = 2 * inputs
        for units in shape.hidden:
            pair = self.flat[start : start + 6 * units].view(2, 3, 1, units)
            self.layers.append((pair[0], pair[1]))
            start += 6 * units
        self.input_variance.fill_(1.0)
        for _, variance in self.layers:
            variance.fill_(1.0)
