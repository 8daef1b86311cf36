"""Configuration of the encoder of pictures, the same for every algorithm. Loads no torch."""

from typing import Annotated

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.types import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, UnitInterval

Layers = Annotated[tuple[PositiveInt, ...], msgspec.Meta(min_length=1)]


class EncoderConfig(Config, frozen=True):
    """Convolutions, then for each of the last one's channels the place in the picture where it is strongest."""

    channels: Layers = (16, 16)  # channels of each convolution; two features for each channel of the last one
    kernels: Layers = (4, 3)  # edge of each convolution's kernel [pixels]
    strides: Layers = (4, 1)  # step of each convolution [pixels]
    learning_rate: PositiveFloat = 1e-3  # learning rate of Adam for the encoder
    shift: NonNegativeInt = 1  # pictures are moved by up to so many pixels while learning, each side repeated
    brightness: UnitInterval = 0.03  # by which each colour is changed at most while learning, 1 the whole range
    contrast: NonNegativeFloat = 0.1  # share by which contrast is changed at most while learning

    def __post_init__(self) -> None:
        """Check the relations between fields."""
        if not len(self.channels) == len(self.kernels) == len(self.strides):
            raise ValueError(
                "encoder needs channels, kernels and strides of every convolution, got "
                f"{len(self.channels)}, {len(self.kernels)} and {len(self.strides)}"
            )

    def sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        """Rows and columns after each convolution of a picture of `height` x `width`.

        Raises:
            ValueError: the picture is too small.
        """
        sizes = []
        for kernel, stride in zip(self.kernels, self.strides, strict=True):
            height, width = (height - kernel) // stride + 1, (width - kernel) // stride + 1
            if min(height, width) < 2:
                raise ValueError("the pictures are too small for the encoder's convolutions")
            sizes.append((height, width))
        return sizes
