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
    """Bytes of pictures of the cameras `specs`; decoded when asked for.

    Up to `decoded_bytes` of decoded pictures are kept too: decoding costs more than a small encoder. Batches are drawn
    uniformly, so that those which came first are as good to keep as others.
    """

    def __init__(self, specs: Sequence[ArraySpec], max_bytes: int, decoded_bytes: int = 0) -> None:
        self._specs = tuple(specs)
        self._max_bytes = max_bytes
        self._row_bytes = sum(spec.size for spec in specs)
        self._most_decoded = decoded_bytes // self._row_bytes if specs else 0  # rows
        self._decoded: dict[int, list[Tensor]] = {}  # by row, in the order of the specs
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
                self._decoded.pop(row, None)

    def decoded(self, rows: NDArray[np.int32]) -> dict[str, Tensor]:
        """Pictures of `rows` (N,) by camera, uint8 (N, H, W, 3)."""
        wanted = [self._decoded_row(row) for row in rows.tolist()]
        return {spec.name: torch.stack([row[i] for row in wanted]) for i, spec in enumerate(self._specs)}

    def _decoded_row(self, row: int) -> list[Tensor]:
        from naf_robot.core.images import decode_image

        if (kept := self._decoded.get(row)) is not None:
            return kept
        pairs = zip(self._rows[row], self._specs, strict=True)
        pictures = [torch.from_numpy(decode_image(data, spec).copy()) for data, spec in pairs]
        if len(self._decoded) < self._most_decoded:
            self._decoded[row] = pictures
        return pictures
