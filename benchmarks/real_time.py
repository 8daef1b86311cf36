"""Control periods missed when two robots run at real time with training beside: one JSON object.

    python benchmarks/real_time.py --episodes 12 --json

Counts come from the processes' own diagnostics: the collectors' missed periods and the ticks that
the simulator had to step without an answer.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import rclpy
from diagnostic_msgs.msg import DiagnosticArray

from naf_robot.bringup.environment import local_environment
from naf_robot.nodes import topics
from naf_robot.nodes.qos import reliable


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=12)
    parser.add_argument("--robots", type=int, default=2)
    parser.add_argument("--task", default="reach")
    parser.add_argument("--json", action="store_true", help="print JSON (the only format)")
    options = parser.parse_args()
    environment = local_environment()
    seen: dict[str, dict[str, str]] = {}

    def on_diagnostics(message: DiagnosticArray) -> None:
        for status in message.status:
            seen[status.name] = {pair.key: pair.value for pair in status.values}

    rclpy.init(domain_id=int(environment["ROS_DOMAIN_ID"]))
    node = rclpy.create_node("real_time_benchmark")
    node.create_subscription(DiagnosticArray, topics.DIAGNOSTICS, on_diagnostics, reliable(100))
    with tempfile.TemporaryDirectory() as temporary:
        run_dir = Path(temporary) / "run"
        command = [sys.executable, "-m", "naf_robot.bringup.cli", "train", "--task", options.task]
        command += ["--robots", str(options.robots), "--real-time-factor", "1.0", "--run-dir", str(run_dir)]
        command += ["--max-episodes", str(options.episodes)]
        begin = time.monotonic()
        process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            rclpy.spin_once(node, timeout_sec=0.1)
        wall_s = time.monotonic() - begin
    node.destroy_node()
    rclpy.shutdown()
    collectors = [values for name, values in seen.items() if name.endswith("/collector")]
    simulator = seen.get("/simulator", {})
    ticks = {
        kind: sum(int(v) for k, v in simulator.items() if k.startswith(f"{kind} ticks"))
        for kind in ("missed", "answered")
    }
    periods = sum(int(values["periods"]) for values in collectors)
    missed = sum(int(values["missed periods"]) for values in collectors)
    result = {
        "robots": options.robots,
        "periods": periods,
        "missed_periods": missed,
        "missed_share": missed / max(1, periods),
        "answered_ticks": ticks["answered"],
        "missed_ticks": ticks["missed"],
        "missed_tick_share": ticks["missed"] / max(1, ticks["answered"] + ticks["missed"]),
        "wall_s": round(wall_s, 1),
        "command": " ".join(["python", *sys.argv]),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
