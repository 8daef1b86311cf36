"""A digest of steps that does not depend on how they were divided into batches, recorded or stored."""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.records import STEP_DTYPES, StepBatch


class EpisodeDigest:
    """SHA-256 over the steps of one episode, row by row, as they come."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, batch: StepBatch) -> None:
        """Take the next steps of the episode."""
        columns = [getattr(batch, name) for name in STEP_DTYPES]
        columns += [batch.observation[name] for name in sorted(batch.observation)]
        columns += [batch.extra[name] for name in sorted(batch.extra)]
        rows = [_bytes(column) for column in columns if column.size]
        for name in sorted(batch.images):
            frames = batch.images[name]
            digests = [np.frombuffer(hashlib.sha256(frames[i]).digest(), np.uint8) for i in range(len(batch))]
            rows.append(np.stack(digests))
        self._hash.update(np.concatenate(rows, axis=1).tobytes())

    def hex(self) -> str:
        """The digest so far."""
        return self._hash.hexdigest()


def digest_of(episodes: Iterable[str]) -> str:
    """One digest of all, whatever their order; one that is there twice counts once."""
    return hashlib.sha256("".join(sorted(set(episodes))).encode()).hexdigest()


def _bytes(column: NDArray) -> NDArray[np.uint8]:
    """The bytes of each row (N, ...), (N, bytes)."""
    return np.ascontiguousarray(column).reshape(len(column), -1).view(np.uint8)
