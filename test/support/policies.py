"""Policies that nobody trained."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from naf_robot.learning.policies.mlp import MlpPolicy
from naf_robot.learning.policies.vision import VisionPolicy


def untrained(observation_size: int, action_size: int, seed: int = 0, hidden: Sequence[int] = (100, 100)) -> MlpPolicy:
    """A policy with weights uniform in ± 1/sqrt(inputs)."""
    generator, arrays = np.random.default_rng(seed), {}
    for i, (inputs, outputs) in enumerate(pairwise((observation_size, *hidden, action_size))):
        bound = 1.0 / np.sqrt(inputs)
        arrays[f"w{i}"] = generator.uniform(-bound, bound, (inputs, outputs)).astype(np.float32)
        arrays[f"b{i}"] = generator.uniform(-bound, bound, outputs).astype(np.float32)
    return MlpPolicy.from_arrays(arrays)


def standing_still(observation_size: int, action_size: int) -> MlpPolicy:
    """A policy whose action is zero for every observation."""
    weights = np.zeros((observation_size, action_size), np.float32)
    return MlpPolicy.from_arrays({"w0": weights, "b0": np.zeros(action_size, np.float32)})


def seeing(observation_size: int, action_size: int, seed: int = 0, height: int = 12, width: int = 16) -> VisionPolicy:
    """A policy of a flat vector and of the pictures of `camera`, with random weights: two convolutions."""
    generator, channels = np.random.default_rng(seed), (4, 3)
    mlp = untrained(observation_size + 2 * channels[-1], action_size, seed, hidden=(8,)).arrays()
    arrays = {"strides": [2, 1], "sharpness": generator.uniform(0.5, 2.0, channels[-1]), "size": [height, width]}
    for i, (inputs, outputs) in enumerate(pairwise((3, *channels))):
        arrays |= {f"w{i}": generator.normal(size=(3, 3, inputs, outputs)), f"b{i}": generator.normal(size=outputs)}
    camera = {f"camera.{name}": np.array(array, np.float32) for name, array in arrays.items()}
    return VisionPolicy.from_arrays(mlp | camera)
