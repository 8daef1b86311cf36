"""A rosbag2 folder that is being written: numbered MCAP files, and `metadata.yaml` at the end."""

from collections.abc import Mapping
from pathlib import Path

from naf_robot.experience.recording.completion import complete_file
from naf_robot.experience.recording.mcap_file import Compression, FileFacts, McapFile, Topic
from naf_robot.experience.recording.metadata import write_metadata

MAX_CHUNKS = 20_000  # of one file: its index is held in memory until it is finished


class Bag:
    """A new bag in `folder`, which must not exist; one file after another, each of about `split_bytes`.

    `about` is kept as custom data in the metadata, as it is at the end. After an `OSError` of `write` or `flush` call
    `break_off`: the next message begins a new file.

    Raises (also `write`, `flush`, `pause` and `close`):
        OSError: the disk.
    """

    def __init__(
        self,
        folder: Path,
        chunk_bytes: int,
        compression: Compression,
        split_bytes: int,
        about: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._chunk_bytes, self._compression, self._split_bytes = chunk_bytes, compression, split_bytes
        self._about = {} if about is None else about
        self._topics: dict[str, Topic] = {}
        self._files: list[FileFacts] = []  # that are finished
        self._broken: list[FileFacts] = []  # likewise, without an index
        self._closed_bytes = 0  # of finished files
        self._number = 0  # files begun
        folder.mkdir(parents=True)
        self._file: McapFile | None = self._begin()

    def write(self, topic: Topic, log_ns: int, publish_ns: int, data: bytes, sequence: int = 0) -> None:
        """Add one serialized message; `log_ns` is when it came, `publish_ns` when it was sent [ns]."""
        if self._file is not None and (self._file.size >= self._split_bytes or self._file.chunks >= MAX_CHUNKS):
            self.pause()
        if self._file is None:
            self._file = self._begin()
        self._topics.setdefault(topic.name, topic)
        self._file.write(topic, log_ns, publish_ns, data, sequence)

    def flush(self) -> None:
        """Give everything to the kernel: it survives the end of this process."""
        if self._file is not None:
            self._file.flush()

    def pause(self) -> None:
        """Finish the file; the next message begins another."""
        if self._file is not None:
            self._files.append(self._file.finish())
            self._closed_bytes += self._file.size
            self._file = None

    def break_off(self) -> None:
        """After an error: cut off what is incomplete; the messages in it are lost."""
        if self._file is not None:
            self._file.break_off()
            self._closed_bytes += self._file.size
            self._broken.append(self._file.facts())
            self._file = None

    @property
    def messages(self) -> int:
        """Those in finished chunks."""
        return sum(sum(file.counts.values()) for file in self._facts())

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._closed_bytes + (self._file.size if self._file is not None else 0)

    def _facts(self) -> list[FileFacts]:
        return [*self._files, *self._broken, *([self._file.facts()] if self._file is not None else [])]

    def close(self) -> None:
        """Finish the last file, and write the metadata."""
        self.pause()
        while self._broken:
            file = self._broken[-1]
            if complete_file(self.folder / file.name) is not None:
                self._files.append(file)
            self._broken.pop()
        files = sorted(self._files, key=lambda file: file.first_ns)
        write_metadata(self.folder, files, self._topics.values(), self._about)

    def _begin(self) -> McapFile:
        name = f"{self.folder.name}_{self._number}.mcap"
        made = McapFile(self.folder / name, self._chunk_bytes, self._compression)
        self._number += 1
        return made
