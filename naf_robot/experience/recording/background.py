"""A bag that is written by a thread: whoever has a message is never kept waiting by the disk."""

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Condition, Thread
from typing import NamedTuple

from naf_robot.experience.recording.bag import Bag
from naf_robot.experience.recording.mcap_file import Topic

OVERHEAD_BYTES = 200  # of a waiting message besides its data
ENOUGH = 1.25  # times the least free space, with which recording goes on again
RETRY_S = 10.0  # after an error of the disk


class Message(NamedTuple):
    """A serialized message, when it was received and sent [ns], and its number among those of its publisher."""

    topic: Topic
    log_ns: int
    publish_ns: int
    data: bytes
    sequence: int = 0


class BackgroundBag:
    """Takes messages and gives them to `bag` every `flush_s`, or earlier when `chunk_bytes` have come.

    At most `queue_bytes` wait; what comes while they do is dropped and counted. While the disk has less than
    `min_free_bytes` left, or cannot be written, messages are dropped and counted too, and `trouble` says why.
    `first` is called in the thread before anything is written.
    """

    def __init__(
        self,
        bag: Bag,
        flush_s: float,
        chunk_bytes: int,
        queue_bytes: int,
        min_free_bytes: int,
        first: Callable[[], None] = lambda: None,
        free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self._bag, self._first, self._free_bytes = bag, first, free_bytes
        self._flush_s, self._chunk_bytes = flush_s, chunk_bytes
        self._queue_bytes, self._min_free_bytes = queue_bytes, min_free_bytes
        self._changed = Condition()
        self._waiting: list[Message] = []
        self._waiting_bytes = 0  # of those that are being written too
        self._closed = self._paused = False
        self._retry_s = 0.0
        self._rejected = 0  # because too many waited
        self._taken = self._kept = 0  # from those that waited; of them in the bag
        self.trouble = ""
        self._thread = Thread(target=self._work, name="bag writer", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Messages that came and are not in the bag, apart from those that wait."""
        return self._rejected + self._taken - self._kept

    def put(self, message: Message) -> None:
        """Take a message; never waits for the disk."""
        size = len(message.data) + OVERHEAD_BYTES
        with self._changed:
            if self._closed or self._waiting_bytes + size > self._queue_bytes:
                self._rejected += 1
                return
            self._waiting.append(message)
            self._waiting_bytes += size
            if self._waiting_bytes >= self._chunk_bytes:
                self._changed.notify()

    def close(self) -> None:
        """Write what waits, finish the bag and end the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def report(self) -> Mapping[str, object]:
        """Counters for `/diagnostics`."""
        return {
            "bag": str(self._bag.folder),
            "recorded messages": self._kept,
            "dropped messages": self.dropped,
            "recorded [MB]": round(1e-6 * self._bag.size, 3),
            "waiting [MB]": round(1e-6 * self._waiting_bytes, 3),
        }

    def _work(self) -> None:
        try:
            self._first()
            while not self._closed or self._waiting:
                self._cycle()
            self._bag.close()
        except OSError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001  a mistake of ours must not look like a recorder that works
            self.trouble = f"not recording: {error!r}"
            self._closed = True

    def _cycle(self) -> None:
        """Wait for messages or the time to flush, and write what has come."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting_bytes >= self._chunk_bytes, self._flush_s)
            messages, self._waiting = self._waiting, []
        try:
            if self._may_write():
                for message in messages:
                    self._bag.write(*message)
                self._bag.flush()
                self.trouble = ""
        except OSError as error:
            self._fail(error)
        size = sum(len(message.data) + OVERHEAD_BYTES for message in messages)
        with self._changed:
            self._waiting_bytes -= size
            self._taken += len(messages)
            self._kept = self._bag.messages

    def _may_write(self) -> bool:
        """Whether the disk has the space that others need; the bag is finished as far as it goes before it has not."""
        if time.monotonic() < self._retry_s:
            return False
        free = self._free_bytes(self._bag.folder)
        if free >= self._min_free_bytes * (ENOUGH if self._paused else 1.0):
            self._paused = False
            return True
        if not self._paused:
            self._paused = True
            self._bag.pause()
        self.trouble = (
            f"not recording: {1e-9 * free:.1f} GB are free on the disk of {str(self._bag.folder)!r}, "
            f"recording.min_free_bytes are {1e-9 * self._min_free_bytes:.1f} GB"
        )
        return False

    def _fail(self, error: OSError) -> None:
        self._bag.break_off()
        self._retry_s = time.monotonic() + RETRY_S
        self.trouble = f"not recording: cannot write to {str(self._bag.folder)!r}: {error.strerror or error}"
