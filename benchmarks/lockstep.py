"""Control steps per second in lockstep over ROS without training, and the processor time they cost: JSON.

    python benchmarks/lockstep.py --robots 1 2 --executors single_threaded events --seconds 20 --json

One JSON object; rows interleave the executors so that a noisy machine touches them alike. Processor
time per tick is what a machine's load does not change much; `stages_ms` is one tick's wall time by part.
"""

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import measuring
import numpy as np
from builtin_interfaces.msg import Time
from graph import Graph, graph
from measuring import processor_s
from policies import untrained
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray, UInt8MultiArray

from naf_robot.bringup.system import RobotNodes, training_system
from naf_robot.core import run_files
from naf_robot.core.records import PolicyParameters
from naf_robot.experience.codec import encode_parameters
from naf_robot.nodes import convert, topics
from naf_robot.nodes.qos import COMMAND, PARAMETERS, SENSOR, reliable
from naf_robot.run.config import resolve, robot_names, save
from naf_robot.run.contract import contract_of

PERIOD_NS = 50_000_000  # of control in reach
PERIOD_S = PERIOD_NS * 1e-9
STAGES = ("publishing", "collector", "velocity_control", "simulator")


class Stages:
    """Where one robot's tick spends its time, from the stamps that the middleware puts on each message as it leaves.

    State -> clock: the simulator publishes. Clock -> desired velocity: the collector is woken, acts and answers.
    Desired velocity -> command: the velocity controller does. Command -> next state: the simulator is woken, steps
    and reads its sensors; with several robots, it also waits for the others.
    """

    def __init__(self, g: Graph, robot: str) -> None:
        self.left_s: dict[str, dict[int, float]] = {name: {} for name in ("state", "clock", "desired", "command")}
        nanoseconds = {
            "state": lambda m: self.of(m.header.stamp),
            "clock": lambda m: self.of(m.clock),
            "desired": lambda m: self.of(m.header.stamp),
            "command": convert.answered_ns,
        }
        watched = (
            ("state", JointState, f"{robot}/{topics.JOINT_STATES}", SENSOR),
            ("clock", Clock, topics.CLOCK, reliable(1)),
            ("desired", JointState, f"{robot}/{topics.DESIRED_VELOCITY}", COMMAND),
            ("command", Float64MultiArray, f"{robot}/{topics.COMMANDS}", COMMAND),
        )
        for name, kind, topic, qos in watched:

            def note(message: Any, info: dict[str, Any], name: str = name) -> None:
                self.left_s[name].setdefault(nanoseconds[name](message), info["source_timestamp"] * 1e-9)

            g.node.create_subscription(kind, topic, note, qos)

    @staticmethod
    def of(stamp: Time) -> int:
        return stamp.sec * 1_000_000_000 + stamp.nanosec

    def median_ms(self) -> dict[str, float]:
        ticks = sorted(set.intersection(*(set(times) for times in self.left_s.values())))
        left = {name: np.array([times[tick] for tick in ticks]) for name, times in self.left_s.items()}
        following = np.array([self.left_s["state"].get(tick + PERIOD_NS, np.nan) for tick in ticks])
        edges = (left["state"], left["clock"], left["desired"], left["command"], following)
        spans = (1e3 * np.nanmedian(after - before) for before, after in pairwise(edges))
        return {name: round(float(span), 3) for name, span in zip(STAGES, spans, strict=True)}


def recorded_transitions(run_dir: Path) -> int:
    """Those that the collectors wrote to their outboxes."""
    recorded = 0
    for file in (run_dir / run_files.OUTBOX).glob("*.sqlite"):
        with closing(sqlite3.connect(file)) as box:
            (batched,) = box.execute("SELECT value FROM counters WHERE name = 'transition'").fetchone()
            (journalled,) = box.execute("SELECT COUNT(outcome) FROM journal").fetchone()
        recorded += batched + journalled
    return recorded


def measure(robots: int, executor: str, seconds: float) -> dict:
    """Simulator, velocity control and collectors; this process stands in for the trainer's parameters only."""
    config = resolve("reach", overrides=[{"robots": list(robot_names(robots)), "collector": {"max_policy_age_s": 1e6}}])
    with tempfile.TemporaryDirectory() as folder, graph() as g:
        contract = contract_of(config, Path(folder))
        policy = untrained(contract.observation_size, contract.action_size)
        names = (contract.task, contract.observation_spec, 10**9, 0, contract.run_id)
        parameters = PolicyParameters(policy.arrays(), 1, *names)
        path = Path(folder) / "config.yaml"
        save(config, path)
        publisher = g.node.create_publisher(UInt8MultiArray, topics.POLICY_PARAMETERS, PARAMETERS)
        publisher.publish(convert.bytes_message(encode_parameters(parameters)))
        times: list[float] = []
        g.node.create_subscription(Clock, topics.CLOCK, lambda m: times.append(convert.seconds(m.clock)), reliable(1))
        specs = [spec for spec in training_system(path, RobotNodes(tuple(config.robots))) if spec.name != "trainer"]
        started = [replace(spec, parameters=spec.parameters | {"executor": executor}) for spec in specs]
        children = {s.label: g.start(s, Path(folder) / f"{s.label.replace('/', '.')}.log") for s in started}
        g.wait_for(lambda: times and times[-1] > 5.0, 90.0, "the robots run")
        begin, first = time.monotonic(), times[-1]
        cost = {label: processor_s(child.pid) for label, child in children.items()}
        while time.monotonic() - begin < seconds:
            g.executor.spin_once(timeout_sec=0.1)
        ticks = (times[-1] - first) / PERIOD_S
        wall_s = time.monotonic() - begin
        spent = {label: processor_s(child.pid) - cost[label] for label, child in children.items()}
        stages = Stages(g, next(iter(config.robots)))  # afterwards: watching takes processor time too
        g.spin_for(seconds / 3.0)
        recorded = recorded_transitions(Path(folder))
    if recorded == 0:
        raise SystemExit("no robot recorded a transition: the collectors took no policy, and nothing was measured")
    by_node: dict[str, list[float]] = {}
    for label, value in spent.items():
        by_node.setdefault(label.split("/")[-1], []).append(1e3 * value / ticks)
    return {
        "robots": robots,
        "executor": executor,
        "recorded_transitions": recorded,
        "control_steps_per_s": round(robots * ticks / wall_s, 1),
        "real_time_factor": round(ticks * PERIOD_S / wall_s, 2),
        "stages_ms": stages.median_ms(),
        "processor_ms_per_tick": {name: round(statistics.mean(v), 3) for name, v in by_node.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robots", type=int, nargs="+", default=[1])
    parser.add_argument("--executors", nargs="+", default=["single_threaded", "events"])
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print JSON (the only format)")
    options = parser.parse_args()
    measuring.own_graph()
    rows = [
        measure(robots, executor, options.seconds)
        for _ in range(options.repeats)
        for robots in options.robots
        for executor in options.executors
    ]
    print(json.dumps({"rows": rows, "command": measuring.command(), "machine": measuring.machine()}))


if __name__ == "__main__":
    main()
