"""Policies that see, kind `vision`, as plain arrays: an encoder of each camera before an `mlp`. Numpy only.

Published format: the arrays of kind `mlp`, whose first layer takes the flat vector and then the features of the
cameras in alphabetical order; and of each camera `<camera>.w0` (k, k, in, out), `<camera>.b0` and so on of its
convolutions, with ReLU between them, `<camera>.strides` (L,), `<camera>.sharpness` (C,) of the softmax over the
places of the last one's C channels, and `<camera>.size` (2,), height and width of the pictures. Pixels enter as
p / 255 - 0.5; the features are the mean rows and then the mean columns of each softmax, in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from naf_robot.core.errors import NafRobotError
from naf_robot.learning.exploration import Exploration, ExplorationSchedule, OrnsteinUhlenbeck
from naf_robot.learning.policies.mlp import MlpPolicy
from naf_robot.learning.policies.registry import VISION
from naf_robot.learning.policy import Pictures, checked_observation

CHANNELS = 3
FIXED = ("strides", "sharpness", "size")


class VisionPolicy:
    """A deterministic policy of a flat vector and pictures, the same at every step; it explores with correlated noise.

    D size of the vector, A action size.
    """

    kind: ClassVar[str] = VISION

    def __init__(self, cameras: Mapping[str, CameraFeatures], mlp: MlpPolicy) -> None:
        self._cameras, self._mlp = dict(cameras), mlp
        self.pictures = {name: camera.shape for name, camera in cameras.items()}
        self.observation_size = mlp.observation_size - sum(camera.size for camera in cameras.values())
        self.action_size = mlp.action_size

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float32]]) -> VisionPolicy:
        """Build a policy from published arrays; they are copied.

        Raises:
            NafRobotError: an array that is missing, unknown, misshapen or not finite.
        """
        of_camera: dict[str, dict[str, NDArray[np.float32]]] = {}
        rest: dict[str, NDArray[np.float32]] = {}
        for name, array in arrays.items():
            camera, dot, own = name.rpartition(".")
            (of_camera.setdefault(camera, {}) if dot else rest)[own] = np.array(array, np.float32)
            if not np.isfinite(array).all():
                raise NafRobotError(f"policy array {name} holds values that are not finite")
        if not of_camera:
            raise NafRobotError(f"a policy of kind vision needs the arrays of a camera; got {sorted(arrays)}")
        cameras = {name: CameraFeatures(name, of_camera[name]) for name in sorted(of_camera)}
        mlp, features = MlpPolicy.from_arrays(rest), sum(camera.size for camera in cameras.values())
        if mlp.observation_size <= features:
            raise NafRobotError(f"policy layer 0 takes {mlp.observation_size} numbers, the cameras give {features}")
        return cls(cameras, mlp)

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """The arrays that `from_arrays` reads; copies."""
        own = {f"{name}.{key}": a.copy() for name, camera in self._cameras.items() for key, a in camera.arrays.items()}
        return self._mlp.arrays() | own

    def exploration(self, schedule: ExplorationSchedule, generator: np.random.Generator) -> OrnsteinUhlenbeck:
        """Noise as the collector's configuration has it."""
        return self._mlp.exploration(schedule, generator)

    def reset(self) -> None:
        """Nothing changes from step to step."""

    def act(
        self, observation: ArrayLike, exploration: Exploration | None = None, pictures: Pictures | None = None
    ) -> NDArray[np.float32]:
        """The greedy action, or with noise and then clipped to [-1, 1].

        Raises:
            NafRobotError: as `action`.
        """
        return self._mlp.act(self._input(observation, pictures), exploration)

    def action(self, observation: ArrayLike, pictures: Pictures | None = None) -> NDArray[np.float32]:
        """The greedy action for `observation`, shape `(D,)`, and pictures uint8 (H, W, 3) by camera: shape `(A,)`.

        Raises:
            NafRobotError: an observation of another shape or not finite, a picture that is missing or of another
                shape, or an action that is not finite.
        """
        return self._mlp.action(self._input(observation, pictures))

    def _input(self, observation: ArrayLike, pictures: Pictures | None) -> NDArray[np.float32]:
        parts = [checked_observation(observation, self.observation_size)]
        for name, camera in self._cameras.items():
            if pictures is None or name not in pictures:
                raise NafRobotError(f"policy takes pictures of {', '.join(self._cameras)}; {name} is missing")
            parts.append(camera.features(pictures[name]))
        return np.concatenate(parts)


