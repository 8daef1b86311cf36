"""Files whose end is missing, as a crash or a full disk leaves them: what is whole of them, without rosbags.

Messages are tuples of topic, type, log time [ns] and bytes; they end where the file cannot be read any further.
"""

import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path

MAX_RECORD_BYTES = 1 << 30  # of an MCAP file: what is larger is damage
ZSTD = b"\x28\xb5\x2f\xfd"  # first bytes of what zstd compressed; no message begins so
SQLITE, HEADER_BYTES = b"SQLite format 3\0", 100  # how a database begins (sqlite.org/fileformat2.html, 1.3)
Salvaged = tuple[str, str, int, bytes]


def mcap_messages(path: Path, wanted: Collection[str] | None) -> Iterator[Salvaged]:
    """Of the topics `wanted`, or of all: the records up to the first that is not whole."""
    from mcap.records import Channel, Message, Schema
    from mcap.stream_reader import StreamReader

    types: dict[int, str] = {}
    channels: dict[int, Channel] = {}
    with path.open("rb") as file:
        records = StreamReader(file, record_size_limit=MAX_RECORD_BYTES).records
        while True:
            try:
                record = next(records)
            except Exception:  # noqa: BLE001  here the file ends, wherever that is
                return
            if isinstance(record, Schema):
                types[record.id] = record.name
            elif isinstance(record, Channel):
                channels[record.id] = record
            elif isinstance(record, Message) and record.channel_id in channels:
                channel = channels[record.channel_id]
                if wanted is None or channel.topic in wanted:
                    yield channel.topic, types.get(channel.schema_id, ""), record.log_time, record.data


def sqlite_messages(path: Path, wanted: Collection[str] | None) -> Iterator[Salvaged]:
    """Of the topics `wanted`, or of all, in the order in which they were written, up to the first missing page."""
    try:
        database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    except sqlite3.Error:
        return
    try:
        database.execute("PRAGMA writable_schema=ON")  # else a file shorter than its header says is refused as a whole
        topics = {row[0]: (row[1], row[2]) for row in database.execute("SELECT id, name, type FROM topics")}
        for number, log_ns, data in database.execute("SELECT topic_id, timestamp, data FROM messages ORDER BY id"):
            name, type_name = topics.get(number, ("", ""))
            if name and (wanted is None or name in wanted):
                yield name, type_name, log_ns, data
    except sqlite3.Error:
        return
    finally:
        database.close()


def missing_bytes(path: Path) -> int:
    """By how many bytes the database at `path` is shorter than its header says; 0 for a whole one or none at all."""
    with path.open("rb") as file:
        header = file.read(HEADER_BYTES)
    if len(header) < HEADER_BYTES or not header.startswith(SQLITE):
        return 0
    page_bytes, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
    page_bytes = 1 << 16 if page_bytes == 1 else page_bytes  # which two bytes do not hold
    return max(0, page_bytes * pages - path.stat().st_size)


def plain(data: bytes) -> bytes:
    """The bytes of a message, also where it was compressed and nothing else says so."""
    if bytes(data[:4]) != ZSTD:
        return data
    from zstandard import ZstdDecompressor

    return ZstdDecompressor().decompress(data)
