"""Control steps per second in lockstep over ROS without training, and the processor time they cost: JSON.

    python benchmarks/lockstep.py --robots 1 2 --executors single_threaded events --seconds 20 --json

One JSON object; rows interleave the executors so that a noisy machine touches them alike. Processor
time per tick is what a machine's load does not change much.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "test" / "support"))

from graph import graph
from rosgraph_msgs.msg import Clock
from std_msgs.msg import UInt8MultiArray

from naf_robot.bringup.system import training_system
from naf_robot.core.records import PolicyParameters
from naf_robot.experience.codec import encode_parameters
from naf_robot.learning.policy import Policy
from naf_robot.nodes import convert, topics
from naf_robot.nodes.qos import PARAMETERS, reliable
from naf_robot.runtime.contract import contract_of
from naf_robot.runtime.run_config import resolve, robot_names, save


def processor_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(robots: int, executor: str, seconds: float) -> dict:
    """Simulator, velocity control and collectors; this process stands in for the trainer's parameters only."""
    config = resolve("reach", overrides=[{"robots": list(robot_names(robots)), "collector": {"max_policy_age_s": 1e6}}])
    contract = contract_of(config)
    policy = Policy.random(contract.observation_size, contract.action_size, np.random.default_rng(0))
    parameters = PolicyParameters(policy.arrays(), 1, contract.task, contract.observation_spec, 10**9, 0)
    with tempfile.TemporaryDirectory() as folder, graph() as g:
        path = Path(folder) / "config.yaml"
        save(config, path)
        publisher = g.node.create_publisher(UInt8MultiArray, topics.POLICY_PARAMETERS, PARAMETERS)
        publisher.publish(convert.bytes_message(encode_parameters(parameters)))
        times: list[float] = []
        g.node.create_subscription(Clock, topics.CLOCK, lambda m: times.append(convert.seconds(m.clock)), reliable(1))
        specs = [spec for spec in training_system(path, config.robots) if spec.name != "trainer"]
        started = [replace(spec, parameters=spec.parameters | {"executor": executor}) for spec in specs]
        children = {s.label: g.start(s, Path(folder) / f"{s.label.replace('/', '.')}.log") for s in started}
        g.wait_for(lambda: times and times[-1] > 5.0, 90.0, "the robots run")
        begin, first = time.monotonic(), times[-1]
        cost = {label: processor_s(child.pid) for label, child in children.items()}
        while time.monotonic() - begin < seconds:
            g.executor.spin_once(timeout_sec=0.1)
        ticks = (times[-1] - first) / 0.05
        wall_s = time.monotonic() - begin
        spent = {label: processor_s(child.pid) - cost[label] for label, child in children.items()}
    by_node: dict[str, list[float]] = {}
    for label, value in spent.items():
        by_node.setdefault(label.split("/")[-1], []).append(1e3 * value / ticks)
    return {
        "robots": robots,
        "executor": executor,
        "control_steps_per_s": round(robots * ticks / wall_s, 1),
        "real_time_factor": round(ticks * 0.05 / wall_s, 2),
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
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    rows = [
        measure(robots, executor, options.seconds)
        for _ in range(options.repeats)
        for robots in options.robots
        for executor in options.executors
    ]
    print(json.dumps({"rows": rows, "command": " ".join(["python", *sys.argv])}))


if __name__ == "__main__":
    main()