class CameraFeatures:
    """The encoder of one camera.

    Raises:
        NafRobotError: arrays that are no encoder.
    """

    def __init__(self, name: str, arrays: Mapping[str, NDArray[np.float32]]) -> None:
        self._name, self.arrays = name, dict(arrays)
        count = sum(key.startswith("w") for key in arrays)
        expected = {*FIXED, *(f"{kind}{i}" for kind in "wb" for i in range(count))}
        if not count or set(arrays) != expected:
            raise NafRobotError(f"policy arrays of camera {name!r} must be {sorted(expected)}, got {sorted(arrays)}")
        shapes = {key: array.shape for key, array in arrays.items()}
        channels = CHANNELS
        for i in range(count):
            w = shapes[f"w{i}"]
            if len(w) != 4 or w[0] != w[1] or w[2] != channels or shapes[f"b{i}"] != (w[3],):
                raise NafRobotError(f"policy arrays of camera {name!r} do not fit together: {shapes}")
            channels = w[3]
        if shapes["strides"] != (count,) or shapes["sharpness"] != (channels,) or shapes["size"] != (2,):
            raise NafRobotError(f"policy arrays of camera {name!r} do not fit together: {shapes}")
        self._strides = [int(stride) for stride in arrays["strides"]]
        height, width = (int(size) for size in arrays["size"])
        if min(self._strides) < 1 or (arrays["strides"] % 1).any() or (arrays["size"] % 1).any():
            raise NafRobotError(f"policy arrays of camera {name!r}: strides and size must be whole and positive")
        self.shape = (height, width, CHANNELS)
        for i, stride in enumerate(self._strides):
            kernel = shapes[f"w{i}"][0]
            height, width = (height - kernel) // stride + 1, (width - kernel) // stride + 1
            if min(height, width) < 2:
                raise NafRobotError(f"policy arrays of camera {name!r}: pictures too small for the convolutions")
        self._rows, self._columns = (np.linspace(-1.0, 1.0, size, dtype=np.float32) for size in (height, width))
        self._layers = [
            (arrays[f"w{i}"].reshape(-1, arrays[f"w{i}"].shape[-1]), arrays[f"b{i}"], arrays[f"w{i}"].shape[0])
            for i in range(count)
        ]
        self.size = 2 * channels

    def features(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The features (2 C,) of `picture`, uint8 (H, W, 3).

        Raises:
            NafRobotError: a picture of another shape or type.
        """
        if picture.shape != self.shape or picture.dtype != np.uint8:
            raise NafRobotError(
                f"policy takes pictures of {self._name} of uint8 {self.shape}, got {picture.dtype} {picture.shape}"
            )
        x = picture.astype(np.float32) / np.float32(255.0) - np.float32(0.5)
        for i, ((weight, bias, kernel), stride) in enumerate(zip(self._layers, self._strides, strict=True)):
            if i:
                x = np.maximum(x, np.float32(0.0))
            windows = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(0, 1))
            windows = windows[::stride, ::stride].transpose(0, 1, 3, 4, 2)
            rows, columns = windows.shape[:2]
            x = (windows.reshape(rows * columns, -1) @ weight + bias).reshape(rows, columns, -1)
        scores = x * self.arrays["sharpness"]
        weights = np.exp(scores - scores.max(axis=(0, 1)))
        weights /= weights.sum(axis=(0, 1))
        return np.concatenate((self._rows @ weights.sum(axis=1), self._columns @ weights.sum(axis=0)))
