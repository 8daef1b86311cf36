"""Large messages in numbered pieces: middleware drops or stalls on single ones of a megabyte."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np

from naf_robot.core.errors import CodecError
from naf_robot.experience.codec import byte_array
from naf_robot.experience.contract import check_run
from naf_robot.experience.envelope import MAX_BYTES, decode, encode

CHUNK_BYTES = 512 * 1024
MAX_SENDERS = 256  # of whom pieces are kept


def split(data: bytes, version: int, sender: str = "", run_id: str = "") -> list[bytes]:
    """`data` as one message as it is, or as several chunk messages of at most `CHUNK_BYTES` each.

    `version` tells the messages of one `sender` apart and rises with time: a policy version, or a sequence number.
    """
    if len(data) <= CHUNK_BYTES:
        return [data]
    pieces = [data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES)]
    whole = hashlib.sha256(data).hexdigest()
    facts = {"run": run_id, "sender": sender, "version": version, "count": len(pieces), "whole": whole}
    return [encode("chunk", {"bytes": byte_array(piece)}, facts | {"index": i}) for i, piece in enumerate(pieces)]


def piece_count(size: int) -> int:
    """How many messages `split` makes of `size` bytes."""
    return max(1, -(-size // CHUNK_BYTES))


@dataclass
class _Partial:
    """A message of which pieces are missing."""

    count: int
    whole: str
    pieces: dict[int, bytes] = field(default_factory=dict)
    size: int = 0


class ChunkAssembler:
    """Puts chunks together again.

    Of every sender at most `messages` incomplete messages are kept, and no more than `max_bytes` of their pieces;
    those whose pieces came longest ago are dropped first. With `messages=1` the newest version alone counts: pieces
    of older ones are passed over.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, messages: int = 1, run_id: str = "") -> None:
        self._max_bytes, self._max_count = max_bytes, piece_count(max_bytes)
        self._messages, self._run_id = messages, run_id
        self._senders: OrderedDict[str, OrderedDict[int, _Partial]] = OrderedDict()

    @property
    def held_bytes(self) -> int:
        """Bytes of the pieces that wait for others."""
        return sum(partial.size for messages in self._senders.values() for partial in messages.values())

    def add(self, data: bytes) -> bytes | None:
        """Take one message; the whole once it is complete, None before.

        A message that is not a chunk is returned as it is.

        Raises:
            CodecError: a malformed chunk, or pieces that do not make the announced whole.
            RunMismatchError: a chunk of another run.
        """
        if b'"kind":"chunk"' not in data[:1024].replace(b" ", b""):
            return data
        envelope = decode(data, "chunk", 2 * CHUNK_BYTES, lambda e: check_run(e, self._run_id))
        sender, version = envelope.text("sender"), envelope.integer("version")
        index, count, whole = envelope.integer("index"), envelope.integer("count"), envelope.text("whole")
        array = envelope.arrays.get("bytes")
        if array is None or array.dtype != np.uint8 or not index < count <= self._max_count:
            raise CodecError(
                f"chunk {index} of {count} is not a piece of a message of at most {self._max_count} pieces"
            )
        partial = self._partial(sender, version, count, whole)
        if partial is None:
            return None
        piece = array.tobytes()
        partial.size += len(piece) - len(partial.pieces.get(index, b""))
        partial.pieces[index] = piece
        if len(partial.pieces) < count:
            self._bound(sender)
            return None
        del self._senders[sender][version]
        if not self._senders[sender]:
            if self._messages == 1:  # remembered, so that late pieces of older versions do not begin anew
                self._senders[sender][version] = _Partial(count, whole)
            else:
                del self._senders[sender]
        found = b"".join(partial.pieces[i] for i in range(count))
        if hashlib.sha256(found).hexdigest() != whole:
            raise CodecError(f"the {count} chunks of version {version} do not make the announced message")
        return found

    def _partial(self, sender: str, version: int, count: int, whole: str) -> _Partial | None:
        """What is kept of this message, begun anew if it is another; None if a newer one counts alone."""
        messages = self._senders.setdefault(sender, OrderedDict())
        self._senders.move_to_end(sender)
        while len(self._senders) > MAX_SENDERS:
            self._senders.popitem(last=False)
        if self._messages == 1 and messages and version < max(messages):
            return None
        partial = messages.get(version)
        if partial is None or (partial.count, partial.whole) != (count, whole):
            partial = messages[version] = _Partial(count, whole)
        messages.move_to_end(version)
        while len(messages) > self._messages:
            messages.popitem(last=False)
        return partial

    def _bound(self, sender: str) -> None:
        messages = self._senders[sender]
        while sum(partial.size for partial in messages.values()) > self._max_bytes:
            messages.popitem(last=False)
