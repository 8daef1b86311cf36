"""Completes the bag of a recorder that was killed: what is whole of it is kept, and read like any other bag."""

import os
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO

from mcap.data_stream import ReadDataStream, RecordBuilder
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, ChunkIndex, DataEnd, Footer, MessageIndex, Schema, Statistics
from mcap.stream_reader import get_chunk_data_stream
from mcap.writer import MCAP0_MAGIC

from naf_robot.core.errors import StoreError
from naf_robot.experience.recording.mcap_file import QOS, TYPE_HASH, FileFacts, Topic
from naf_robot.experience.recording.metadata import METADATA, write_metadata

HEAD = struct.Struct("<BQ")  # of a record: opcode and length
ABOUT = {"completed": "the recorder was killed; messages of its last second may be missing"}


def complete_bags(folders: Iterator[Path]) -> Iterator[str]:
    """Complete every bag of `folders` that has no metadata; a sentence for each."""
    for folder in folders:
        if (folder / METADATA).exists():
            continue
        try:
            count = complete_bag(folder)
        except (OSError, StoreError) as error:
            yield f"cannot complete {str(folder)!r}: {error}"
        else:
            yield f"completed {str(folder)!r}, whose recorder was killed: {count} messages"


def complete_bag(folder: Path) -> int:
    """Give every file of `folder` its index and the bag its metadata; the messages that it holds.

    Raises:
        OSError: the disk.
        StoreError: a file that is not only cut off; nothing of it is changed.
    """
    facts: list[FileFacts] = []
    topics: dict[str, Topic] = {}
    paths = sorted(folder.glob("*.mcap"), key=lambda path: (len(path.name), path.name))
    for path in paths:
        found = complete_file(path)
        if found is not None:
            facts.append(found.facts(path.name))
            topics |= found.topics()
    write_metadata(folder, facts, topics.values(), ABOUT)
    return sum(sum(file.counts.values()) for file in facts)


def complete_file(path: Path) -> "Content | None":
    """Cut off what is incomplete of an MCAP file and write its index; None for one without any content, now removed.

    Raises:
        OSError: the disk.
        StoreError: it is damaged, and not only cut off; it is left as it is.
    """
    content = Content()
    with path.open("rb") as file:
        content.scan(file, str(path))
    if content.end == 0:
        path.unlink()
        return None
    if not content.finished:
        with path.open("r+b") as file:
            file.truncate(content.end)
            file.seek(content.end)
            file.write(content.ending())
            file.flush()
            os.fsync(file.fileno())
    return content


