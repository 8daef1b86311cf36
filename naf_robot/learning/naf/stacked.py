"""A stack of equally shaped networks as one flat parameter vector. D inputs, H units, S networks, N rows.

Layer i of all networks is one matrix product: the first layer reads the same inputs, so its weights
stand side by side, (D, S·H); later layers are a batched product over weights (S, H, H). Activations
are (N, S·H), seen as a stack (S, N, H) through a view. Each network has a head of its own width.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

Normalisation = Literal["none", "batch", "layer"]
VECTORS: dict[Normalisation, tuple[str, ...]] = {"none": ("b",), "batch": ("g", "c"), "layer": ("b", "g", "c")}
LINE = 16  # floats in a cache line: arrays start on one
LANES = 16  # columns per step of the CPU's product kernels: heads are padded to it, unless one column wide


@dataclass(frozen=True)
class StackShape:
    """What decides the layout of the parameters."""

    inputs: int
    hidden: tuple[int, ...]
    heads: tuple[int, ...]  # outputs of each network
    normalisation: Normalisation

    @property
    def networks(self) -> int:
        """Networks in the stack."""
        return len(self.heads)

    def weight_shapes(self) -> list[tuple[int, ...]]:
        """Shape of each hidden layer's weights."""
        first, *later = pairwise((self.inputs, *self.hidden))
        return [(first[0], self.networks * first[1]), *((self.networks, *sizes) for sizes in later)]


class Parameters:
    """Views into one flat float32 vector, `flat` where it is given; also used for gradients and targets.

    `layers[i]` maps "w" to the weights and, each (S·H,), the bias "b" (absent before batch norm,
    which would cancel it), scale "g" and shift "c" of the normalisation. `heads[k]` is a pair of
    weight (H, W) and bias (W,), with W the head's width rounded up to `LANES`; the surplus
    columns are zero and stay so, because their gradient is zero.
    """

    def __init__(self, shape: StackShape, device: torch.device, flat: Tensor | None = None) -> None:
        self.shape = shape
        sizes: list[tuple[int, ...]] = []
        for weight, units in zip(shape.weight_shapes(), shape.hidden, strict=True):
            sizes += [weight, *[(shape.networks * units,)] * len(VECTORS[shape.normalisation])]
        for width in map(padded, shape.heads):
            sizes += [(shape.hidden[-1], width), (width,)]
        starts = [0]
        for size in sizes:
            starts.append(starts[-1] + _round_up(math.prod(size), LINE))
        self.flat = torch.zeros(starts[-1], device=device) if flat is None else flat
        views = [
            self.flat[start : start + math.prod(size)].view(size)
            for start, size in zip(starts[:-1], sizes, strict=True)
        ]
        names = ("w", *VECTORS[shape.normalisation])
        depth = len(shape.hidden) * len(names)
        self.layers = [dict(zip(names, views[i : i + len(names)], strict=True)) for i in range(0, depth, len(names))]
        self.heads = [(views[i], views[i + 1]) for i in range(depth, len(views), 2)]

    def network(self, index: int) -> tuple[list[dict[str, Tensor]], tuple[Tensor, Tensor]]:
        """Network `index` by itself: its layers, and its head without padding; views, not copies."""
        layers = []
        for units, layer in zip(self.shape.hidden, self.layers, strict=True):
            own = slice(index * units, (index + 1) * units)
            layers.append({name: array[own] for name, array in layer.items() if name != "w"})
            layers[-1]["w"] = layer["w"][:, own] if layer["w"].ndim == 2 else layer["w"][index]
        (weight, bias), width = self.heads[index], self.shape.heads[index]
        return layers, (weight[:, :width], bias[:width])

    def initialise(self, generator: torch.Generator) -> None:
        """Weights and biases uniform in ± 1/sqrt(inputs), PyTorch's habit; normalisation scales 1, shifts 0."""
        for layer in self.layers:
            bound = 1.0 / math.sqrt(layer["w"].shape[-2])
            for name in ("w", "b"):
                if name in layer:
                    _fill_uniform(layer[name], bound, generator)
            if "g" in layer:
                layer["g"].fill_(1.0)
        for k in range(self.shape.networks):
            weight, bias = self.network(k)[1]
            bound = 1.0 / math.sqrt(weight.shape[0])
            _fill_uniform(weight, bound, generator)
            _fill_uniform(bias, bound, generator)


class Moments:
    """Mean and variance of the inputs and of each hidden layer before its ReLU, in one flat vector.

    `means` and `variances` hold one view per normalised layer, (D,) for the inputs, then (S·H,).
    """

    def __init__(self, shape: StackShape, device: torch.device) -> None:
        widths = [shape.inputs, *(shape.networks * units for units in shape.hidden)]
        self.flat = torch.zeros(2, sum(widths), device=device)
        self.mean, self.variance = self.flat.unbind()
        self.variance.fill_(1.0)
        self.means, self.variances = list(self.mean.split(widths)), list(self.variance.split(widths))


def padded(width: int) -> int:
    """Columns that a head of `width` outputs takes in memory."""
    return width if width == 1 else _round_up(width, LANES)


def _fill_uniform(array: Tensor, bound: float, generator: torch.Generator) -> None:
    array.copy_(torch.rand(array.shape, generator=generator) * (2.0 * bound) - bound)


def _round_up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple
