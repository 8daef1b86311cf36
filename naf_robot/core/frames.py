"""Compressed pictures of N steps, one behind the other; what records, messages, stores and replay hold of a camera."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.errors import NafRobotError

FrameFormat = Literal["png", "jpeg"]


@dataclass(frozen=True)
class Frames:
    """N compressed pictures (PNG or JPEG): picture i is `data[offsets[i] : offsets[i + 1]]`."""

    data: NDArray[np.uint8]  # (bytes of all,)
    offsets: NDArray[np.int64]  # (N + 1,) from 0 to len(data), not falling

    @classmethod
    def of(cls, pictures: Sequence[bytes]) -> "Frames":
        """Frames that hold `pictures`."""
        offsets = np.zeros(len(pictures) + 1, np.int64)
        np.cumsum([len(picture) for picture in pictures], out=offsets[1:])
        return cls(np.frombuffer(b"".join(pictures), np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> bytes:
        return self.data[self.offsets[index] : self.offsets[index + 1]].tobytes()

    def between(self, start: int, stop: int) -> "Frames":
        """Pictures `start` to `stop`; the bytes are shared."""
        offsets = self.offsets[start : stop + 1]
        return Frames(self.data[offsets[0] : offsets[-1]], offsets - offsets[0])

    def validate(self, name: str, count: int) -> None:
        """Check that there are `count` pictures and that the offsets divide the bytes.

        Raises:
            NafRobotError: naming the array that is wrong.
        """
        if self.data.dtype != np.uint8 or self.data.ndim != 1:
            raise NafRobotError(f"frames of {name!r} must be a vector of uint8, got {self.data.dtype}")
        offsets = self.offsets
        if offsets.dtype != np.int64 or offsets.shape != (count + 1,):
            raise NafRobotError(
                f"offsets of {name!r} must be int64 of shape {(count + 1,)}, got {offsets.dtype} of {offsets.shape}"
            )
        if offsets[0] != 0 or offsets[-1] != len(self.data) or (offsets[1:] < offsets[:-1]).any():
            raise NafRobotError(f"offsets of {name!r} must rise from 0 to the number of bytes, {len(self.data)}")


def join(parts: Sequence[Frames]) -> Frames:
    """Frames one behind the other."""
    starts = np.cumsum([0] + [len(part.data) for part in parts[:-1]])
    offsets = [part.offsets[1:] + start for part, start in zip(parts, starts, strict=True)]
    return Frames(np.concatenate([part.data for part in parts]), np.concatenate([np.zeros(1, np.int64), *offsets]))
