"""NAF's greedy policy µ in the published format. H hidden units."""

import numpy as np
import torch
from numpy.typing import NDArray

from naf_robot.learning.naf.networks import EPSILON, MU
from naf_robot.learning.naf.stacked import Moments, Parameters


def policy_arrays(parameters: Parameters, moments: Moments | None) -> dict[str, NDArray[np.float32]]:
    """µ as affine layers `w0, b0, ...`, float32, with batch norm's running `moments` folded in.

    With running mean m and variance s² of a layer, scale g and shift c: g (x W - m) / s + c is
    the affine layer with weight W g / s and bias c - m g / s. The normalisation of the inputs folds
    into the first layer in the same way. Computed in float64, so that folding costs no precision.
    """
    layers, (last_weight, last_bias) = parameters.network(MU)
    arrays: dict[str, torch.Tensor] = {}
    for i, layer in enumerate(layers):
        own = {name: array.double() for name, array in layer.items()}
        if moments is None:
            arrays |= {f"{name}{i}": array for name, array in own.items()}
            continue
        units = own["g"].shape[0]
        mean = moments.means[i + 1][:units].double()
        gain = own["g"] * torch.rsqrt(moments.variances[i + 1][:units].double() + EPSILON)
        weight, bias = own["w"] * gain, own["c"] - mean * gain
        if i == 0:
            inverse = torch.rsqrt(moments.variances[0].double() + EPSILON)
            bias = bias - (moments.means[0].double() * inverse) @ weight
            weight = weight * inverse.unsqueeze(1)
        arrays[f"w{i}"], arrays[f"b{i}"] = weight, bias
    arrays[f"w{len(layers)}"], arrays[f"b{len(layers)}"] = last_weight, last_bias
    return {name: np.array(array.cpu().numpy(), np.float32) for name, array in arrays.items()}
