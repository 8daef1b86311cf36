"""NAF's greedy policy µ in the published format. D observation, A action size, H hidden units."""

import torch
from numpy.typing import NDArray
from torch import Tensor

from naf_robot.learning.naf.networks import EPSILON, Parameters, Statistics


def policy_arrays(parameters: Parameters, statistics: Statistics | None) -> dict[str, NDArray]:
    """µ as affine layers `w0, b0, ...`, float32, batch norm folded in.

    With running mean m and variance s² of a layer's normalisation, scale g and shift c:
    g (W x - m) / s + c is the affine layer with weight W g / s and bias c - m g / s. The
    normalisation of the input folds into the first layer in the same way. Computed in
    float64, so that folding costs no precision.
    """
    arrays: dict[str, Tensor] = {}
    for i, layer in enumerate(parameters.layers):
        weight = layer["w"][0].double()
        bias = layer["b"][0, 0].double() if "b" in layer else torch.zeros(weight.shape[1], dtype=torch.float64)
        if statistics is not None:
            bias = bias.to(weight.device)
            if i == 0:
                inverse = torch.rsqrt(statistics.input_variance.double() + EPSILON)
                bias = bias - (statistics.input_mean.double() * inverse) @ weight
                weight = weight * inverse.unsqueeze(1)
            mean, variance = statistics.layers[i]
            gain = layer["g"][0, 0].double() * torch.rsqrt(variance[0, 0].double() + EPSILON)
            bias = layer["c"][0, 0].double() + (bias - mean[0, 0].double()) * gain
            weight = weight * gain
        elif "g" in layer:
            arrays[f"g{i}"], arrays[f"c{i}"] = layer["g"][0, 0], layer["c"][0, 0]
        arrays[f"w{i}"], arrays[f"b{i}"] = weight, bias
    last = len(parameters.layers)
    arrays[f"w{last}"], arrays[f"b{last}"] = parameters.heads[0]
    return {name: array.detach().float().cpu().numpy().copy() for name, array in arrays.items()}
