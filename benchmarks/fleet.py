"""The load that one trainer sustains: a real trainer process and K emulated collectors over real DDS. One JSON object.

    python benchmarks/fleet.py --robots 200 --seconds 20 --policy-bytes 1000000 --json

The collectors send reach- or door-size experience at 20 Hz in batches through real outboxes and the real protocol;
several share a process and its DDS participant (`--processes`). First the trainer learns without incoming data
(`updates_per_s_unloaded`), then for T seconds with all robots sending, and then the outboxes must run empty. The
learner is free-running. Delays: `ack` from a full batch to its removal from the outbox; `parameter_delivery` from
the middleware's stamp on the first piece to the decoded policy. The outboxes lie in memory if the machine has
/dev/shm, because every robot has a disk of its own; the trainer's store lies on the disk.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import measuring
import numpy as np
from graph import Graph, graph
from measuring import processor_s

from naf_robot.bringup.environment import local_environment
from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.run.config import RunConfig, resolve, robot_names, save
from naf_robot.run.contract import contract_of

SETTLE_S = 2.0  # of the load before it counts
FLUSH_S = 60.0
MEMORY = Path("/dev/shm")


def units(contract: Any, policy_bytes: int) -> int:
    """Units of two equal hidden layers with which the policy has about so many bytes."""
    ends = contract.observation_size + contract.action_size + 8
    return round((np.sqrt(ends**2 + policy_bytes) - ends) / 2.0)


def configuration(options: argparse.Namespace) -> RunConfig:
    trainer = {
        "updates_per_transition": 0.0,
        "learning_starts": 50,
        "evaluation_rule": "window",
        "evaluation_window": 10**6,
    }
    values: dict[str, Any] = {
        "robots": list(robot_names(options.robots)),
        "max_episodes": 10**9,
        "trainer": trainer,
        "collector": {"batch_transitions": options.batch},
    }
    config = resolve(options.task, overrides=[values])
    if not options.policy_bytes:
        return config
    hidden = units(contract_of(config), options.policy_bytes)
    return resolve(options.task, overrides=[values, {"algorithm": {"hidden": [hidden, hidden]}}])


class Collectors:
    """The processes that emulate collectors."""

    def __init__(self, config_path: Path, robots: tuple[str, ...], processes: int, outboxes: Path, log: Path) -> None:
        program = [
            sys.executable,
            str(measuring.ROOT / "benchmarks" / "fleet_collectors.py"),
            "--config",
            str(config_path),
        ]
        self.children = []
        for names in np.array_split(np.array(robots), processes):
            arguments = ["--outboxes", str(outboxes), "--robots", *map(str, names)]
            with log.open("ab") as file:
                child = subprocess.Popen(
                    [*program, *arguments],
                    env=local_environment(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=file,
                    text=True,
                )
            self.children.append(child)

    def say(self, word: str) -> None:
        for child in self.children:
            child.stdin.write(word + "\n")
            child.stdin.flush()

    def hear(self) -> list[Any]:
        """The next line of each, as JSON."""
        lines = [child.stdout.readline() for child in self.children]
        if not all(lines):
            raise SystemExit("an emulating process ended unexpectedly; see its log")
        return [line.strip() if line == "ready\n" else json.loads(line) for line in lines]

    def waiting(self) -> int:
        self.say("waiting")
        return sum(self.hear())

    def kill(self) -> None:
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.wait()


def empty(collectors: Collectors, within_s: float) -> float:
    """Wait until all is acknowledged; how long it took."""
    begin = time.monotonic()
    while collectors.waiting() and time.monotonic() - begin < within_s:
        time.sleep(0.1)
    return time.monotonic() - begin


def rate(delivered: list[dict], begin_s: float, end_s: float) -> float | None:
    """Updates per second over a window of UNIX time, from the policies sent nearest outside it, else inside it."""
    sent = sorted((d["sent_s"], d["updates"]) for d in delivered)
    begin = max((s for s in sent if s[0] <= begin_s), default=min((s for s in sent if s[0] >= begin_s), default=None))
    end = min((s for s in sent if s[0] >= end_s), default=max((s for s in sent if s[0] <= end_s), default=None))
    if begin is None or end is None or end[0] <= begin[0]:
        return None
    return round((end[1] - begin[1]) / (end[0] - begin[0]), 1)


def percentile(values: list[float], q: float) -> float | None:
    return round(float(np.percentile(values, q)), 4) if values else None


def measure(options: argparse.Namespace, folder: Path, outboxes: Path, g: Graph) -> dict[str, Any]:
    config = configuration(options)
    path = folder / "config.yaml"
    save(config, path)
    spec = NodeSpec("trainer", "naf_robot.nodes.trainer", parameters={"config": str(path)})
    trainer = g.start(spec, folder / "trainer.log")
    collectors = Collectors(path, tuple(config.robots), options.processes, outboxes, folder / "collectors.log")
    try:
        collectors.hear()
        collectors.say("prime")
        empty(collectors, FLUSH_S)
        time.sleep(SETTLE_S)
        windows, costs = [], []
        for word, seconds in (("idle", options.unloaded_seconds), ("load", options.seconds)):
            if word == "load":
                collectors.say(word)
                time.sleep(SETTLE_S)
            begin, used = (time.time(), time.monotonic()), processor_s(trainer.pid)
            others = sum(processor_s(child.pid) for child in collectors.children)
            time.sleep(seconds)
            windows.append((begin, (time.time(), time.monotonic())))
            cost = (processor_s(trainer.pid) - used, sum(processor_s(c.pid) for c in collectors.children) - others)
            costs.append([round(value / seconds, 2) for value in cost])
        backlog = collectors.waiting()
        collectors.say("flush")
        flush_s = empty(collectors, FLUSH_S)
        collectors.say("end")
        results = collectors.hear()
    finally:
        collectors.kill()
    g.end(trainer, within_s=120.0)
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return result(options, results, windows, summary) | {
        "batches_waiting_at_end": backlog,
        "flush_s": round(flush_s, 2),
        "processors_unloaded": dict(zip(("trainer", "collectors"), costs[0], strict=True)),
        "processors": dict(zip(("trainer", "collectors"), costs[1], strict=True)),
    }


def result(options: argparse.Namespace, results: list[dict], windows: list, summary: dict[str, Any]) -> dict[str, Any]:
    """The two windows are pairs of (UNIX time, monotonic time)."""
    _, (begin, end) = windows
    acks = [delay for r in results for when, delay in r["acknowledged"] if begin[1] <= when <= end[1]]
    sent = [d for r in results for d in r["delivered"] if begin[0] <= d["sent_s"] <= end[0]]
    seconds = end[1] - begin[1]
    made, stored = sum(r["made"] for r in results), summary["transitions_received"]
    unloaded, loaded = (rate(results[0]["delivered"], a[0], b[0]) for a, b in windows)
    return {
        "robots": options.robots,
        "task": options.task,
        "processes": options.processes,
        "transitions_per_s": round(len(acks) * options.batch / seconds, 1),
        "transitions_per_s_offered": options.robots * 20.0,
        "transitions_made": made,
        "lost": made - stored - sum(r["waiting"] for r in results),
        "duplicated": summary["env_steps"] + sum(r["open"] for r in results) - stored,
        "batches_resent": summary["batches_resent"],
        "ack_p50_s": percentile(acks, 50),
        "ack_p99_s": percentile(acks, 99),
        "policy_bytes": results[0]["delivered"][-1]["bytes"],
        "policy_versions": len({d["version"] for d in sent}),
        "policy_deliveries": len(sent),
        "parameter_delivery_p50_s": percentile([d["delay_s"] for d in sent], 50),
        "parameter_delivery_p99_s": percentile([d["delay_s"] for d in sent], 99),
        "updates_per_s": loaded,
        "updates_per_s_unloaded": unloaded,
        "updates_kept": round(loaded / unloaded, 3) if loaded and unloaded else None,
        "refusals": [text for r in results for text in r["refusals"]][:3],
    }


def main() -> None:
    measuring.own_graph()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--robots", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20.0, help="of load")
    parser.add_argument("--unloaded-seconds", type=float, default=8.0)
    parser.add_argument("--policy-bytes", type=int, default=0, help="about; 0: the default network")
    parser.add_argument("--task", default="reach", help="whose sizes the experience has")
    parser.add_argument("--batch", type=int, default=50, help="transitions sent together")
    parser.add_argument("--processes", type=int, default=4, help="that the collectors are divided over")
    parser.add_argument("--json", action="store_true", help="one line")
    options = parser.parse_args()
    options.processes = min(options.processes, options.robots)
    robots_disk = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=robots_disk) as outboxes, tempfile.TemporaryDirectory() as run, graph() as g:
        measured = measure(options, Path(run), Path(outboxes), g)
    measured |= {"command": measuring.command(), "machine": measuring.machine()}
    print(json.dumps(measured, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
