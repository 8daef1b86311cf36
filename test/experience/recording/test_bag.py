"""What is written is read by others (rosbags and mcap's own reader), also after a kill or an error of the disk."""

import errno
import os
from pathlib import Path

import pytest
import yaml
from bags import recorded
from rosbags import rosbag2

from naf_robot.core.errors import StoreError
from naf_robot.experience.recording import mcap_file
from naf_robot.experience.recording.bag import Bag
from naf_robot.experience.recording.completion import complete_bag, complete_bags
from naf_robot.experience.recording.mcap_file import Topic
from naf_robot.experience.recording.metadata import METADATA

QOS = """- history: unknown
  depth: 0
  reliability: reliable
  durability: transient_local
  deadline: {sec: 9223372036, nsec: 854775807}
  lifespan: {sec: 9223372036, nsec: 854775807}
  liveliness: automatic
  liveliness_lease_duration: {sec: 9223372036, nsec: 854775807}
  avoid_ros_namespace_conventions: false
"""
STATES = Topic("/robot_1/joint_states", "sensor_msgs/msg/JointState", QOS, "RIHS01_ab")
EPISODE = Topic("/robot_1/episode", "std_msgs/msg/String", QOS, "RIHS01_cd")
DATA = bytes(range(256)) * 2


def make(folder: Path, compression="zstd", split_bytes=1 << 30, chunk_bytes=4096) -> Bag:
    return Bag(folder, chunk_bytes, compression, split_bytes, {"task": "reach"})


def fill(bag: Bag, begin: int, end: int) -> None:
    for n in range(begin, end):
        bag.write(STATES, 1000 + n, 900 + n, DATA + bytes([n % 256]), n)
        if n % 10 == 0:
            bag.write(EPISODE, 1000 + n, 900 + n, b"\0\1\0\0" + bytes([n % 256]))


def expected(begin: int, end: int) -> list[tuple[int, bytes]]:
    return [(1000 + n, DATA + bytes([n % 256])) for n in range(begin, end)]


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_a_bag_is_read_by_rosbags_with_types_and_qos(tmp_path: Path, compression: str):
    bag = make(tmp_path / "robot_1", compression)
    fill(bag, 0, 100)
    bag.close()
    found = recorded(bag.folder)
    assert found[STATES.name] == expected(0, 100)
    assert len(found[EPISODE.name]) == 10
    with rosbag2.Reader(bag.folder) as reader:
        (states,) = [c for c in reader.connections if c.topic == STATES.name]
        assert states.msgtype == STATES.type_name
        assert "MSG: std_msgs/Header" in states.msgdef.data
        assert states.ext.offered_qos_profiles[0].durability.name == "TRANSIENT_LOCAL"
    told = yaml.safe_load((bag.folder / METADATA).read_text())["rosbag2_bagfile_information"]
    assert told["message_count"] == 110
    assert told["starting_time"]["nanoseconds_since_epoch"] == 1000
    assert told["duration"]["nanoseconds"] == 99
    assert told["custom_data"] == {"task": "reach"}
    assert told["topics_with_message_count"][0]["topic_metadata"]["type_description_hash"] == "RIHS01_ab"


def test_files_are_split_by_size_and_read_as_one(tmp_path: Path):
    bag = make(tmp_path / "robot_1", "none", split_bytes=20_000)
    fill(bag, 0, 100)
    bag.close()
    names = sorted(path.name for path in bag.folder.glob("*.mcap"))
    assert names[:3] == ["robot_1_0.mcap", "robot_1_1.mcap", "robot_1_2.mcap"]
    assert recorded(bag.folder)[STATES.name] == expected(0, 100)


def killed(bag: Bag) -> None:
    """As SIGKILL leaves it: nothing more is written."""
    os.close(bag._file._output.descriptor)


@pytest.mark.parametrize("cut", [0, 1, 9, 60, 20_000])
def test_of_a_killed_recorder_every_flushed_message_is_read(tmp_path: Path, cut: int):
    bag = make(tmp_path / "robot_1", split_bytes=20_000)
    fill(bag, 0, 90)
    bag.flush()
    whole = bag._file._output.position
    fill(bag, 90, 94)
    killed(bag)
    path = bag._file.path
    with path.open("r+b") as file:  # part of a chunk that was being written
        file.seek(whole)
        file.write((b"\x06" + (50_000).to_bytes(8, "little") + bytes(40_000))[:cut])
    assert not (bag.folder / METADATA).exists()
    (sentence,) = complete_bags([bag.folder])
    assert "99 messages" in sentence
    assert recorded(bag.folder)[STATES.name] == expected(0, 90)
    before = path.read_bytes()
    assert list(complete_bags([bag.folder])) == []
    (bag.folder / METADATA).unlink()
    assert complete_bag(bag.folder) == 99
    assert path.read_bytes() == before, "a finished file is left as it is"


def test_a_recorder_that_was_killed_at_once_leaves_an_empty_bag(tmp_path: Path):
    bag = make(tmp_path / "robot_1")
    killed(bag)
    os.truncate(bag._file.path, 0)
    assert complete_bag(bag.folder) == 0
    assert list(bag.folder.glob("*.mcap")) == []


def test_a_damaged_file_is_left_as_it_is(tmp_path: Path):
    bag = make(tmp_path / "robot_1")
    fill(bag, 0, 90)
    bag.flush()
    killed(bag)
    data = bytearray(bag._file.path.read_bytes())
    data[200] ^= 255
    bag._file.path.write_bytes(data)
    with pytest.raises(StoreError, match="damaged"):
        complete_bag(bag.folder)
    assert bag._file.path.read_bytes() == data
    assert not (bag.folder / METADATA).exists()


def test_an_error_of_the_disk_costs_the_open_chunk_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bag = make(tmp_path / "robot_1")
    fill(bag, 0, 30)
    bag.flush()
    path, whole = bag._file.path, bag.size
    fill(bag, 30, 32)
    write = os.write

    def full(descriptor: int, data) -> int:
        if len(data) > 100:
            write(descriptor, data[:50])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data)

    monkeypatch.setattr(mcap_file.os, "write", full)
    with pytest.raises(OSError, match="No space"):
        bag.flush()
    bag.break_off()
    assert bag.messages == 33
    assert path.stat().st_size == whole
    monkeypatch.setattr(mcap_file.os, "write", write)
    fill(bag, 40, 60)
    bag.close()
    assert bag.messages == 33 + 22
    assert recorded(bag.folder)[STATES.name] == expected(0, 30) + expected(40, 60)
