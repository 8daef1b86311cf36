"""Simulators beside one another: how fast, and how far apart. One JSON object.

    python benchmarks/simulators.py --json
    python benchmarks/simulators.py --runs DIR DIR --episodes 100 --json

`speed`: control steps per second of each simulator in turns, random commands, and what share of the first one's each
has. `motion`: the same commands in both, open loop: how far the joints and the tool are apart, and of the door's script
how far the door opens. `policies`, of each folder in `--runs`: held-out episodes of its newest policy in every
simulator, with success and its interval at 95 %, at doors with nominal physics.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import measuring
import msgspec
import numpy as np
from tqdm import tqdm

from naf_robot.core import run_files
from naf_robot.core.intervals import proportion
from naf_robot.core.records import FloatArray
from naf_robot.core.seeding import derived_seed
from naf_robot.learning.policies.registry import make_policy
from naf_robot.run.checkpoint import read_policy
from naf_robot.run.config import RunConfig, from_values, load, resolve
from naf_robot.run.environments import make_environment
from naf_robot.sim.gym_env import TaskEnv
from naf_robot.sim.registry import SIMULATORS
from naf_robot.study.config import load_study
from naf_robot.study.demonstrations import scripted_acting
from naf_robot.study.gym_episodes import evaluate

TASKS = ("reach", "door_pull")
TURNS = 5  # of each simulator, so that what else runs on the machine meets all of them
SMOOTHING = 0.9  # share of the last period's command in the next one
EPISODE_SEED = 1000


def environments(task: str) -> dict[str, TaskEnv]:
    """The task in every simulator that is installed here."""
    there = [name for name, entry in SIMULATORS.items() if entry.missing() is None]
    return {name: make_environment(resolve(task, overrides=[{"backend": name}])) for name in there}


def speed(task: str, seconds: float) -> dict[str, Any]:
    """Control steps per second of each simulator."""
    worlds, rates = environments(task), dict[str, list[float]]()
    for turn in range(TURNS):
        for name, environment in worlds.items():
            simulator, random = environment._simulator, np.random.default_rng(turn)
            simulator.reset(simulator.robots[0], None, at_home=True)
            begin, steps = time.perf_counter(), 0
            while time.perf_counter() - begin < seconds / TURNS:
                simulator.command(simulator.robots[0], random.uniform(-0.5, 0.5, environment.model.size))
                simulator.step()
                steps += 1
            rates.setdefault(name, []).append(steps / (time.perf_counter() - begin))
    medians = {name: statistics.median(found) for name, found in rates.items()}
    first = next(iter(medians.values()))
    return {
        name: {"control_steps_per_s": round(rate, 1), "of_first": round(rate / first, 4)}
        for name, rate in medians.items()
    }


def smooth_commands(count: int, size: int, seed: int) -> FloatArray:
    """Joint velocities (count, size) [rad/s] that change as those of a policy do."""
    random, found, last = np.random.default_rng(seed), [], np.zeros(size)
    for _ in range(count):
        last = SMOOTHING * last + (1.0 - SMOOTHING) * random.uniform(-2.0, 2.0, size)
        found.append(last)
    return np.array(found)


def moved(environment: TaskEnv, commands: FloatArray, goal: FloatArray, seed: int) -> dict[str, FloatArray]:
    """What an arm does that gets `commands` (k, n): arrays of k rows."""
    simulator = environment._simulator
    robot = simulator.robots[0]
    simulator.reseed(seed)
    simulator.reset(robot, goal, at_home=True)
    rows: dict[str, list[Any]] = {"position": [], "velocity": [], "tool": [], "door": []}
    for command in commands:
        simulator.command(robot, command)
        simulator.step()
        signals = simulator.signals(robot)
        rows["position"].append(signals["joint_position"])
        rows["velocity"].append(signals["joint_velocity"])
        rows["tool"].append(environment.model.tool_position(signals["joint_position"]))
        rows["door"].append(float(signals.get("door_angle", [0.0])[0]))
    return {name: np.array(values) for name, values in rows.items()}


def script(environment: TaskEnv, seed: int) -> tuple[FloatArray, FloatArray]:
    """The velocities (k, n) that the task's script comes to in this simulator, and the goal's place (3,)."""
    acting = scripted_acting(environment)
    observation, info = environment.reset(seed=seed)
    act, sent, over = acting.begin(info), [], False
    while not over:
        observation, _, terminated, truncated, _ = environment.step(act(observation))
        sent.append(environment._sent.copy())
        over = terminated or truncated
    return np.array(sent), environment.task.goal_position(environment._goal)


def apart(one: dict[str, FloatArray], other: dict[str, FloatArray]) -> dict[str, float]:
    """How far two motions under the same commands are apart."""
    tool = np.linalg.norm(one["tool"] - other["tool"], axis=1)
    velocity = one["velocity"] - other["velocity"]
    return {
        "joint_position_rad_rms": float(np.sqrt(np.mean((one["position"] - other["position"]) ** 2))),
        "joint_velocity_rad_s_rms": float(np.sqrt(np.mean(velocity**2))),
        "tool_m_mean": float(tool.mean()),
        "tool_m_at_the_end": float(tool[-1]),
        "door_rad_widest_first": float(one["door"].max()),
        "door_rad_widest_other": float(other["door"].max()),
    }


def motion(task: str, episodes: int) -> dict[str, Any]:
    """Medians over episodes of how far each simulator is from the first one, for smooth and for scripted commands."""
    worlds = environments(task)
    (_, reference), *others = worlds.items()
    found: dict[str, Any] = {}
    for name, environment in others:
        for kind in ("smooth", "scripted"):
            rows = []
            for seed in range(episodes):
                if kind == "scripted":
                    commands, goal = script(reference, seed)
                else:
                    commands = smooth_commands(environment.task.episode_steps, environment.model.size, seed)
                    goal = np.array([2.0, 0.0, 0.5])  # out of reach
                rows.append(apart(*(moved(each, commands, goal, seed) for each in (reference, environment))))
            found[f"{name} {kind}"] = {key: round(statistics.median(r[key] for r in rows), 5) for key in rows[0]}
    return found


def configuration(folder: Path) -> RunConfig:
    """That of a run folder, or of the folder of a study's seed."""
    if (folder / run_files.CONFIG).is_file():
        return load(folder / run_files.CONFIG)
    return from_values(load_study(folder.parent).run, "run")


