"""Random changes to whole messages; part of `benchmarks/fuzz.py`."""

import random
import struct
from collections.abc import Callable

from naf_robot.experience import envelope

INTERESTING = (0, 1, 0x7F, 0x80, 0xFF)
NUMBERS = ("-1", "1e9", "9" * 30, "NaN", "null", "true", '"x"', "[]", "{}", "18446744073709551615", "0")


def resealed(data: bytes) -> bytes:
    """`data` with the checksum made right, as a sender with bad intent would; unchanged if that cannot be done."""
    try:
        entries = envelope._metadata(data, envelope.MAX_BYTES)
        arrays = envelope.load(bytes(data))
        right = envelope._checksum(arrays, entries)
    except Exception:  # noqa: BLE001  whatever the mutation has made of it
        return data
    return data.replace(entries.get("sha256", "?").encode(), right.encode(), 1)


def mutate(data: bytes, source: random.Random) -> bytes:
    """One to four random changes."""
    changed = bytearray(data)
    for _ in range(source.randint(1, 4)):
        CHANGES[source.randrange(len(CHANGES))](changed, source)
        if not changed:
            break
    return resealed(bytes(changed)) if source.random() < 0.3 else bytes(changed)


def flip(data: bytearray, source: random.Random) -> None:
    data[source.randrange(len(data))] ^= 1 << source.randrange(8)


def overwrite(data: bytearray, source: random.Random) -> None:
    data[source.randrange(len(data))] = source.choice(INTERESTING)


def cut(data: bytearray, source: random.Random) -> None:
    start = source.randrange(len(data))
    del data[start : start + source.choice((1, 2, 8, 64, len(data)))]


def insert(data: bytearray, source: random.Random) -> None:
    start = source.randrange(len(data) + 1)
    data[start:start] = source.randbytes(source.choice((1, 2, 8, 64)))


def repeat(data: bytearray, source: random.Random) -> None:
    start = source.randrange(len(data))
    data[start:start] = data[start : start + source.choice((1, 8, 64))]


def header_length(data: bytearray, source: random.Random) -> None:
    data[:8] = struct.pack("<Q", source.choice((0, 1, 2**16, 2**32, 2**63, 2**64 - 1, max(0, len(data) - 8))))


def floats(data: bytearray, source: random.Random) -> None:
    if len(data) > 16:
        start = 4 * source.randrange(2, len(data) // 4)
        data[start : start + 4] = struct.pack("<f", source.choice((float("nan"), float("inf"), 3e38, -3e38, 1e-45)))


def number(data: bytearray, source: random.Random) -> None:
    """A number within the header becomes another thing."""
    end = min(len(data), 2000)
    places = [i for i in range(8, end) if 48 <= data[i] <= 57]
    if places:
        start = source.choice(places)
        stop = start
        while stop < end and 48 <= data[stop] <= 57:
            stop += 1
        new = source.choice(NUMBERS).encode()
        size = int.from_bytes(data[:8], "little") + len(new) - (stop - start)
        data[start:stop] = new
        data[:8] = struct.pack("<Q", max(0, size) % 2**64)  # the header stays as long as it says


def word(data: bytearray, source: random.Random) -> None:
    """A type or key of the header becomes another of the same length, so that the rest still fits."""
    old, new = source.choice(
        ((b"F32", b"F64"), (b"F32", b"I32"), (b"I64", b"U64"), (b"BOOL", b"I8  "), (b"sha", b"shb"))
    )
    start = data.find(old)
    if start >= 0:
        data[start : start + len(old)] = new


def nest(data: bytearray, source: random.Random) -> None:
    """A header of brackets only."""
    deep = b'{"__metadata__":' + b"[" * source.choice((10, 1000, 60_000))
    data[:] = struct.pack("<Q", len(deep)) + deep


CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip, flip, overwrite, cut, insert, repeat, header_length, floats, floats, number, word, nest,
)  # fmt: skip
