"""Large messages in numbered pieces: middleware drops or stalls on single ones of a megabyte."""

import hashlib

import numpy as np

from naf_robot.core.errors import CodecError
from naf_robot.experience.codec import byte_array
from naf_robot.experience.envelope import MAX_BYTES, decode, encode

CHUNK_BYTES = 512 * 1024


def split(data: bytes, version: int) -> list[bytes]:
    """`data` as one message as it is, or as several chunk messages of at most `CHUNK_BYTES` each."""
    if len(data) <= CHUNK_BYTES:
        return [data]
    pieces = [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)]
    whole = hashlib.sha256(data).hexdigest()
    return [
        encode(
            "chunk",
            {"bytes": byte_array(piece)},
            {"version": version, "index": index, "count": len(pieces), "whole": whole},
        )
        for index, piece in enumerate(pieces)
    ]


def piece_count(size: int) -> int:
    """How many messages `split` makes of `size` bytes."""
    return max(1, -(-size // CHUNK_BYTES))


class ChunkAssembler:
    """Puts chunks together again; holds the pieces of the newest version only."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_count = piece_count(max_bytes)
        self._key: tuple[int, int, str] = (-1, 0, "")
        self._pieces: dict[int, bytes] = {}

    def add(self, data: bytes) -> bytes | None:
        """Take one message; the whole once it is complete, None before.

        A message that is not a chunk is returned as it is.

        Raises:
            CodecError: a malformed chunk, or pieces that do not make the announced whole.
        """
        if b'"kind":"chunk"' not in data[:1024].replace(b" ", b""):
            return data
        envelope = decode(data, "chunk", 2 * CHUNK_BYTES)
        index, count = envelope.integer("index"), envelope.integer("count")
        key = (envelope.integer("version"), count, envelope.text("whole"))
        piece = envelope.arrays.get("bytes")
        if piece is None or piece.dtype != np.uint8 or not index < count <= self._max_count:
            raise CodecError(
                f"chunk {index} of {count} is not a piece of a message of at most {self._max_count} pieces"
            )
        if key != self._key:
            if key[0] < self._key[0]:
                return None
            self._key, self._pieces = key, {}
        self._pieces[index] = piece.tobytes()
        if len(self._pieces) < count:
            return None
        whole = b"".join(self._pieces[i] for i in range(count))
        self._pieces = {}
        if hashlib.sha256(whole).hexdigest() != key[2]:
            raise CodecError(f"the {count} chunks of version {key[0]} do not make the announced message")
        return whole
