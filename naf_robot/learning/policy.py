"""The acting half of every algorithm, as plain arrays. Numpy only: collectors must not load torch.

Published format: affine layers `w0, b0, w1, b1, ...` with `w` of shape (inputs, outputs); ReLU
between them, tanh after the last. Batch-norm statistics are folded into the layers before
publishing. Layer norm depends on the observation and cannot be folded: a layer that has it
also carries `g0, c0` (scale and shift), applied before its ReLU.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from naf_robot.core.errors import NafRobotError

LAYER_NORM_EPSILON = 1e-5


class Policy:
    """A deterministic policy u = tanh(f(x)). D observation size, A action size."""

    def __init__(self, layers: Sequence[Mapping[str, NDArray[np.float32]]]) -> None:
        self._layers = [dict(layer) for layer in layers]
        self.observation_size = int(self._layers[0]["w"].shape[0])
        self.action_size = int(self._layers[-1]["w"].shape[1])

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float32]]) -> "Policy":
        """Build a policy from published arrays; they are copied.

        Raises:
            NafRobotError: an array that is missing, unknown, misshapen or not finite.
        """
        count = sum(name.startswith("w") for name in arrays)
        layers = [_layer(arrays, i, last=i == count - 1) for i in range(count)]
        known = {f"{kind}{i}" for i, layer in enumerate(layers) for kind in layer}
        if not layers or known != set(arrays):
            raise NafRobotError(f"policy arrays must be w0, b0, w1, b1, ...; got {sorted(arrays)}")
        for i in range(1, count):
            if layers[i]["w"].shape[0] != layers[i - 1]["w"].shape[1]:
                raise NafRobotError(
                    f"policy layer {i} takes {layers[i]['w'].shape[0]} numbers, "
                    f"layer {i - 1} gives {layers[i - 1]['w'].shape[1]}"
                )
        return cls(layers)

    @classmethod
    def zero(cls, observation_size: int, action_size: int) -> "Policy":
        """A policy that stands still: the action is zero for every observation."""
        weights = np.zeros((observation_size, action_size), np.float32)
        return cls.from_arrays({"w0": weights, "b0": np.zeros(action_size, np.float32)})

    @classmethod
    def random(
        cls, observation_size: int, action_size: int, generator: np.random.Generator, hidden: Sequence[int] = (100, 100)
    ) -> "Policy":
        """An untrained policy with weights uniform in ± 1/sqrt(inputs)."""
        sizes = (observation_size, *hidden, action_size)
        arrays = {}
        for i, (inputs, outputs) in enumerate(pairwise(sizes)):
            bound = 1.0 / np.sqrt(inputs)
            arrays[f"w{i}"] = generator.uniform(-bound, bound, (inputs, outputs)).astype(np.float32)
            arrays[f"b{i}"] = generator.uniform(-bound, bound, outputs).astype(np.float32)
        return cls.from_arrays(arrays)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The arrays that `from_arrays` reads; copies."""
        return {f"{kind}{i}": array.copy() for i, layer in enumerate(self._layers) for kind, array in layer.items()}

    def action(self, observation: ArrayLike) -> NDArray[np.float32]:
        """The greedy action for `observation`, shape `(D,)`: shape `(A,)`, in [-1, 1].

        Raises:
            NafRobotError: an observation of another shape or not finite.
        """
        x = np.asarray(observation, np.float32)
        if x.shape != (self.observation_size,):
            raise NafRobotError(f"policy takes an observation of shape ({self.observation_size},), got {x.shape}")
        if not np.isfinite(x).all():
            raise NafRobotError(f"observation is not finite at {np.flatnonzero(~np.isfinite(x)).tolist()}")
        for layer in self._layers[:-1]:
            x = x @ layer["w"] + layer["b"]
            if "g" in layer:
                x = x - x.mean()
                x = layer["g"] * x / np.sqrt(np.mean(x * x) + np.float32(LAYER_NORM_EPSILON)) + layer["c"]
            x = np.maximum(x, np.float32(0.0))
        action: NDArray[np.float32] = np.tanh(x @ self._layers[-1]["w"] + self._layers[-1]["b"])
        if not np.isfinite(action).all():  # overflow inside: weights are finite, checked when they came
            raise NafRobotError("policy gave an action that is not finite")
        return action


def _layer(arrays: Mapping[str, NDArray[np.float32]], index: int, last: bool) -> dict[str, NDArray[np.float32]]:
    if f"w{index}" not in arrays or f"b{index}" not in arrays:
        raise NafRobotError(f"policy arrays lack w{index} or b{index}; got {sorted(arrays)}")
    kinds = ("w", "b") if last or f"g{index}" not in arrays else ("w", "b", "g", "c")
    layer = {kind: np.array(arrays.get(f"{kind}{index}", []), np.float32) for kind in kinds}
    if layer["w"].ndim != 2 or any(layer[kind].shape != layer["w"].shape[1:] for kind in kinds[1:]):
        raise NafRobotError(f"policy layer {index} has arrays of shapes { {k: a.shape for k, a in layer.items()} }")
    for kind, array in layer.items():
        if not np.isfinite(array).all():
            raise NafRobotError(f"policy array {kind}{index} holds values that are not finite")
    return layer
