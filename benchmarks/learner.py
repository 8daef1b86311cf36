"""Gradient updates per second: our learner and the usual alternatives, in one run.

Columns: `ours`; `eager_naf`, the same variant in direct form with autograd; stable-baselines3's DDPG and SAC and
sb3-contrib's CrossQ with equal layers and batch; `floor`, the matrix products of one of our updates and
nothing else. Repeats are interleaved, so that a busy machine slows all of them alike.

    python benchmarks/learner.py --json > learner.json
    python benchmarks/learner.py --quick
    python benchmarks/learner.py --quick --cpu-time     # on a machine that others use at the same time
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable
from itertools import pairwise

import measuring
import numpy as np
import torch
from eager_naf import EagerNaf
from random_batch import make_batch

from naf_robot.learning.naf.config import NafConfig
from naf_robot.learning.naf.learner import BLOCK, NafLearner
from naf_robot.learning.naf.stacked import padded
from naf_robot.learning.replay_buffer import ReplayBuffer

CASES = {"reach": (20, 7), "door": (25, 7), "pick_place": (180, 9)}
VARIANTS = {"plain": "plain", "default": "cross_normalised"}
STORED = 50_000  # transitions in every replay buffer
CLOCK = {"wall": time.perf_counter, "cpu": time.process_time}
NAMES = ("ours", "eager_naf", "sb3_ddpg", "sb3_sac", "crossq", "floor")


def our_learner(config: NafConfig, sizes: tuple[int, int], device: str) -> Callable[[int], object]:
    return NafLearner(config, *sizes, filled_replay(sizes, device), 0, device).update


def eager_learner(config: NafConfig, sizes: tuple[int, int], device: str) -> Callable[[int], object]:
    eager, replay = EagerNaf(config, *sizes).to(device), filled_replay(sizes, device)
    generator = torch.Generator(device).manual_seed(0)

    def update(count: int) -> None:
        for _ in range(count):
            observations, outcomes = replay.sample(1, config.batch_size, generator)
            eager.step(observations[0], outcomes[0])

    return update


def floor(config: NafConfig, sizes: tuple[int, int], device: str) -> Callable[[int], object]:
    """The products of one update as we do them, without biases, activations, loss or optimiser."""
    joint = config.variant == "cross_normalised"
    count, rows = config.batch_size, config.batch_size * (2 if joint else 1)
    (observation, action), networks = sizes, 3

    def new(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, device=device)

    def product(left: torch.Tensor, right: torch.Tensor, out: torch.Tensor) -> Callable[[], object]:
        multiply = torch.bmm if left.ndim == 3 else torch.mm
        return lambda: multiply(left, right, out=out)

    def stack(flat: torch.Tensor) -> torch.Tensor:
        return flat.view(rows, networks, -1).transpose(0, 1)

    x, products = new(rows, observation), []
    active = [new(rows, networks * units) for units in config.hidden]
    back = [new(rows, networks * units) for units in config.hidden]
    weights = [new(observation, networks * config.hidden[0])]
    weights += [new(networks, *pair) for pair in pairwise(config.hidden)]
    products.append(product(x, weights[0], active[0]))
    products.append(product(x.t(), back[0], weights[0].clone()))
    for i, weight in enumerate(weights[1:], start=1):
        products.append(product(stack(active[i - 1]), weight, stack(active[i])))
        products.append(product(stack(active[i - 1]).transpose(1, 2), stack(back[i]), weight.clone()))
        products.append(product(stack(back[i]), weight.transpose(1, 2), stack(back[i - 1])))
    for k, outputs in enumerate((action, action * (action + 1) // 2, 1)):
        weight, output = new(config.hidden[-1], padded(outputs)), new(count, padded(outputs))
        top = stack(active[-1])[k, :count]
        products.append(product(top, weight, output.clone()))
        products.append(product(top.t(), output, weight.clone()))
        products.append(product(output, weight.t(), stack(back[-1])[k, :count]))
    if joint:
        top, weight = stack(active[-1])[2, count:], new(config.hidden[-1], 1)
        products.append(product(top, weight, new(count, 1)))
    else:  # the target network's value
        below, widths = x, (observation, *config.hidden, 1)
        for before, after in pairwise(widths):
            output = new(count, after)
            products.append(product(below, new(before, after), output))
            below = output

    def update(updates: int) -> None:
        for _ in range(updates):
            for run in products:
                run()

    return torch.no_grad()(update)


def peer(name: str, config: NafConfig, sizes: tuple[int, int], device: str) -> Callable[[int], object]:
    """A peer's own training loop on a replay buffer of its own, filled with random transitions."""
    import gymnasium
    import stable_baselines3
    from stable_baselines3.common.logger import Logger

    if name == "crossq":
        import sb3_contrib

        algorithm = sb3_contrib.CrossQ
    else:
        algorithm = {"sb3_ddpg": stable_baselines3.DDPG, "sb3_sac": stable_baselines3.SAC}[name]

    class Stage(gymnasium.Env):
        observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (sizes[0],), np.float32)
        action_space = gymnasium.spaces.Box(-1.0, 1.0, (sizes[1],), np.float32)

    model = algorithm(
        "MlpPolicy", Stage(), batch_size=config.batch_size, buffer_size=STORED, device=device,
        policy_kwargs={"net_arch": list(config.hidden)},
    )  # fmt: skip
    model.set_logger(Logger(None, []))
    batch, buffer = make_batch(STORED, *sizes), model.replay_buffer
    buffer.observations[:, 0], buffer.next_observations[:, 0] = batch.observation, batch.next_observation
    buffer.actions[:, 0], buffer.rewards[:, 0], buffer.dones[:, 0] = batch.action, batch.reward, batch.terminated
    buffer.full = True
    return lambda count: model.train(gradient_steps=count, batch_size=config.batch_size)


