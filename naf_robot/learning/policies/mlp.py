"""Multilayer perceptrons as plain arrays, kind `mlp`. Numpy only: collectors must not load torch.

Published format: affine layers `w0, b0, w1, b1, ...` with `w` of shape (inputs, outputs); ReLU
between them, tanh after the last. Batch-norm statistics are folded into the layers before
publishing. Layer norm depends on the observation and cannot be folded: a layer that has it
also carries `g0, c0` (scale and shift), applied before its ReLU.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from naf_robot.core.errors import NafRobotError
from naf_robot.learning.exploration import Exploration, ExplorationSchedule, OrnsteinUhlenbeck
from naf_robot.learning.policies.registry import MLP
from naf_robot.learning.policy import Pictures, checked_action, checked_observation

LAYER_NORM_EPSILON = 1e-5
ONE = np.float32(1.0)


class MlpPolicy:
    """A deterministic policy u = tanh(f(x)), the same at every step; it explores with correlated noise.

    D observation size, A action size.
    """

    kind: ClassVar[str] = MLP

    def __init__(self, layers: Sequence[Mapping[str, NDArray[np.float32]]]) -> None:
        self._layers = [dict(layer) for layer in layers]
        self.pictures: dict[str, tuple[int, ...]] = {}
        self.observation_size = int(self._layers[0]["w"].shape[0])
        self.action_size = int(self._layers[-1]["w"].shape[1])

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float32]]) -> MlpPolicy:
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

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The arrays that `from_arrays` reads; copies."""
        return {f"{kind}{i}": array.copy() for i, layer in enumerate(self._layers) for kind, array in layer.items()}

    def exploration(self, schedule: ExplorationSchedule, generator: np.random.Generator) -> OrnsteinUhlenbeck:
        """Noise as the collector's configuration has it."""
        return OrnsteinUhlenbeck(schedule, self.action_size, generator)

    def reset(self) -> None:
        """Nothing changes from step to step."""

    def act(
        self, observation: ArrayLike, exploration: Exploration | None = None, pictures: Pictures | None = None
    ) -> NDArray[np.float32]:
        """The greedy action, or with noise and then clipped to [-1, 1].

        Raises:
            NafRobotError: as `action`.
        """
        action = self.action(observation)
        if exploration is None:
            return action
        explored: NDArray[np.float32] = np.minimum(np.maximum(action + exploration.sample(), -ONE), ONE)  # as np.clip
        return explored

    def action(self, observation: ArrayLike, pictures: Pictures | None = None) -> NDArray[np.float32]:
        """The greedy action for `observation`, shape `(D,)`: shape `(A,)`, in [-1, 1].

        Raises:
            NafRobotError: an observation of another shape or not finite, or an action that is not finite.
        """
        x = checked_observation(observation, self.observation_size)
        for layer in self._layers[:-1]:
            x = x @ layer["w"] + layer["b"]
            if "g" in layer:
                x = x - x.mean()
                x = layer["g"] * x / np.sqrt(np.mean(x * x) + np.float32(LAYER_NORM_EPSILON)) + layer["c"]
            x = np.maximum(x, np.float32(0.0))
        return checked_action(np.tanh(x @ self._layers[-1]["w"] + self._layers[-1]["b"]))


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
