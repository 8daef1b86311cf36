"""Bags as people have them: rosbag2 folders and single files. Messages come unopened, by their log time."""

import struct
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rosbags.rosbag2 import Reader

from naf_robot.core.errors import NafRobotError

FILES = (".mcap", ".db3")
MAX_RECORD_BYTES = 1 << 30  # of an MCAP file: what is larger is damage


class BagError(NafRobotError):
    """A bag that is none, or that cannot be read."""


class RawMessage(NamedTuple):
    """One message as it was sent: CDR, with the encapsulation header."""

    topic: str
    type_name: str  # "package/msg/Type"
    log_ns: int  # when the recorder received it
    data: bytes


class Bag:
    """One recording: a folder, or files that belong together because they lie in one folder.

    What of it cannot be read is in `troubles`, a sentence for each file; the rest is read.

    Raises:
        BagError: nothing of it can be read.
    """

    def __init__(self, name: str, paths: Sequence[Path]) -> None:
        self.name = name
        self.troubles: list[str] = []
        self._sources: list[_Source] = []
        self.topics: dict[str, str] = {}  # types by name
        self.messages_of: dict[str, int] = {}  # by topic
        for path in paths:
            self._open(path)
        if not self._sources:
            raise BagError(
                "; ".join(self.troubles) or f"{name!r} holds no bag: there is neither an MCAP nor a db3 file"
            )
        for source in self._sources:
            for topic, (type_name, count) in source.topics.items():
                self.topics[topic] = type_name
                self.messages_of[topic] = self.messages_of.get(topic, 0) + count

    def messages(self, topics: Collection[str]) -> Iterator[RawMessage]:
        """The messages of `topics`, file after file; damage ends its file, and is noted in `troubles`."""
        for source in self._sources:
            try:
                yield from source.read(topics)
            except Exception as error:  # noqa: BLE001  those of rosbags, of databases and of compressors have no common kind
                self.troubles.append(f"{str(source.path)!r} is damaged, what comes before is read: {_said(error)}")

    def close(self) -> None:
        """Close its files."""
        for source in self._sources:
            source.close()

    def _open(self, path: Path) -> None:
        """Take what can be opened of `path`, as a whole or file by file."""
        try:
            self._sources.append(_whole(path))
            return
        except Exception as error:  # noqa: BLE001  as above
            said = _said(error)
        if path.is_dir():
            files = sorted((f for f in path.iterdir() if f.suffix in FILES), key=lambda f: (len(f.name), f.name))
            missing = not (path / "metadata.yaml").exists()
            if not missing:
                self.troubles.append(f"{str(path)!r} cannot be read as a whole: {said}")
            for file in files:
                self._open(file)
        elif path.suffix == ".mcap":
            source = _cut_off(path)
            if source.topics:
                self._sources.append(source)
                self.troubles.append(f"{str(path)!r} is cut off, and read as far as it goes: {said}")
            else:
                self.troubles.append(f"{str(path)!r} holds no message that can be read: {said}")
        else:
            self.troubles.append(f"{str(path)!r} cannot be read: {said}")


class _Source(NamedTuple):
    path: Path
    topics: dict[str, tuple[str, int]]  # type and number of messages by topic
    read: Callable[[Collection[str]], Iterator[RawMessage]]
    close: Callable[[], None] = lambda: None


def bags_of(paths: Sequence[Path]) -> list[Bag]:
    """The bags that a user named; files of one folder are one bag.

    Raises:
        BagError: a path that does not exist or is no bag, or a bag of which nothing can be read.
    """
    groups: dict[Path, list[Path]] = {}
    for path in paths:
        if not path.exists():
            raise BagError(f"there is no bag {str(path)!r}")
        if path.is_file() and path.suffix not in FILES:
            names = " or ".join(FILES)
            raise BagError(f"{str(path)!r} is no bag: a bag is a folder of ros2 bag, or a file that ends with {names}")
        groups.setdefault(path if path.is_dir() else path.parent, []).append(path)
    return [
        Bag(str(key), sorted(dict.fromkeys(members), key=lambda f: (len(f.name), f.name)))
        for key, members in groups.items()
    ]


def _whole(path: Path) -> _Source:
    """A folder with metadata, or a file with its index."""
    reader = Reader(path)
    reader.open()
    topics: dict[str, tuple[str, int]] = {}
    for c in reader.connections:
        topics[c.topic] = (c.msgtype, topics.get(c.topic, ("", 0))[1] + c.msgcount)

    def read(wanted: Collection[str]) -> Iterator[RawMessage]:
        connections = [c for c in reader.connections if c.topic in wanted]
        if not connections:
            return
        for connection, log_ns, data in reader.messages(connections):
            yield RawMessage(connection.topic, connection.msgtype, log_ns, data)

    return _Source(path, topics, read, reader.close)


def _cut_off(path: Path) -> _Source:
    """An MCAP file whose end is missing: its records up to the first that is not whole."""

    def read(wanted: Collection[str] | None) -> Iterator[RawMessage]:
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
                        yield RawMessage(channel.topic, types.get(channel.schema_id, ""), record.log_time, record.data)

    counts: dict[str, tuple[str, int]] = {}
    for message in read(None):
        counts[message.topic] = (message.type_name, counts.get(message.topic, ("", 0))[1] + 1)
    return _Source(path, counts, read)


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def stamp_ns_of(data: bytes) -> int:
    """The stamp [ns] of a message that begins with a header, or with a time.

    Raises:
        BagError: fewer bytes than that takes.
    """
    try:
        sec, nanosec = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    except (struct.error, IndexError):
        raise BagError(f"a message of {len(data)} bytes has no stamp") from None
    return sec * 1_000_000_000 + nanosec
