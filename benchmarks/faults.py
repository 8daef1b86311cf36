"""Random SIGKILL and suspensions of a running system's processes, and a lossy network: one JSON object.

    python benchmarks/faults.py --kills 100 --seed 0 --json

Trainer, collectors, simulator and velocity controllers are killed or suspended (SIGSTOP, later SIGCONT) at random
instants and started again; experience and acknowledgements are dropped, duplicated and reordered on their way.
Then the run is ended, resumed without faults, and must reach success. Recorded transitions come from the
collectors' counters, stored ones from the trainer's store, motion from the measured joint states.
"""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fault_chaos import Chaos, ObservedRunner, Silence

from naf_robot.bringup.environment import local_environment
from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.training import SystemOptions, prepare

ROOT = Path(__file__).resolve().parents[1]
RULE = "trainer.evaluation_rule=window trainer.evaluation_window=100000"
SETTINGS = f"{RULE} trainer.checkpoint_period_s=2 collector.evaluation_period=5"
WINDOW = 20
ALLOWED_STOP_S = 0.4  # simulated time from the last command to standstill: drive timeout and braking
OBSERVER_LAG_S = 0.1  # wall time a state may take to be seen
STANDSTILL = 0.02  # [rad/s]


def moving_in_silence(motion: Path, silences: list[Silence]) -> list[str]:
    """States of arms that still moved when their velocity controller had been silent for too long."""
    rows = [line.split() for line in motion.read_text(encoding="ascii").splitlines()]
    states = [(float(row[0]), row[1], float(row[2]), float(row[3])) for row in rows]
    found = []
    for silence in silences:
        own = [(wall, stamp, speed) for wall, robot, stamp, speed in states if robot == silence.robot]
        before = [stamp for wall, stamp, _ in own if wall <= silence.begin_s + OBSERVER_LAG_S]
        end_s = silence.end_s if silence.end_s is not None else silence.begin_s
        for wall, stamp, speed in own:
            passed_s = stamp - before[-1] if before else 0.0
            if silence.begin_s < wall < end_s and ALLOWED_STOP_S < passed_s < 10.0 and speed > STANDSTILL:
                found.append(
                    f"{silence.robot}: {speed:.2f} rad/s, {passed_s:.2f} s after its controller's last command"
                )
    return found


def system_under_faults(specs: list[NodeSpec], config: Path, seed: int, loss: float) -> list[NodeSpec]:
    """The system with the collectors' experience routed through the monitor's lossy network."""
    remapped = {"/experience": "/experience/as_sent", "/experience/ack": "/experience/ack_as_received"}
    through = [replace(s, remappings=remapped) if s.name == "collector" else s for s in specs]
    parameters: dict[str, Any] = {"config": str(config), "seed": seed, "loss": loss}
    return [*through, NodeSpec("bystander", "benchmarks.fault_bystander", parameters=parameters, stop_order=9)]


def count_transitions(run_dir: Path) -> dict[str, int]:
    """The collectors' recorded transitions against those in the trainer's store and the outboxes, from the files."""
    from naf_robot.experience.store import ExperienceStore
    from naf_robot.run.config import load
    from naf_robot.run.contract import contract_of

    held: Counter[tuple[str, int, int]] = Counter()
    stored: Counter[str] = Counter()
    store = ExperienceStore(run_dir / "experience.sqlite", contract_of(load(run_dir / "config.yaml"), run_dir))
    for message in store.batches():
        stored[message.collector] += message.batch.transitions
        for episode, step in zip(message.batch.episode.tolist(), message.batch.step.tolist(), strict=True):
            held[message.collector, episode, step] += 1
    store.close()
    recorded = waiting = lost = 0
    for file in sorted((run_dir / "outbox").glob("*.sqlite")):
        box = sqlite3.connect(file)
        (batched,) = box.execute("SELECT value FROM counters WHERE name = 'transition'").fetchone()
        (journalled,) = box.execute("SELECT COUNT(outcome) FROM journal").fetchone()
        (left,) = box.execute("SELECT COALESCE(SUM(transitions), 0) FROM batches").fetchone()
        unstored = left  # waiting; some of it may be in the store, its acknowledgement lost
        recorded += batched + journalled
        waiting += left + journalled
        lost += max(0, batched - stored[file.stem] - unstored)
        box.close()
    return {
        "transitions_recorded": recorded,
        "transitions_stored": sum(stored.values()),
        "transitions_waiting": waiting,
        "transitions_lost": lost,
        "transitions_duplicated": sum(count - 1 for count in held.values()),
    }


