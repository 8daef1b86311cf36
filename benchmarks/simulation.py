"""How fast the tasks simulate in one process, and where a step's time goes. One JSON object.

    python benchmarks/simulation.py --json
    python benchmarks/simulation.py --tasks reach --seconds 1 --json

Per task, control steps per second: `environment`, the Gymnasium environment as studies use it, with random actions;
`world`, the physics alone; `batched`, many worlds by `mujoco.rollout` on so many threads, without what a scene does
between physics steps (the door's latch). `stages_us` is one environment step by part. What the same worlds give in
lockstep over ROS, with its stages and executors, is in lockstep.py.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

import measuring
import mujoco
import numpy as np
from measuring import Stopwatch
from mujoco.rollout import Rollout

from naf_robot.run.config import resolve, task_files
from naf_robot.run.environments import make_environment
from naf_robot.sim.gym_env import TaskEnv

PERIODS = 20  # control periods that a batch of worlds advances at once, under one command each


def environment_steps(environment: TaskEnv, seconds: float) -> Callable[[], float]:
    """A function that steps for so long, episode after episode, and tells the rate."""
    random = np.random.default_rng(0)
    environment.reset(seed=0)

    def run() -> float:
        begin, steps = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds:
            *_, truncated, _ = environment.step(random.uniform(-1.0, 1.0, environment.action_space.shape))
            steps += 1
            if truncated:
                environment.reset()
        return steps / (time.perf_counter() - begin)

    return run


def stages(task: str, seconds: float) -> dict[str, float]:
    """Processor time of one environment step by part [us]; the stopwatches' own time is in `rest`."""
    environment = make_environment(resolve(task))
    watches = {
        "projection": [Stopwatch(environment._projection, "project")],
        "physics": [Stopwatch(environment._simulator, "step")],
        "sensors and kinematics": [Stopwatch(environment, "_read")],
        "reward and success": [Stopwatch(environment.task, n) for n in ("reward_terms", "success", "distance")],
        "observation": [Stopwatch(environment, "_observation")],
    }
    run = environment_steps(environment, seconds)
    for group in watches.values():
        for watch in group:
            watch.spent_s = 0.0
    begin, count = time.thread_time(), watches["observation"][0].calls
    run()
    steps = watches["observation"][0].calls - count
    spent = {name: 1e6 * sum(watch.spent_s for watch in group) / steps for name, group in watches.items()}
    spent["rest"] = 1e6 * (time.thread_time() - begin) / steps - sum(spent.values())
    return {name: round(value, 1) for name, value in spent.items()}


def world_steps(environment: TaskEnv, seconds: float) -> Callable[[], float]:
    """Physics and sensors alone, under a changing command."""
    simulator, robot = environment._simulator, environment._robot
    random = np.random.default_rng(0)
    environment.reset(seed=0)

    def run() -> float:
        begin, steps = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds:
            if steps % PERIODS == 0:
                simulator.command(robot, random.uniform(-0.3, 0.3, environment.action_space.shape))
            simulator.step()
            steps += 1
            if steps % environment.task.episode_steps == 0:
                environment.reset()
        return steps / (time.perf_counter() - begin)

    return run


def batched_steps(environment: TaskEnv, worlds: int, threads: int, seconds: float) -> Callable[[], float]:
    """Many copies of the world by `mujoco.rollout`, each under a command of its own."""
    model, data = environment._simulator.model(environment._robot), environment._simulator.data(environment._robot)
    per_period = round(environment.task.control_period_s / model.opt.timestep)
    size = mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_FULLPHYSICS)
    start = np.empty(size)
    mujoco.mj_getState(model, data, start, mujoco.mjtState.mjSTATE_FULLPHYSICS)
    control = np.random.default_rng(0).uniform(-0.3, 0.3, (worlds, 1, model.nu))
    control = np.repeat(control, PERIODS * per_period, axis=1)
    datas = [mujoco.MjData(model) for _ in range(threads)]
    rollout = Rollout(nthread=threads)

    def run() -> float:
        begin, steps = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds:
            rollout.rollout(model, datas, np.tile(start, (worlds, 1)), control)
            steps += worlds * PERIODS
        return steps / (time.perf_counter() - begin)

    return run


def measure(task: str, options: argparse.Namespace) -> dict[str, Any]:
    """Medians over interleaved repeats, so that a busy machine slows all of them alike."""
    runs = {
        "environment": environment_steps(make_environment(resolve(task)), options.seconds),
        "world": world_steps(make_environment(resolve(task)), options.seconds),
    }
    for threads in options.threads:
        environment = make_environment(resolve(task))
        environment.reset(seed=0)
        runs[f"batched, {threads} threads"] = batched_steps(environment, options.worlds, threads, options.seconds)
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(options.repeats):
        for name, run in runs.items():
            rates[name].append(run())
    return {
        "task": task,
        "steps_per_s": {name: round(statistics.median(values), 1) for name, values in rates.items()},
        "spread": {name: round(max(values) - min(values), 1) for name, values in rates.items()},
        "stages_us": stages(task, 2.0 * options.seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", default=task_files(), choices=task_files())
    parser.add_argument("--seconds", type=float, default=1.0, help="of each repeat")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="for the batched worlds")
    parser.add_argument("--worlds", type=int, default=32, help="in a batch")
    parser.add_argument("--json", action="store_true", help="one line")
    options = parser.parse_args()
    result = {"rows": [measure(task, options) for task in options.tasks], "worlds": options.worlds}
    result |= {"machine": measuring.machine(), "mujoco": mujoco.__version__, "command": measuring.command()}
    print(json.dumps(result, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
