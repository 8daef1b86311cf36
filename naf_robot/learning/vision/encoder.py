"""A small encoder of pictures: convolutions and a spatial soft-argmax (Levine et al. 2016, section 5.2).

N pictures, H x W pixels, C channels of the last convolution, F = 2 C features of each camera.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from naf_robot.core.array_spec import ArraySpec
from naf_robot.learning.vision.config import EncoderConfig

CHANNELS = 3


class CameraEncoder(nn.Module):
    """The features of one camera's pictures: for each channel the mean row and column of its softmax, in [-1, 1].

    Such a feature is a place in the picture, so that a small network can tell where something is.
    """

    def __init__(self, config: EncoderConfig, height: int, width: int, generator: torch.Generator) -> None:
        super().__init__()
        counts = pairwise((CHANNELS, *config.channels))
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, kernel, stride)
            for (before, after), kernel, stride in zip(counts, config.kernels, config.strides, strict=True)
        )
        for layer in self.convolutions:
            assert isinstance(layer, nn.Conv2d)
            bound = layer.weight[0].numel() ** -0.5
            with torch.no_grad():
                for parameter in layer.parameters():
                    parameter.copy_(torch.rand(parameter.shape, generator=generator) * 2.0 * bound - bound)
        self.sharpness: nn.Parameter = nn.Parameter(
            torch.ones(config.channels[-1])
        )  # inverse temperature of each softmax
        self.picture_size = (height, width)
        rows, columns = config.sizes(height, width)[-1]
        self.rows: Tensor
        self.columns: Tensor
        self.register_buffer("rows", torch.linspace(-1.0, 1.0, rows), persistent=False)
        self.register_buffer("columns", torch.linspace(-1.0, 1.0, columns), persistent=False)
        self.size = 2 * config.channels[-1]

    def forward(self, pictures: Tensor) -> Tensor:
        """Features (N, F) of `pictures`, float (N, 3, H, W), in [-0.5, 0.5]: all rows, then all columns."""
        *first, last = self.convolutions
        for layer in first:
            pictures = torch.relu(layer(pictures))
        scores = last(pictures) * self.sharpness.view(1, -1, 1, 1)
        weights = torch.softmax(scores.flatten(2), dim=2).view_as(scores)
        rows, columns = (weights.sum(axis) for axis in (3, 2))
        return torch.cat(((rows * self.rows).sum(2), (columns * self.columns).sum(2)), dim=1)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """What a policy of kind `vision` needs of this camera: `w0` (k, k, in, out), `b0`, ..., and the rest."""
        arrays: dict[str, NDArray[np.float32]] = {}
        strides = []
        for i, layer in enumerate(self.convolutions):
            assert isinstance(layer, nn.Conv2d)
            arrays[f"w{i}"] = layer.weight.detach().permute(2, 3, 1, 0).cpu().numpy().copy()
            assert layer.bias is not None
            arrays[f"b{i}"] = layer.bias.detach().cpu().numpy().copy()
            strides.append(layer.stride[0])
        arrays["sharpness"] = self.sharpness.detach().cpu().numpy().copy()
        return arrays | {"strides": np.array(strides, np.float32), "size": np.array(self.picture_size, np.float32)}


class Encoder(nn.Module):
    """The features of all cameras, by their names in alphabetical order."""

    def __init__(self, config: EncoderConfig, images: Sequence[ArraySpec], generator: torch.Generator) -> None:
        super().__init__()
        self.names = tuple(sorted(image.name for image in images))
        shapes = {image.name: image.shape for image in images}
        self.cameras = nn.ModuleList(
            CameraEncoder(config, shapes[name][0], shapes[name][1], generator) for name in self.names
        )
        self.size = sum(camera.size for camera in self._encoders())

    def _encoders(self) -> list[CameraEncoder]:
        return [camera for camera in self.cameras if isinstance(camera, CameraEncoder)]

    def forward(self, pictures: Mapping[str, Tensor]) -> Tensor:
        """Features (N, F) of the cameras' pictures, each float (N, 3, H, W) in [-0.5, 0.5]."""
        features = [encoder(pictures[name]) for name, encoder in zip(self.names, self._encoders(), strict=True)]
        return torch.cat(features, dim=1)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The arrays of each camera, as `<camera>.<array>`."""
        return {
            f"{name}.{key}": array
            for name, encoder in zip(self.names, self._encoders(), strict=True)
            for key, array in encoder.arrays().items()
        }
