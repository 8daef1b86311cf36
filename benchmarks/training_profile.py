"""Where the wall time of one training run goes: the trainer's by what it does, the other processes' by processor time.

    python benchmarks/training_profile.py --episodes 60 --json

The system of `naf-robot train`, its trainer with a timer on each activity of its loop. `waiting` is the trainer
without work: the robots' experience limits the run, not the learner.
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
from graph import Graph, graph
from measuring import Stopwatch, processor_s

from naf_robot.bringup.environment import local_environment
from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.system import RobotNodes, training_system
from naf_robot.run.config import resolve, robot_names, save

PARTS = {  # of the trainer's loop: owner (the node itself, or one of its attributes), method
    "receiving": ("", "drain"),
    "storing and answering": ("", "answer"),
    "learning": ("trainer", "learn"),
    "publishing": ("", "publish_new"),
    "checkpoints": ("trainer", "try_checkpoint"),
    "display": ("progress", "show"),
}
TIMES = "loop_times.json"


def be_trainer() -> int:
    """The trainer's process: its node as it is, with stopwatches."""
    from naf_robot.nodes.executable import run
    from naf_robot.nodes.trainer import TrainerNode

    class Watched(TrainerNode):
        def loop(self) -> int:
            watches = {}
            for part, (owner, method) in PARTS.items():
                target = getattr(self, owner) if owner else self
                if hasattr(target, method):
                    watches[part] = Stopwatch(target, method, time.perf_counter)
            begin = time.perf_counter()
            code = super().loop()
            spent = {part: watch.spent_s for part, watch in watches.items()}
            spent["waiting"] = time.perf_counter() - begin - sum(spent.values())
            (self.run_dir / TIMES).write_text(json.dumps(spent), encoding="utf-8")
            return code

    return run(Watched)


def measure(options: argparse.Namespace, folder: Path, g: Graph) -> dict[str, Any]:
    values = {"robots": list(robot_names(options.robots)), "max_episodes": options.episodes, "seed": options.seed}
    config = resolve(
        options.task, overrides=[values, {"trainer": {"evaluation_rule": "window", "evaluation_window": 10**6}}]
    )
    save(config, folder / "config.yaml")
    system: dict[str, NodeSpec] = {
        spec.label: spec for spec in training_system(folder / "config.yaml", RobotNodes(tuple(config.robots)))
    }
    deciding = system.pop("trainer")
    begin = time.monotonic()
    others = {label: g.start(spec, folder / f"{label.replace('/', '.')}.log") for label, spec in system.items()}
    command = [sys.executable, str(Path(__file__).resolve()), *deciding.arguments()[2:]]
    with (folder / "trainer.log").open("wb") as log:
        trainer = subprocess.Popen(command, env=local_environment(), stdout=log, stderr=log)
    g.children.append(trainer)
    while not (folder / "outcome").is_file() and trainer.poll() is None:
        time.sleep(0.1)
    wall_s = time.monotonic() - begin
    used = {label: processor_s(child.pid) for label, child in others.items()} | {"trainer": processor_s(trainer.pid)}
    for child in (*others.values(), trainer):
        g.end(child, within_s=30.0)
    spent = json.loads((folder / TIMES).read_text(encoding="utf-8"))
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    return {
        "robots": options.robots,
        "episodes": summary["episodes"],
        "env_steps": summary["env_steps"],
        "updates": summary["updates"],
        "wall_s": round(wall_s, 2),
        "env_steps_per_s": round(summary["env_steps"] / sum(spent.values()), 1),
        "trainer_loop_s": {part: round(value, 3) for part, value in spent.items()},
        "starting_s": round(wall_s - sum(spent.values()), 2),
        "processor_s": {label: round(value, 2) for label, value in used.items()},
    }


def main() -> None:
    measuring.own_graph()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="reach")
    parser.add_argument("--robots", type=int, default=2)
    parser.add_argument("--episodes", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one line")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, graph() as g:
        result = measure(options, Path(folder), g)
    result |= {"command": measuring.command(), "machine": measuring.machine()}
    print(json.dumps(result, indent=None if options.json else 1))


if __name__ == "__main__":
    sys.exit(be_trainer() if "--ros-args" in sys.argv else main())