def policies(folders: list[Path], episodes: int) -> list[dict[str, Any]]:
    """Every folder's newest policy in every simulator."""
    there = [name for name, entry in SIMULATORS.items() if entry.missing() is None]
    found = []
    for folder, backend in tqdm([(folder, backend) for folder in folders for backend in there], disable=None):
        config, parameters = configuration(folder), read_policy(folder)
        robots = {name: msgspec.structs.replace(robot, backend=backend) for name, robot in config.robots.items()}
        scene = {key: value for key, value in config.simulator.scene.items() if key != "variation"}
        simulator = msgspec.structs.replace(config.simulator, scene=scene)  # the door itself, for all of them
        environment = make_environment(msgspec.structs.replace(config, robots=robots, simulator=simulator))
        policy = make_policy(parameters.kind, parameters.arrays)
        greedy = evaluate(environment, policy, episodes, derived_seed(EPISODE_SEED, "evaluate"))
        success, distance = greedy.success_rate, greedy.mean_final_distance
        assert success is not None
        assert distance is not None
        low, high = proportion(round(success * episodes), episodes)
        found.append(
            {
                "task": config.task_name,
                "trained_in": next(iter(config.robots.values())).backend,
                "variation_in_training": config.simulator.scene.get("variation", {}).get("draw", "none"),
                "over_ros": (folder / run_files.CONFIG).is_file(),
                "evaluated_in": backend,
                "success": success,
                "success_interval": [round(low, 3), round(high, 3)],
                "episodes": episodes,
                "mean_final_distance": round(distance, 4),
                "policy_version": parameters.version,
            }
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS))
    parser.add_argument("--seconds", type=float, default=10.0, help="per simulator and task, for the speed")
    parser.add_argument("--motions", type=int, default=10, help="episodes whose motions are compared")
    parser.add_argument(
        "--runs",
        nargs="+",
        type=Path,
        default=[],
        help="folders of runs, or of studies' seeds, whose policies are compared",
    )
    parser.add_argument("--episodes", type=int, default=100, help="held-out episodes of each policy")
    parser.add_argument("--json", action="store_true", help="print JSON (the only format)")
    options = parser.parse_args()
    result: dict[str, Any] = {"command": measuring.command(), "machine": measuring.machine()}
    if options.seconds:
        result["speed"] = {task: speed(task, options.seconds) for task in options.tasks}
    if options.motions:
        result["motion"] = {task: motion(task, options.motions) for task in options.tasks}
    if options.runs:
        result["policies"] = policies(options.runs, options.episodes)
    print(json.dumps(result, indent=1), flush=True)


if __name__ == "__main__":
    main()
