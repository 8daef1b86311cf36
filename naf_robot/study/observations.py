"""What an environment's observations are to a learner: a flat vector, and pictures. D, H, W sizes."""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from naf_robot.core.array_spec import ArraySpec
from naf_robot.core.errors import ConfigError

PICTURE_CHANNELS = 3


class Observations:
    """Takes the observations of `space` apart: a Box (D,), or a Dict of such and of pictures, uint8 Box (H, W, 3).

    Vectors of a Dict stand one after the other in the order of its keys.

    Raises:
        ConfigError: a space of another kind.
    """

    def __init__(self, space: gymnasium.Space) -> None:
        named = space.spaces if isinstance(space, gymnasium.spaces.Dict) else {"": space}
        shapes = {name: _shape(name, each) for name, each in named.items()}
        self._vectors = [name for name, shape in shapes.items() if len(shape) == 1]
        self.size = sum(shapes[name][0] for name in self._vectors)  # D
        self.images = tuple(
            ArraySpec(name, shape, dtype="uint8") for name, shape in sorted(shapes.items()) if len(shape) > 1
        )
        if not self.size:
            raise ConfigError(f"the observation space must hold a one-dimensional Box beside pictures, got {space}")

    def vector(self, observation: Any) -> NDArray[np.float32]:
        """The flat vector (D,) of one observation."""
        if not isinstance(observation, Mapping):
            return np.asarray(observation, np.float32)
        return np.concatenate([np.asarray(observation[name], np.float32) for name in self._vectors])

    def pictures(self, observation: Any) -> dict[str, NDArray[np.uint8]]:
        """The pictures (H, W, 3) of one observation, by name."""
        return {image.name: observation[image.name] for image in self.images}


def _shape(name: str, space: gymnasium.Space) -> tuple[int, ...]:
    if isinstance(space, gymnasium.spaces.Box):
        shape: tuple[int, ...] = space.shape
        if len(shape) == 1 or (name and space.dtype == np.uint8 and len(shape) == 3 and shape[2] == PICTURE_CHANNELS):
            return shape
    where = f"{name!r} of the observation space" if name else "the observation space"
    pictures = ", or a picture, a Box of uint8 (H, W, 3)" if name else ", or a Dict of such and of pictures"
    raise ConfigError(f"{where} must be a one-dimensional Box{pictures}, got {space}")
