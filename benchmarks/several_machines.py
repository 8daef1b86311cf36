"""A trainer and two robots as three hosts on a slow, lossy link that is cut twice: one JSON object.

    python benchmarks/several_machines.py --output docs/results/several_machines.json

Each host is a network namespace (needs root), with real processes and real DDS; a thread of ours carries the packets
between them, drops some, delays all and limits their rate (`test/support/hosts.py`). In the first cut one robot goes on
and the other holds still, as `collector.max_policy_age_s` says. In the second one the collector of the first is killed,
and the trainer is ended by Ctrl-C; it is resumed when the link is back.
"""

import argparse
import json
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

from measuring import command, machine
from tqdm import tqdm

from hosts import Link, missing  # isort: skip  (in test/support, which measuring puts on the path)
from machines import TRANSPORTS, Machines  # isort: skip

from naf_robot.core.files import replace_file

GOES_ON, HOLDS = "right", "left"
ROBOTS = (HOLDS, GOES_ON)
UPLOADED = 1  # batches under way that may wait for their acknowledgement at any time
SAMPLE_S = 5.0


class Course:
    """Runs the scenario and notes what robots have recorded and still hold, every few seconds."""

    def __init__(self, machines: Machines) -> None:
        self.machines = machines
        self.begin_s = time.monotonic()
        self.samples: list[dict[str, Any]] = []
        self.bar = tqdm(desc="several machines", unit=" s", disable=None)

    def sample(self, event: str = "") -> None:
        """Note the counters now."""
        now_s = round(time.monotonic() - self.begin_s, 1)
        row: dict[str, Any] = {"at [s]": now_s, "link": "cut" if self.machines.link.cut else "up"}
        if event:
            row["event"] = event
        for robot in ROBOTS:
            row[f"{robot} recorded"] = self.machines.recorded(robot)
            row[f"{robot} batches waiting"] = self.machines.waiting(robot)
        self.samples.append(row)
        self.bar.update(now_s - self.bar.n)

    def go_on(self, seconds: float) -> None:
        """Let the robots work."""
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0.0:
            time.sleep(min(SAMPLE_S, left_s))
            self.sample()

    def cut(self, cut: bool) -> None:
        """Cut the link, or mend it."""
        self.machines.link.cut = cut
        self.sample("the link is cut" if cut else "the link is back")

    def uploaded_s(self) -> float:
        """Wait until every robot has uploaded what it held [s]."""
        taken_s = self.machines.wait_for(
            lambda: all(self.machines.waiting(robot) <= UPLOADED for robot in ROBOTS), 180.0, "everything is uploaded"
        )
        self.sample("uploaded")
        return round(taken_s, 1)

    def states(self) -> dict[str, str]:
        """What `naf-robot status` says of each robot on its own host."""
        found = {}
        for robot in ROBOTS:
            said = self.machines.command(robot, "status", "--robots", robot)
            found[robot] = next((line for line in said.splitlines() if f"{robot}/collector" in line), said[-200:])
        return found


