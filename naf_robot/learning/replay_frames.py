"""The compressed pictures of a replay buffer, by the row of their observation."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from naf_robot.core.array_spec import ArraySpec
from naf_robot.core.errors import NafRobotError
from naf_robot.core.frames import Frames


class ReplayFrames:
    """Bytes of pictures of the cameras `specs`; decoded when asked for."""

    def __init__(self, specs: Sequence[ArraySpec], max_bytes: int) -> None:
        self._specs = tuple(specs)
        self._max_bytes = max_bytes
        self._rows: dict[int, tuple[bytes, ...]] = {}  # in the order of the specs
        self.bytes = 0

    @property
    def is_over(self) -> bool:
        """Whether there are more bytes than allowed."""
        return self.bytes > self._max_bytes

    def put(self, rows: NDArray[np.int64], fresh: NDArray[np.int64], images: Mapping[str, Frames]) -> None:
        """Keep the pictures with the indices `fresh` under their `rows`.

        Raises:
            NafRobotError: pictures of other cameras than expected.
        """
        if images.keys() != {spec.name for spec in self._specs}:
            raise NafRobotError(
                f"replay holds pictures of {sorted(spec.name for spec in self._specs)}, got {sorted(images)}"
            )
        if not self._specs:
            return
        cameras = [images[spec.name] for spec in self._specs]
        for index in fresh.tolist():
            pictures = tuple(frames[index] for frames in cameras)
            self._rows[int(rows[index])] = pictures
            self.bytes += sum(map(len, pictures))

    def forget(self, rows: NDArray[np.int64]) -> None:
        """Let the pictures of `rows` go."""
        if self._specs:
            for row in rows.tolist():
                self.bytes -= sum(map(len, self._rows.pop(row, ())))

    def decoded(self, rows: NDArray[np.int32]) -> dict[str, Tensor]:
        """Pictures of `rows` (N,) by camera, uint8 (N, H, W, 3)."""
        from naf_robot.core.images import decode_image

        found = {}
        for position, spec in enumerate(self._specs):
            images = torch.empty((len(rows), *spec.shape), dtype=torch.uint8)
            for index, row in enumerate(rows.tolist()):
                images[index] = torch.from_numpy(decode_image(self._rows[row][position], spec).copy())
            found[spec.name] = images
        return found