def resume_to_success(run_dir: Path, episodes: int) -> dict[str, Any]:
    """Go on without faults until success, from the command line as a user would."""
    done = sum(1 for _ in (run_dir / "episodes.jsonl").open(encoding="utf-8"))
    command = [sys.executable, "-m", "naf_robot.bringup.cli", "train", "--resume", str(run_dir)]
    command += ["--max-episodes", str(done + episodes), "--set"]
    command += ["trainer.evaluation_rule=window", f"trainer.evaluation_window={WINDOW}"]
    command += ["collector.evaluation_period=5", "trainer.checkpoint_period_s=20"]
    environment = local_environment() | {"PYTHONPATH": str(ROOT)}
    with (run_dir / "resumed.log").open("wb") as log:
        code = subprocess.run(command, stdout=log, stderr=log, env=environment, check=False).returncode
    summary = json.loads((run_dir / "summary.json").read_text(encoding="utf-8"))
    return {
        "final_exit_code": code,
        "final_success": summary["evaluation_success"],
        "final_lost": summary["steps_lost"],
        "updates": summary["updates"],
    }


def run(options: argparse.Namespace, run_dir: Path) -> dict[str, Any]:
    begin = time.monotonic()
    os.environ["PYTHONPATH"] = str(ROOT)
    made = prepare(
        SystemOptions(
            run_dir=str(run_dir),
            robots=str(options.robots),
            seed=options.seed,
            max_episodes=1_000_000,
            restarts=1_000_000,
            settings=f"{SETTINGS} simulation.drive_timeout_s={options.drive_timeout}",
        )
    )
    specs = system_under_faults(made.specs, run_dir / "config.yaml", options.seed, options.loss)
    runner = ObservedRunner(specs, run_dir / "log", run_dir / "outcome", local_environment())
    chaos = Chaos(runner, [spec.label for spec in made.specs], run_dir, options.kills, options.seed)
    chaos.start()
    code = runner.run()
    chaos.join()
    made.lock.release()
    seen = json.loads((run_dir / "bystander.json").read_text(encoding="utf-8"))
    result = {
        "kills": chaos.counts["faults"],
        "faults": dict(sorted(chaos.counts.items())),
        "messages": {key: seen.get(key, 0) for key in ("passed", "dropped", "duplicated", "reordered")},
    }
    if options.final_episodes > 0 and chaos.error is None:
        result |= resume_to_success(run_dir, options.final_episodes)
    result |= count_transitions(run_dir)
    (run_dir / "silences.json").write_text(json.dumps([vars(silence) for silence in chaos.silent]), encoding="utf-8")
    moving = moving_in_silence(run_dir / "motion.txt", chaos.silent)
    return result | {
        "checkpoints_unreadable": len(chaos.unreadable),
        "unsafe_motion": seen.get("unsafe", 0) + len(moving),
        "states_outside_sphere": seen.get("unsafe", 0),
        "states_moving_in_silence": len(moving),
        "unsafe_in_words": (seen["unsafe_in_words"] + moving)[:20],
        "states_observed": seen["states"],
        "worst_outside_m": round(seen["worst_outside_m"], 4),
        "faults_latched_and_cleared": seen.get("faults latched", 0),
        "runner_exit_code": code,
        "error": chaos.error,
        "seed": options.seed,
        "robots": options.robots,
        "wall_s": round(time.monotonic() - begin, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100, help="kills and freezes in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--robots", type=int, default=2)
    parser.add_argument("--loss", type=float, default=0.1, help="probability of each: drop, duplicate, delay")
    parser.add_argument(
        "--drive-timeout",
        type=float,
        default=0.05,
        help="[s] after which simulated drives stop by themselves; 0: never, and killing velocity_control is unsafe",
    )
    parser.add_argument("--final-episodes", type=int, default=300, help="at most, to reach success in the end; 0: none")
    parser.add_argument("--run-dir", type=Path, help="kept; without it a temporary one")
    parser.add_argument("--json", action="store_true", help="print nothing else (what goes on is on stderr)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = run(options, (options.run_dir or Path(folder) / "run").resolve())
    print(json.dumps(result, indent=None if options.json else 1))
    zeros = ("transitions_lost", "transitions_duplicated", "checkpoints_unreadable", "unsafe_motion")
    return 0 if result["error"] is None and not any(result[name] for name in zeros) else 1


if __name__ == "__main__":
    sys.exit(main())