def filled_replay(sizes: tuple[int, int], device: str) -> ReplayBuffer:
    replay = ReplayBuffer(STORED, *sizes, device)
    replay.add(make_batch(STORED, *sizes))
    return replay


def contestants(config: NafConfig, sizes: tuple[int, int], device: str) -> dict[str, Callable[[int], object]]:
    made = {"ours": our_learner, "eager_naf": eager_learner, "floor": floor}
    updates = {name: make(config, sizes, device) for name, make in made.items()}
    for name in ("sb3_ddpg", "sb3_sac", "crossq"):
        try:
            updates[name] = peer(name, config, sizes, device)
        except ImportError:
            continue  # a missing peer is null in the row, and the note says so
    return updates


def measure(updates: dict[str, Callable[[int], object]], slice_s: float, repeats: int, device: str, clock: str) -> dict:
    """Median updates per second of each contestant, and its spread (largest less smallest)."""
    counts, rates = {}, {name: [] for name in updates}
    warm_up, block = (2 * BLOCK, BLOCK) if device != "cpu" else (2, 1)  # a GPU's graph is recorded at the second block
    for name, update in updates.items():
        timed(update, warm_up, device, clock)
        trial = max(4, block)
        counts[name] = max(1, round(slice_s / timed(update, trial, device, clock) * trial / block)) * block
    for _ in range(repeats):
        for name, update in updates.items():
            rates[name].append(counts[name] / timed(update, counts[name], device, clock))
    return {
        "updates_per_s": {n: round(statistics.median(rates[n]), 1) if n in rates else None for n in NAMES},
        "spread": {n: round(max(rates[n]) - min(rates[n]), 1) if n in rates else None for n in NAMES},
    }


def timed(update: Callable[[int], object], count: int, device: str, clock: str) -> float:
    if device != "cpu":
        torch.cuda.synchronize()
    start = CLOCK[clock]()
    update(count)
    if device != "cpu":
        torch.cuda.synchronize()
    return CLOCK[clock]() - start


def grid(cases: list[str], quick: bool) -> list[dict]:
    devices = [("cpu", 1), ("cpu", 2)] + ([("cuda", 1)] if torch.cuda.is_available() else [])
    keys = ("case", "variant", "batch", "threads", "device")
    rows = [
        dict(zip(keys, (case, variant, batch, threads, device), strict=True))
        for case in cases
        for variant in VARIANTS
        for batch in (64, 256, 1024)
        for device, threads in devices
    ]
    if quick:
        rows = [r for r in rows if r["case"] == "reach" and r["threads"] == 1 and r["batch"] in (64, 1024)]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES), help="whose sizes")
    parser.add_argument("--slice-seconds", type=float, default=0.4, help="of each repeat")
    parser.add_argument("--quick", action="store_true", help="reach only, one thread, short repeats: under a minute")
    parser.add_argument(
        "--cpu-time", action="store_true", help="processor time instead of wall time: one thread, no GPU"
    )
    arguments = parser.parse_args()
    clock = "cpu" if arguments.cpu_time else "wall"
    slice_s, repeats = (0.2, 5) if arguments.quick else (arguments.slice_seconds, 5)
    rows = []
    for row in grid(arguments.cases, arguments.quick):
        if arguments.cpu_time and (row["threads"], row["device"]) != (1, "cpu"):
            continue
        torch.set_num_threads(row["threads"])
        config = NafConfig(variant=VARIANTS[row["variant"]], batch_size=row["batch"])
        updates = contestants(config, CASES[row["case"]], row["device"])
        rows.append(row | measure(updates, slice_s, repeats, row["device"], clock))
        if not arguments.json:
            print(" ".join(f"{key} {value}" for key, value in row.items()), rows[-1]["updates_per_s"], flush=True)
    if arguments.json:
        missing = sorted({name for row in rows for name, rate in row["updates_per_s"].items() if rate is None})
        note = f"not installed, so null: {', '.join(missing)}" if missing else ""
        versions = {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "machine": measuring.machine(),
            "command": measuring.command(),
        }
        print(json.dumps({"rows": rows, "repeats": repeats, "clock": clock, "note": note, **versions}))


if __name__ == "__main__":
    main()