def measure(machines: Machines, options: argparse.Namespace) -> dict[str, Any]:
    """Run the scenario; its result."""
    course = Course(machines)
    machines.start("trainer", "--set", "trainer.publish_period_updates=200", "max_episodes=100000")
    for robot, age_s in ((HOLDS, options.policy_age), (GOES_ON, 1000.0)):
        settings = ["--set", f"collector.max_policy_age_s={age_s}"]
        machines.start(robot, "--real-time-factor", "1", "--restarts", "5", *settings)
    for robot in ROBOTS:
        machines.wait_for(lambda robot=robot: machines.stored(robot) > 0, 120.0, f"experience of {robot}")
    course.sample("both robots have joined")
    course.go_on(options.before)

    course.cut(True)
    before = {robot: machines.recorded(robot) for robot in ROBOTS}
    course.go_on(options.cut - 20.0)
    states = course.states()
    course.go_on(max(0.0, options.cut - (time.monotonic() - course.begin_s - _at(course, "the link is cut"))))
    during = {robot: machines.recorded(robot) - before[robot] for robot in ROBOTS}
    course.cut(False)
    upload_s = course.uploaded_s()
    course.go_on(options.before)

    course.cut(True)
    course.go_on(10.0)
    machines.kill_node(GOES_ON, "naf_robot.nodes.collector")
    course.sample(f"SIGKILL to the collector of {GOES_ON}")
    course.go_on(10.0)
    trainer_code = machines.stop("trainer")
    course.sample("Ctrl-C on the trainer")
    course.go_on(options.cut - 20.0)
    course.cut(False)
    machines.start("trainer")
    course.sample("the trainer is resumed")
    second_upload_s = course.uploaded_s()
    course.go_on(options.before)

    codes = {name: machines.stop(name, signal.SIGINT) for name in (*ROBOTS, "trainer")}
    course.bar.close()
    summary = json.loads((machines.folder / "trainer" / "summary.json").read_text(encoding="utf-8"))
    stored = {robot: machines.stored_transitions(robot) for robot in ROBOTS}
    kept = {robot: machines.waiting_transitions(robot) for robot in ROBOTS}
    recorded = {robot: machines.recorded(robot) for robot in ROBOTS}
    in_both = {robot: stored[robot] + kept[robot] - recorded[robot] for robot in ROBOTS}
    return {
        "what they did in the first cut": {
            robot: {"transitions recorded": during[robot], "status before its end": states[robot]} for robot in ROBOTS
        },
        "uploaded after [s]": [upload_s, second_upload_s],
        "exit codes": {"trainer in the second cut": trainer_code, **codes},
        "recorded": recorded,
        "stored": stored,
        "kept in the outbox at the end": kept,
        "lost": {robot: max(0, -number) for robot, number in in_both.items()},
        "stored and not yet acknowledged": {robot: max(0, number) for robot, number in in_both.items()},
        "batches in neither store nor outbox": {robot: len(machines.missing(robot)) for robot in ROBOTS},
        "stored twice": machines.stored_twice(),
        "learned from": summary["env_steps"],
        "steps_lost": summary["steps_lost"],
        "batches_resent": summary["batches_resent"],
        "packets": vars(machines.network.counts),
        "course": course.samples,
    }


def _at(course: Course, event: str) -> float:
    return next(row["at [s]"] for row in course.samples if row.get("event") == event)


def main() -> None:
    """Measure once; print the result or write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cut", type=float, default=60.0, help="length of each cut [s]")
    parser.add_argument("--before", type=float, default=30.0, help="time of work before and after each cut [s]")
    parser.add_argument("--policy-age", type=float, default=20.0, help="collector.max_policy_age_s of one robot [s]")
    parser.add_argument("--loss", type=float, default=0.1, help="fraction of packets that are dropped")
    parser.add_argument("--delay", type=float, default=0.075, help="delay of each packet [s]")
    parser.add_argument("--mbit", type=float, default=2.0, help="rate of each host's line [Mbit/s]")
    parser.add_argument("--transport", choices=TRANSPORTS, default="small_datagrams", help="how Fast DDS sends")
    parser.add_argument("--output", type=Path, help="JSON file to write")
    options = parser.parse_args()
    if why := missing():
        raise SystemExit(f"error: {why}")
    link = Link(options.delay, options.loss, options.mbit * 1e6 / 8.0)
    with tempfile.TemporaryDirectory(prefix="several_machines_") as folder:
        machines = Machines(Path(folder), ROBOTS, link, options.transport)
        try:
            result = {"command": command(), "machine": machine(), **measure(machines, options)}
        finally:
            machines.close()
    text = json.dumps(result, indent=1) + "\n"
    if options.output is not None:
        replace_file(options.output, text.encode())
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
