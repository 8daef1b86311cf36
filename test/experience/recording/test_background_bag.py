import errno
import threading
import time
from pathlib import Path

import pytest
from rosbags import rosbag2

from naf_robot.experience.recording import background
from naf_robot.experience.recording.background import BackgroundBag, Message
from naf_robot.experience.recording.bag import Bag
from naf_robot.experience.recording.mcap_file import Topic

TOPIC = Topic("/robot_1/joint_states", "sensor_msgs/msg/JointState", "[]")
GB = 10**9


class Disk:
    free = 100 * GB


def recording(folder: Path, disk: Disk, queue_bytes: int = 1 << 20, first=lambda: None) -> BackgroundBag:
    bag = Bag(folder, 1 << 16, "none", 1 << 30)
    return BackgroundBag(bag, 0.01, 1 << 16, queue_bytes, GB, first, lambda folder: disk.free)


def put(recorder: BackgroundBag, begin: int, end: int) -> None:
    for n in range(begin, end):
        recorder.put(Message(TOPIC, n, n, bytes(800)))


def wait_for(condition) -> None:
    deadline = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def stamps(folder: Path) -> list[int]:
    with rosbag2.Reader(folder) as reader:
        return [stamp for _, stamp, _ in reader.messages()]


def test_all_that_came_is_in_the_bag_when_it_is_closed(tmp_path: Path):
    recorder = recording(tmp_path / "bag", Disk())
    put(recorder, 0, 500)
    recorder.close()
    assert stamps(tmp_path / "bag") == list(range(500))
    assert recorder.report()["recorded messages"] == 500
    assert (recorder.dropped, recorder.trouble) == (0, "")


def test_while_the_disk_keeps_it_waiting_messages_are_dropped_and_counted_and_memory_is_bounded(tmp_path: Path):
    may_go_on = threading.Event()
    recorder = recording(tmp_path / "bag", Disk(), 100_000, may_go_on.wait)
    begin = time.monotonic()
    put(recorder, 0, 1000)
    assert time.monotonic() - begin < 5.0
    assert recorder.dropped == 900
    may_go_on.set()
    recorder.close()
    assert stamps(tmp_path / "bag") == list(range(100))


def test_a_disk_that_others_need_is_left_alone_until_it_has_space_again(tmp_path: Path):
    disk = Disk()
    recorder = recording(tmp_path / "bag", disk)
    put(recorder, 0, 10)
    wait_for(lambda: recorder.report()["recorded messages"] == 10)
    disk.free = GB // 2
    wait_for(lambda: recorder.trouble)
    assert "0.5 GB are free" in recorder.trouble
    put(recorder, 10, 20)
    wait_for(lambda: recorder.dropped == 10)
    disk.free = 11 * GB // 10
    wait_for(lambda: "1.1 GB are free" in recorder.trouble)
    disk.free = 2 * GB
    wait_for(lambda: not recorder.trouble)
    put(recorder, 20, 30)
    recorder.close()
    assert stamps(tmp_path / "bag") == [*range(10), *range(20, 30)]
    assert len(list((tmp_path / "bag").glob("*.mcap"))) == 2


def test_an_error_of_the_disk_is_said_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(background, "RETRY_S", 0.05)
    recorder = recording(tmp_path / "bag", Disk())
    put(recorder, 0, 10)
    wait_for(lambda: recorder.report()["recorded messages"] == 10)
    flush, broken = Bag.flush, threading.Event()

    def fails(bag: Bag) -> None:
        if not broken.is_set():
            broken.set()
            raise OSError(errno.EIO, "Input/output error")
        flush(bag)

    monkeypatch.setattr(Bag, "flush", fails)
    put(recorder, 10, 20)
    wait_for(lambda: "Input/output error" in recorder.trouble)
    wait_for(lambda: not recorder.trouble)
    lost = recorder.dropped
    put(recorder, 20, 30)
    recorder.close()
    kept = stamps(tmp_path / "bag")
    assert 0 <= lost <= 10
    assert len(kept) == 30 - recorder.dropped
    assert kept[:10] == list(range(10))
    assert kept[-10:] == list(range(20, 30))


def test_a_mistake_in_the_thread_does_not_look_like_a_recorder_that_works(tmp_path: Path):
    def fails() -> None:
        raise RuntimeError("mistake")

    recorder = recording(tmp_path / "bag", Disk(), first=fails)
    wait_for(lambda: "mistake" in recorder.trouble)
    put(recorder, 0, 10)
    assert recorder.dropped == 10
    recorder.close()
