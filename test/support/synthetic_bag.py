"""Bags that are written message by message, with whatever is wrong with them; rosbags writes the files."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from naf_robot.run.config import RunConfig, resolve
from naf_robot.run.contract import contract_of

TYPES = get_typestore(Stores.ROS2_JAZZY)
T = TYPES.types
JOINT_STATE, STRING, CLOCK = "sensor_msgs/msg/JointState", "std_msgs/msg/String", "rosgraph_msgs/msg/Clock"
STEPS = 6
SETTINGS = (f"task.episode_steps={STEPS}",)
PERIOD_NS, LOG_NS = 50_000_000, 1_700_000_000_000_000_000
BEGIN_NS = 100_000_000_000  # stamp of the first tick


@dataclass(frozen=True)
class Entry:
    """One message to write."""

    topic: str
    type_name: str
    log_ns: int
    message: Any

    @property
    def stamp_ns(self) -> int:
        if self.type_name == STRING:
            return json.loads(self.message.data)["stamp_ns"]
        stamp = self.message.clock if self.type_name == CLOCK else self.message.header.stamp
        return stamp.sec * 10**9 + stamp.nanosec


@cache
def config() -> RunConfig:
    return resolve("reach", overrides=[{"robots": "left", "task": {"episode_steps": STEPS}}])


@cache
def spec_hash() -> str:
    return contract_of(config()).observation_spec


def position_at(tick: int) -> np.ndarray:
    """Of the joints at tick number `tick` of the bag [rad]."""
    return np.array(config().robot("left").arm.home) + 0.01 * np.sin(0.7 * tick + np.arange(7))


def desired_at(tick: int) -> np.ndarray:
    return 0.2 * np.sin(0.3 * tick + np.arange(7))


def executed_at(tick: int) -> np.ndarray:
    return 0.9 * desired_at(tick)


def time_of(stamp_ns: int) -> Any:
    return T["builtin_interfaces/msg/Time"](sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)


def joint_state(stamp_ns: int, names: Iterable[str], position: Any = (), velocity: Any = ()) -> Any:
    header = T["std_msgs/msg/Header"](stamp=time_of(stamp_ns), frame_id="")
    arrays = [np.asarray(values, dtype=np.float64) for values in (position, velocity, ())]
    return T[JOINT_STATE](header, list(names), *arrays)


def event(word: str, episode: int, stamp_ns: int, **changes: Any) -> Any:
    own = config()
    fields = {
        "event": word,
        "stamp_ns": stamp_ns,
        "episode": episode,
        "run_id": "0123456789abcdef",
        "task": "reach",
        "observation_spec": spec_hash(),
        "greedy": episode % 2 == 1,
        "policy_version": 3 + episode,
        "goal": {"target": [0.5, 0.01 * episode, 0.4]},
        "joints": list(own.robot("left").arm.joints),
        "max_joint_velocity": [own.collector.action_velocity] * 7,
        "control_period_s": 0.05,
    }
    if word == "end":
        fields |= {"reason": "time limit", "terminated": False, "success": False, "steps": STEPS, "discarded": 0}
    return T[STRING](data=json.dumps(fields | changes))


def bag_of(episodes: int = 2, space: str = "left", between: int = 3, log_step_ns: int = PERIOD_NS // 10) -> list[Entry]:
    """A whole recording on simulated time: `between` ticks of the way home before each episode.

    A tick follows the one before after `log_step_ns` by log time.
    """
    joints, entries, tick = config().robot("left").arm.joints, [], 0

    def add(name: str, type_name: str, late_ns: int, message: Any) -> None:
        topic = name if name.startswith("/") else f"/{space}/{name}" if space else f"/{name}"
        entries.append(Entry(topic, type_name, LOG_NS + tick * log_step_ns + late_ns, message))

    for episode in range(episodes):
        for place in range(-between, STEPS + 1):
            stamp_ns = BEGIN_NS + tick * PERIOD_NS
            add("/clock", CLOCK, 0, T[CLOCK](clock=time_of(stamp_ns)))
            velocity = 0.1 * np.cos(tick + np.arange(7))
            add("joint_states", JOINT_STATE, 1, joint_state(stamp_ns, joints, position_at(tick), velocity))
            if place == 0:
                add("episode", STRING, 2, event("begin", episode, stamp_ns))
            add("desired_velocity", JOINT_STATE, 3, joint_state(stamp_ns, joints, (), desired_at(tick)))
            add("executed_velocity", JOINT_STATE, 4, joint_state(stamp_ns, joints, (), executed_at(tick)))
            if place == STEPS:
                add("episode", STRING, 5, event("end", episode, stamp_ns))
            tick += 1
    return entries


def write(
    path: Path,
    entries: Iterable[Entry],
    storage: str = "mcap",
    compression: str = "",
) -> Path:
    """The bag folder `path`; `compression` is "", message, file or storage."""
    plugin = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}[storage]
    writer = Writer(path, version=9, storage_plugin=plugin)
    if compression:
        mode = {"message": CompressionMode.MESSAGE, "file": CompressionMode.FILE, "storage": CompressionMode.STORAGE}
        writer.set_compression(mode[compression], CompressionFormat.ZSTD)
    with writer:
        connections: dict[str, Any] = {}
        for entry in entries:
            if entry.topic not in connections:
                connections[entry.topic] = writer.add_connection(entry.topic, entry.type_name, typestore=TYPES)
            writer.write(connections[entry.topic], entry.log_ns, TYPES.serialize_cdr(entry.message, entry.type_name))
    return path


def write_in_chunks(path: Path, entries: Iterable[Entry], chunk_bytes: int) -> Path:
    """One MCAP file of many chunks, as recorders write it."""
    with path.open("wb") as file:
        writer = McapWriter(file, chunk_size=chunk_bytes)
        writer.start(profile="ros2")
        channels: dict[str, int] = {}
        for entry in entries:
            if entry.topic not in channels:
                schema = writer.register_schema(entry.type_name, "ros2msg", b"")
                channels[entry.topic] = writer.register_channel(entry.topic, "cdr", schema)
            data = bytes(TYPES.serialize_cdr(entry.message, entry.type_name))
            writer.add_message(channels[entry.topic], entry.log_ns, data, entry.log_ns)
        writer.finish()
    return path


def without(entries: Iterable[Entry], drop: Callable[[Entry], bool]) -> list[Entry]:
    return [entry for entry in entries if not drop(entry)]


def changed(entries: Iterable[Entry], which: Callable[[Entry], bool], message: Callable[[Entry], Any]) -> list[Entry]:
    """Entries with other messages in place of those that `which` picks."""
    return [replace(entry, message=message(entry)) if which(entry) else entry for entry in entries]
