"""The one byte format: safetensors with metadata and a checksum, for messages and files alike.

Metadata always holds `schema`, `kind` and `sha256`; the checksum covers every other metadata
entry and every array. Nothing here executes what it reads: no pickle, sizes are bounded first.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from naf_robot.core.errors import CodecError

SCHEMA = "2"
MAX_BYTES = 64 * 1024 * 1024
MAX_HEADER_BYTES = 64 * 1024


@dataclass(frozen=True)
class Envelope:
    """A decoded message: its kind, its arrays by name and its metadata (text by text)."""

    kind: str
    arrays: dict[str, NDArray]
    metadata: dict[str, str]

    def integer(self, key: str) -> int:
        """Metadata entry `key` as a non-negative integer.

        Raises:
            CodecError: it is missing or not such a number.
        """
        text = self.metadata.get(key, "")
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise CodecError(f"{self.kind} message: metadata {key!r} must be a whole number, got {text[:40]!r}")
        return int(text)

    def text(self, key: str) -> str:
        """Metadata entry `key`.

        Raises:
            CodecError: it is missing.
        """
        if key not in self.metadata:
            raise CodecError(f"{self.kind} message: metadata {key!r} is missing; there are {sorted(self.metadata)}")
        return self.metadata[key]


def encode(kind: str, arrays: Mapping[str, NDArray], metadata: Mapping[str, object], schema: str = SCHEMA) -> bytes:
    """Bytes of a message of `kind`; metadata values are stored as text."""
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}  # a scalar stays one
    entries = {key: str(value) for key, value in metadata.items()} | {"schema": schema, "kind": kind}
    entries["sha256"] = _checksum(contiguous, entries)
    return save(contiguous, metadata=entries)


def decode(
    data: bytes,
    kind: str,
    max_bytes: int = MAX_BYTES,
    admit: Callable[[Envelope], None] | None = None,
    schema: str = SCHEMA,
) -> Envelope:
    """Read a message and check that it is whole, of this `schema` and of `kind`.

    `admit` sees the metadata first and may raise: what is not for this process then costs little.

    Raises:
        CodecError: saying which check failed.
    """
    entries = _metadata(data, max_bytes)
    if entries.get("schema") != schema:
        raise CodecError(f"message schema {entries.get('schema')!r} is not supported; this version reads {schema!r}")
    if entries.get("kind") != kind:
        raise CodecError(f"expected a message of kind {kind!r}, got {entries.get('kind')!r}")
    if admit is not None:
        admit(Envelope(kind, {}, entries))
    try:
        arrays = load(bytes(data))
    except (SafetensorError, KeyError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise CodecError(f"malformed {kind} message: {error}") from None
    if _checksum(arrays, entries) != entries.get("sha256"):
        raise CodecError(f"{kind} message: wrong checksum")
    return Envelope(kind, arrays, entries)


def same_content(one: bytes, other: bytes) -> bool:
    """Whether two whole messages are the same: equal, or of equal checksum (the order of a header may differ)."""
    return one == other or checksum_of(one) == checksum_of(other)


def checksum_of(data: bytes) -> str:
    """The checksum that stands in a whole message."""
    return _metadata(data, MAX_BYTES).get("sha256", "")


def kind_of(data: bytes) -> str:
    """The kind that a message says to be of, "" if it says none.

    Raises:
        CodecError: it has no header.
    """
    return _metadata(data, MAX_BYTES).get("kind", "")


def sender_of(data: bytes) -> str:
    """The collector that sent an experience message or a piece of one, as it says itself; "" if it says none.

    Raises:
        CodecError: it has no header.
    """
    entries = _metadata(data, MAX_BYTES)
    return entries.get("collector", "") or entries.get("sender", "")


def run_of(data: bytes) -> str:
    """The run that a message or a piece of one is of, as it says itself.

    Raises:
        CodecError: it has no header, or does not say.
    """
    entries = _metadata(data, MAX_BYTES)
    if "run" not in entries:
        raise CodecError(f"message says no run; its metadata are {sorted(entries)}")
    return entries["run"]


def _metadata(data: bytes, max_bytes: int) -> dict[str, str]:
    if not 8 <= len(data) <= max_bytes:
        raise CodecError(f"a message must have 8 to {max_bytes} bytes, got {len(data)}")
    size = int.from_bytes(data[:8], "little")
    if size > min(MAX_HEADER_BYTES, len(data) - 8):
        raise CodecError(f"malformed message: a header of {size} bytes in {len(data)} bytes")
    try:
        header = json.loads(bytes(data[8 : 8 + size]))
        entries = header.get("__metadata__")
    except (ValueError, AttributeError, RecursionError) as error:
        raise CodecError(f"malformed message header: {error}") from None
    if not isinstance(entries, dict) or not all(isinstance(value, str) for value in entries.values()):
        raise CodecError("malformed message header: no text metadata")
    return entries


def _checksum(arrays: Mapping[str, NDArray], entries: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    digest.update(json.dumps({k: v for k, v in entries.items() if k != "sha256"}, sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name}:{array.dtype.str}:{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
