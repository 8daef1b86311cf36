"""How fast `naf-robot replay` rebuilds steps from bags, and in how much memory, beside rosbags' own reader: JSON.

    python benchmarks/replay_bags.py --json
    python benchmarks/replay_bags.py --episodes 40 --picture-mib 2200 --json

The bags are made first: reach on simulated time, with joint states once per tick, and on wall time with joint states at
`--state-hz`. The floor reads the same messages and opens none of them (`floor_s`) or all (`opened_s`). With
`--picture-mib` a third bag holds raw pictures of 640 x 480 besides, which must be passed over without being held.
Times are processor times of the process that reads, `times_real_time` is what the robots lived through by them.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import measuring
import numpy as np
import synthetic_bag as bags
from rosbags.rosbag2 import Reader

from naf_robot.experience.bags.decoding import opened
from naf_robot.experience.bags.files import RawMessage

STEPS, BETWEEN = 150, 40  # of an episode, and ticks of the way home before it
IMAGE = "sensor_msgs/msg/Image"
SIZE = (480, 640, 3)
PICTURE_HZ = 20


def entries(episodes: int, state_hz: int, simulated: bool, pictures: int) -> Iterator[bags.Entry]:
    """A recording, message by message; with `pictures` of them, one per tick."""
    joints = bags.config().robot("left").arm.joints
    per_tick = max(1, state_hz // 20)
    noise = np.random.default_rng(0).integers(0, 256, SIZE, np.uint8)
    tick = 0
    for episode in range(episodes):
        for place in range(-BETWEEN, STEPS + 1):
            stamp = bags.BEGIN_NS + tick * bags.PERIOD_NS
            log = bags.LOG_NS + tick * bags.PERIOD_NS

            def made(name: str, kind: str, late: int, message: Any, log: int = log) -> bags.Entry:
                return bags.Entry(name if name[0] == "/" else f"/left/{name}", kind, log + late, message)

            if simulated:
                yield made("/clock", bags.CLOCK, 0, bags.T[bags.CLOCK](clock=bags.time_of(stamp)))
            for part in range(per_tick):
                early = (per_tick - 1 - part) * bags.PERIOD_NS // per_tick
                state = bags.joint_state(stamp - early, joints, bags.position_at(tick), np.zeros(7))
                yield made("joint_states", bags.JOINT_STATE, 1 - early, state)
            if tick < pictures:
                header = bags.joint_state(stamp, ()).header
                data = np.roll(noise, tick)
                image = bags.T[IMAGE](header, SIZE[0], SIZE[1], "rgb8", 0, 3 * SIZE[1], data.reshape(-1))
                yield made("camera/image_raw", IMAGE, 2, image)
            if place == 0:
                yield made("episode", bags.STRING, 3, event("begin", episode, stamp))
            yield made(
                "desired_velocity", bags.JOINT_STATE, 4, bags.joint_state(stamp, joints, (), bags.desired_at(tick))
            )
            yield made(
                "executed_velocity", bags.JOINT_STATE, 5, bags.joint_state(stamp, joints, (), bags.executed_at(tick))
            )
            if place == STEPS:
                yield made("episode", bags.STRING, 6, event("end", episode, stamp))
            tick += 1


def event(word: str, episode: int, stamp_ns: int) -> Any:
    return bags.event(word, episode, stamp_ns, **({"steps": STEPS} if word == "end" else {}))


def floor(path: Path, is_opened: bool) -> float:
    """Processor time of rosbags' reader for what replay needs, opened or not [s]."""
    begin = time.process_time()
    with Reader(path) as reader:
        wanted = [c for c in reader.connections if c.topic.startswith("/left/") and "camera" not in c.topic]
        for connection, log_ns, data in reader.messages(wanted):
            if is_opened:
                opened(RawMessage(connection.topic, connection.msgtype, log_ns, data))
    return time.process_time() - begin


def replayed(path: Path, folder: Path) -> dict[str, Any]:
    """What the command prints, with its processor time [s] and its peak memory [MiB]."""
    words = [sys.executable, "-m", "naf_robot.bringup.cli", "replay", str(path), "--task", "reach", "--raw", "--json"]
    words += ["--run-dir", str(folder)]
    place = folder.with_suffix(".json")
    process = os.posix_spawn(
        sys.executable,
        words,
        os.environ | {"PYTHONPATH": str(measuring.ROOT)},
        file_actions=[(os.POSIX_SPAWN_OPEN, 1, str(place), os.O_WRONLY | os.O_CREAT, 0o644)],
    )
    _, status, usage = os.wait4(process, 0)
    if status:
        raise RuntimeError("naf-robot replay failed; it says why above")
    document = json.loads(place.read_text(encoding="utf-8"))
    processor_s = usage.ru_utime + usage.ru_stime
    return {"document": document, "processor_s": processor_s, "memory_mib": round(usage.ru_maxrss / 1024.0, 1)}


def measured(name: str, path: Path, folder: Path, messages: int) -> dict[str, Any]:
    """One row."""
    found = replayed(path, folder)
    document = found["document"]
    return {
        "bag": name,
        "size_mib": round(sum(f.stat().st_size for f in path.iterdir()) / 2**20, 1),
        "messages": messages,
        "robot_s": document["robot_s"],
        "steps": document["steps"],
        "refused": document["refused"],
        "processor_s": round(found["processor_s"], 2),  # start-up included
        "times_real_time": round(document["robot_s"] / found["processor_s"], 1),
        "wall_times_real_time": document["times_real_time"],
        "memory_mib": found["memory_mib"],
        "floor_s": round(floor(path, False), 2),
        "opened_s": round(floor(path, True), 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=40, help="of each bag")
    parser.add_argument("--state-hz", type=int, default=100, help="rate of joint states on wall time")
    parser.add_argument("--picture-mib", type=int, default=0, help="raw pictures in a further bag")
    parser.add_argument("--bags", nargs="+", metavar="WORD", help="only bags with one of these words in their name")
    parser.add_argument("--json", action="store_true", help="print JSON (the only format)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the JSON here too")
    options = parser.parse_args()
    pictures = options.picture_mib * 2**20 // int(np.prod(SIZE))

    def of_kind(simulated: bool, state_hz: int, pictures: int = 0) -> dict[str, Any]:
        return {"simulated": simulated, "state_hz": state_hz, "pictures": pictures}

    kinds = [
        ("simulated time, MCAP", "mcap", of_kind(True, 20)),
        ("simulated time, sqlite3", "sqlite3", of_kind(True, 20)),
        (f"wall time, states at {options.state_hz} Hz, MCAP", "mcap", of_kind(False, options.state_hz)),
    ]
    if pictures:
        kinds.append(("with pictures, sqlite3", "sqlite3", of_kind(True, 20, pictures)))
    if options.bags:
        kinds = [kind for kind in kinds if any(word in kind[0] for word in options.bags)]
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for number, (name, storage, values) in enumerate(kinds):
            count = 0

            def counted(values: dict[str, Any] = values) -> Iterator[bags.Entry]:
                nonlocal count
                for entry in entries(options.episodes, **values):
                    count += 1
                    yield entry

            path = Path(place) / f"bag{number}"
            bags.write(path, counted(), storage)
            rows.append(measured(name, path, Path(place) / f"steps{number}", count))
    result = {"rows": rows, "machine": measuring.machine(), "command": measuring.command()}
    if options.output is not None:
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