@dataclass
class Content:
    """What is whole of one file: chunks with their indexes."""

    end: int = 0  # of the last whole chunk [bytes]
    finished: bool = False
    schemas: dict[int, Schema] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    chunks: list[ChunkIndex] = field(default_factory=list)
    counts: Counter[int] = field(default_factory=Counter)  # messages by channel

    def scan(self, file: IO[bytes], name: str) -> None:
        """Read the chunks from the beginning of `file`.

        Raises:
            StoreError: a record that is there but cannot be read.
        """
        index: ChunkIndex | None = None
        counts: Counter[int] = Counter()
        for opcode, begin, content in _records(file):
            stream, end = ReadDataStream(BytesIO(content)), begin + HEAD.size + len(content)
            try:
                if opcode == Opcode.HEADER:
                    self.end = end
                elif opcode == Opcode.CHUNK:
                    chunk = Chunk.read(stream)
                    counts = self._look_into(chunk)
                    index = _index_of(chunk, begin, end)
                elif opcode == Opcode.MESSAGE_INDEX and index is not None:
                    index.message_index_offsets[MessageIndex.read(stream).channel_id] = begin
                    index.message_index_length += end - begin
                elif opcode == Opcode.DATA_END:
                    self.finished = _has_end(file)
                    return
            except Exception as error:  # noqa: BLE001  those of mcap and of compressors have no common kind
                raise StoreError(f"{name!r} is damaged behind byte {begin}: {error}") from None
            if index is not None and len(index.message_index_offsets) == len(counts):
                self.chunks.append(index)
                self.counts += counts
                self.end, index = end, None

    def _look_into(self, chunk: Chunk) -> Counter[int]:
        """Take the schemas and channels of a chunk; its messages by channel."""
        counts: Counter[int] = Counter()
        stream, length = get_chunk_data_stream(chunk, validate_crc=True)
        while stream.count < length:
            opcode, size = stream.read1(), stream.read8()
            if opcode == Opcode.SCHEMA:
                schema = Schema.read(stream)
                self.schemas[schema.id] = schema
            elif opcode == Opcode.CHANNEL:
                channel = Channel.read(stream)
                self.channels[channel.id] = channel
            elif opcode == Opcode.MESSAGE:
                counts[stream.read2()] += 1
                stream.read(size - 2)
            else:
                stream.read(size)
        return counts

    def ending(self) -> bytes:
        """The end of the data section, the summary and the footer of a file that is cut off at `end`."""
        builder = RecordBuilder()
        DataEnd(0).write(builder)
        begin = self.end + builder.count
        for record in (*self.schemas.values(), *self.channels.values(), self._statistics(), *self.chunks):
            record.write(builder)
        Footer(summary_start=begin, summary_offset_start=0, summary_crc=0).write(builder)
        return bytes(builder.end() + MCAP0_MAGIC)

    def _statistics(self) -> Statistics:
        first, last = self._times()
        return Statistics(
            attachment_count=0,
            channel_count=len(self.channels),
            channel_message_counts=dict(self.counts),
            chunk_count=len(self.chunks),
            message_count=self.counts.total(),
            message_start_time=first,
            message_end_time=last,
            metadata_count=0,
            schema_count=len(self.schemas),
        )

    def _times(self) -> tuple[int, int]:
        first = min((chunk.message_start_time for chunk in self.chunks), default=0)
        return first, max((chunk.message_end_time for chunk in self.chunks), default=0)

    def facts(self, name: str) -> FileFacts:
        """What the file holds, for the metadata of its bag."""
        counts = {self.channels[number].topic: count for number, count in self.counts.items()}
        return FileFacts(name, *self._times(), counts)

    def topics(self) -> dict[str, Topic]:
        """The topics of the file by name."""
        found = {}
        for channel in self.channels.values():
            facts = channel.metadata
            kind = self.schemas[channel.schema_id].name
            found[channel.topic] = Topic(channel.topic, kind, facts.get(QOS, ""), facts.get(TYPE_HASH, ""))
        return found


def _index_of(chunk: Chunk, begin: int, end: int) -> ChunkIndex:
    return ChunkIndex(
        chunk_length=end - begin,
        chunk_start_offset=begin,
        compression=chunk.compression,
        compressed_size=len(chunk.data),
        message_end_time=chunk.message_end_time,
        message_index_length=0,
        message_index_offsets={},
        message_start_time=chunk.message_start_time,
        uncompressed_size=chunk.uncompressed_size,
    )


def _records(file: IO[bytes]) -> Iterator[tuple[int, int, bytes]]:
    """Opcode, offset and content of the records that are there in full."""
    size = file.seek(0, os.SEEK_END)
    begin = file.seek(len(MCAP0_MAGIC))
    while begin + HEAD.size <= size:
        opcode, length = HEAD.unpack(file.read(HEAD.size))
        end = begin + HEAD.size + length
        if opcode == 0 or end > size:  # not written, or in part
            return
        yield opcode, begin, file.read(length)
        begin = file.seek(end)


def _has_end(file: IO[bytes]) -> bool:
    """Whether the file ends as a finished one does."""
    file.seek(-len(MCAP0_MAGIC), os.SEEK_END)
    return file.read() == MCAP0_MAGIC
