"""Bags as people have them: rosbag2 folders and single files. Messages come unopened, by their log time."""

import re
import struct
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rosbags.rosbag2 import Reader

from naf_robot.core.errors import NafRobotError
from naf_robot.experience.bags.salvage import mcap_messages, missing_bytes, plain, sqlite_messages

FILES = (".mcap", ".db3")


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

    What of it cannot be read is in `troubles`, a sentence for each file; the rest is read. `ends_cut_off` says, once
    its messages were read, whether what comes last in it is missing.

    Raises:
        BagError: nothing of it can be read.
    """

    def __init__(self, name: str, paths: Sequence[Path]) -> None:
        self.name = name
        self.troubles: list[str] = []
        self._sources: list[_Source] = []
        self.topics: dict[str, str] = {}  # types by name
        self.messages_of: dict[str, int] = {}  # by topic
        self.ends_cut_off = False
        self._unreadable_last = False  # whether nothing of the last file can be read
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
            self.ends_cut_off = source.cut_off
            try:
                yield from source.read(topics)
            except Exception as error:  # noqa: BLE001  those of rosbags, of databases and of compressors have no common kind
                self.ends_cut_off = True
                self.troubles.append(f"{str(source.path)!r} is damaged, what comes before is read: {_said(error)}")
        self.ends_cut_off |= self._unreadable_last

    def close(self) -> None:
        """Close its files."""
        for source in self._sources:
            source.close()

    def _open(self, path: Path) -> None:
        """Take what can be opened of `path`, as a whole or file by file."""
        try:
            self._sources.append(_whole(path))
            self._unreadable_last = False
            return
        except Exception as error:  # noqa: BLE001  as above
            said = _said(error)
        if path.is_dir() and (compression := _unknown_compression(path)) is not None:
            self.troubles.append(
                f"{str(path)!r} is compressed with {compression!r}, which cannot be opened here; zstd can be"
            )
        elif path.is_dir():
            files = sorted((f for f in path.iterdir() if f.suffix in FILES), key=lambda f: (len(f.name), f.name))
            missing = not (path / "metadata.yaml").exists()
            if not missing:
                self.troubles.append(f"{str(path)!r} cannot be read as a whole: {said}")
            for file in files:
                self._open(file)
        else:
            source = _cut_off(path)
            self._unreadable_last = not source.topics
            if source.topics:
                self._sources.append(source)
                self.troubles.append(f"{str(path)!r} is cut off, and read as far as it goes: {said}")
            else:
                self.troubles.append(f"{str(path)!r} holds no message that can be read: {said}")


class _Source(NamedTuple):
    path: Path
    topics: dict[str, tuple[str, int]]  # type and number of messages by topic
    read: Callable[[Collection[str]], Iterator[RawMessage]]
    close: Callable[[], None] = lambda: None
    cut_off: bool = False  # whether its end is missing


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
    """A folder with metadata, or a file with its index.

    Raises:
        BagError: a database is shorter than it says; SQLite notices only where it looks for a page that is missing.
    """
    for file in path.glob("*.db3") if path.is_dir() else [path]:
        if file.suffix == ".db3" and (missing := missing_bytes(file)) > 0:
            raise BagError(f"{missing} bytes are missing at the end of {file.name}")
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
            yield RawMessage(connection.topic, connection.msgtype, log_ns, data if path.is_dir() else plain(data))

    return _Source(path, topics, read, reader.close)


def _cut_off(path: Path) -> _Source:
    """A file whose end is missing: what is whole of it."""
    salvaged = mcap_messages if path.suffix == ".mcap" else sqlite_messages

    def read(wanted: Collection[str]) -> Iterator[RawMessage]:
        for topic, type_name, log_ns, data in salvaged(path, wanted):
            yield RawMessage(topic, type_name, log_ns, plain(data))

    counts: dict[str, tuple[str, int]] = {}
    for topic, type_name, _, _ in salvaged(path, None):
        counts[topic] = (type_name, counts.get(topic, ("", 0))[1] + 1)
    return _Source(path, counts, read, cut_off=True)


def _unknown_compression(folder: Path) -> str | None:
    """The compression that the folder's metadata names, if it is not one that can be opened."""
    try:
        text = (folder / "metadata.yaml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    named = re.search(r"^\s*compression_format:\s*['\"]?([^'\"\s]+)", text, re.MULTILINE)
    return named.group(1) if named and named.group(1) not in ("zstd", "none") else None


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
