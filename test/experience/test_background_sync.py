"""An outbox whose control loop does not wait for the disk: what may be sent when, and what a disk that refuses does."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from manual_clock import ManualClock
from step_batches import CONTRACT, journal_rows, make_batch

from naf_robot.collecting.upload import Uploader
from naf_robot.experience import background_sync
from naf_robot.experience.outbox import Outbox


class Disk:
    """Stands in for `os.fsync`: waits while it is busy, refuses while it is broken."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free = threading.Event()
        self.broken = False
        self.synced = 0
        self._fsync = os.fsync
        monkeypatch.setattr(background_sync.os, "fsync", self._sync)

    def _sync(self, handle: int) -> None:
        self.free.wait()
        if self.broken:
            raise OSError(5, "Input/output error")
        self._fsync(handle)
        self.synced += 1


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def box(tmp_path: Path, disk: Disk):
    made = Outbox(tmp_path / "outbox.sqlite", "robot_1", CONTRACT, 10**9, background=True)
    yield made
    disk.free.set()
    made.close()


def until(condition: Callable[[], object]) -> None:
    end_s = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.002)


def test_a_batch_is_not_sent_before_it_is_on_the_disk_and_nobody_waits_for_that(box: Outbox, disk: Disk):
    uploader = Uploader(box, ManualClock(), 1.0, 2.0)
    uploader.add(make_batch(5))
    uploader.note(next(journal_rows()))
    assert uploader.due() == []
    assert uploader.awaits_disk
    assert uploader.trouble is None
    disk.free.set()
    until(lambda: box.durable(0))
    assert len(uploader.due()) == 1
    assert not uploader.awaits_disk
    assert disk.synced >= 2  # the log, and its name


def test_a_disk_that_refuses_is_told_until_it_takes_it(box: Outbox, disk: Disk):
    uploader = Uploader(box, ManualClock(), 1.0, 2.0)
    disk.broken = True
    disk.free.set()
    uploader.add(make_batch(5))
    until(lambda: uploader.due() == [] and uploader.trouble)
    assert "cannot be brought to the disk: [Errno 5] Input/output error" in (uploader.trouble or "")
    disk.broken = False
    until(uploader.due)
    assert uploader.trouble is None


def test_what_a_predecessor_left_needs_no_disk(tmp_path: Path, disk: Disk):
    first = Outbox(tmp_path / "outbox.sqlite", "robot_1", CONTRACT, 10**9)
    first.append(make_batch(5))
    first.close()
    again = Outbox(tmp_path / "outbox.sqlite", "robot_1", CONTRACT, 10**9, background=True)
    assert len(Uploader(again, ManualClock(), 1.0, 2.0).due()) == 1
    again.close()


def test_the_log_stays_short_and_every_batch_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(background_sync, "CHECKPOINT_BYTES", 100_000)
    path = tmp_path / "outbox.sqlite"
    box = Outbox(path, "robot_1", CONTRACT, 10**9, background=True)
    for number in range(60):
        box.append(make_batch(50, seed=number))
        until(lambda number=number: box.durable(number))
    assert path.with_name("outbox.sqlite-wal").stat().st_size < 400_000
    box.close()
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT COUNT(*) FROM batches").fetchone() == (60,)
    database.close()
