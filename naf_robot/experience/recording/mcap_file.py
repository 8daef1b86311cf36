"""One MCAP file that is whole up to its last finished chunk, whatever happens to the process or the disk."""

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from mcap.writer import CompressionType, Writer

from naf_robot.experience.recording.definitions import definition_of

Compression = Literal["none", "lz4", "zstd"]
KINDS = {"none": CompressionType.NONE, "lz4": CompressionType.LZ4, "zstd": CompressionType.ZSTD}
PROFILE, LIBRARY = "ros2", "naf_robot"
QOS, TYPE_HASH = "offered_qos_profiles", "topic_type_hash"  # metadata of a channel, as rosbag2 names it


class Topic(NamedTuple):
    """A topic as it is written down."""

    name: str  # absolute
    type_name: str  # package/msg/Type
    qos: str  # what its publishers offer, as YAML
    type_hash: str = ""  # RIHS01_...


class FileFacts(NamedTuple):
    """What one file of a bag holds."""

    name: str
    first_ns: int  # log times; 0 without messages
    last_ns: int
    counts: Mapping[str, int]  # messages by topic


class McapFile:
    """A new file at `path`; each chunk goes to the kernel when it is finished, at `chunk_bytes` or by `flush`.

    Raises (also every method but `break_off`):
        OSError: the disk; after that only `break_off` may be called.
    """

    def __init__(self, path: Path, chunk_bytes: int, compression: Compression) -> None:
        self.path = path
        self._output = _Output(path)
        self._writer = Writer(self._output, chunk_size=chunk_bytes, compression=KINDS[compression])  # type: ignore[arg-type]
        self._channels: dict[str, int] = {}
        self._schemas: dict[str, int] = {}
        self._kept: Counter[str] = Counter()  # in finished chunks
        self._open: Counter[str] = Counter()  # in the chunk that is not finished
        self._times: list[int] = []  # first and last log time of finished chunks
        self._open_times: list[int] = []
        self._whole = 0  # bytes of the file that are finished chunks
        self.chunks = 0
        try:
            self._writer.start(profile=PROFILE, library=LIBRARY)
        except OSError:
            self._output.close()
            path.unlink(missing_ok=True)
            raise
        self._note_chunk()

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._output.position

    def write(self, topic: Topic, log_ns: int, publish_ns: int, data: bytes, sequence: int = 0) -> None:
        """Add one serialized message."""
        channel = self._channels.get(topic.name)
        if channel is None:
            channel = self._register(topic)
            self._note_chunk()
        self._open[topic.name] += 1
        self._open_times = _widened(self._open_times, log_ns)
        self._writer.add_message(channel, log_ns, data, publish_ns, sequence)
        self._note_chunk()

    def flush(self) -> None:
        """Finish the chunk, if it holds any message."""
        self._writer.flush()
        self._note_chunk()

    def finish(self) -> FileFacts:
        """Finish the file with its index, and bring it to the disk."""
        self._writer.finish()
        self._note_chunk()
        os.fsync(self._output.descriptor)
        self._output.close()
        return self.facts()

    def break_off(self) -> None:
        """Close after an error, without an index; what is not whole is cut off."""
        self._open, self._open_times = Counter(), []
        with suppress(OSError):  # else whoever reads it ignores the incomplete chunk
            os.ftruncate(self._output.descriptor, self._whole)
        self._output.close()

    def facts(self) -> FileFacts:
        """What its finished chunks hold."""
        first, last = self._times or (0, 0)
        return FileFacts(self.path.name, first, last, dict(self._kept))

    def _register(self, topic: Topic) -> int:
        schema = self._schemas.get(topic.type_name)
        if schema is None:
            text = definition_of(topic.type_name)
            schema = self._writer.register_schema(topic.type_name, "ros2msg" if text else "", text.encode())
            self._schemas[topic.type_name] = schema
        metadata = {QOS: topic.qos, TYPE_HASH: topic.type_hash}
        self._channels[topic.name] = self._writer.register_channel(topic.name, "cdr", schema, metadata)
        return self._channels[topic.name]

    def _note_chunk(self) -> None:
        """If something was written, then what was open is finished."""
        if self._output.position == self._whole:
            return
        self.chunks += bool(self._open)
        self._kept += self._open
        for log_ns in self._open_times:
            self._times = _widened(self._times, log_ns)
        self._open, self._open_times = Counter(), []
        self._whole = self._output.position


def _widened(times: list[int], log_ns: int) -> list[int]:
    return [min(times[0], log_ns), max(times[1], log_ns)] if times else [log_ns, log_ns]


class _Output:
    """A file without a buffer of its own, and how much was written to it."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        self.position = 0

    def write(self, data: bytes) -> int:
        rest = memoryview(data)
        while rest:
            count = os.write(self.descriptor, rest)
            self.position += count
            rest = rest[count:]
        return len(data)

    def tell(self) -> int:
        return self.position

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
