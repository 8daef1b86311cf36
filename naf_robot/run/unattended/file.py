"""`statistics.json` of a run folder: replaced as a whole, so that a reader always finds a whole one."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import msgspec

from naf_robot.core import run_files
from naf_robot.core.errors import StoreError
from naf_robot.core.files import replace_file
from naf_robot.run.unattended.records import FORMAT, Statistics

PERIOD_S = 10.0  # between two writes; what a killed process had not written is lost
LARGEST_SHARE = 0.01  # of the time, for encoding: a fleet's file is written less often


def read_statistics(run_dir: Path) -> Statistics | None:
    """The statistics of a run folder, None where there are none.

    Raises:
        StoreError: the file is damaged, or of another format.
    """
    path = run_dir / run_files.STATISTICS
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Statistics)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError, RecursionError) as error:
        raise StoreError(f"cannot read {str(path)!r}: {error}") from None
    if found.format != FORMAT:
        raise StoreError(f"{str(path)!r} has format {found.format}, expected {FORMAT}")
    return found


def opened(run_dir: Path) -> tuple[Statistics, str | None]:
    """The statistics to continue; a damaged file is moved aside, and a sentence says so."""
    try:
        return read_statistics(run_dir) or Statistics(), None
    except StoreError as error:
        path = run_dir / run_files.STATISTICS
        aside = path.with_name(f"{path.name}.damaged")
        try:
            path.replace(aside)
        except OSError:
            return Statistics(), f"{error}; statistics begin anew"
        return Statistics(), f"{error}; kept as {aside.name}, statistics begin anew"


class StatisticsFile:
    """Writes statistics now and then: encoded at once, put on the disk by a thread."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / run_files.STATISTICS
        self._encoder = msgspec.json.Encoder()
        self._thread = ThreadPoolExecutor(1, "statistics")
        self._writing: Future[None] | None = None
        self._due_s = 0.0
        self.trouble: str | None = None

    def write_if_due(self, statistics: Statistics, clock_s: float) -> bool:
        """Begin a write if the period since the last one is over; `clock_s` is steady. Whether it did."""
        if clock_s < self._due_s or (self._writing is not None and not self._writing.done()):
            return False
        self._settle()
        begin_s = time.perf_counter()
        encoded = self._encoder.encode(statistics)
        self._due_s = clock_s + max(PERIOD_S, (time.perf_counter() - begin_s) / LARGEST_SHARE)
        self._writing = self._thread.submit(replace_file, self._path, encoded)
        return True

    def close(self, statistics: Statistics) -> None:
        """Write a last time, and wait for it."""
        if self._writing is not None:
            self._writing.exception()
        self._writing = self._thread.submit(replace_file, self._path, self._encoder.encode(statistics))
        self._writing.exception()
        self._settle()
        self._thread.shutdown()

    def _settle(self) -> None:
        if self._writing is not None:
            error = self._writing.exception()
            self.trouble = f"{self._path.name} not written: {error}" if error is not None else None
            self._writing = None
