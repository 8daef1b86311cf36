"""The replay buffer at its full size beside others': insertion and sampling, of CPU tensors. One JSON object.

    python benchmarks/replay.py --json                       # ten million transitions of reach's sizes
    python benchmarks/replay.py --size 100000 --json

Insertion: batches of 50, as collectors send them, until the buffer is full, with the buffer's memory touched for the
first time, and again around the ring, when it is not; neighbours share their observations. Sampling: batches of 64
and 1024 until they are tensors that a learner can use; ours also in blocks of 64 batches, as our learner draws them.
The others: cpprb's ReplayBuffer, torchrl's TensorDictReplayBuffer, stable-baselines3's ReplayBuffer; one that is not
installed is null.
"""

import argparse
import contextlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, Protocol

import measuring
import numpy as np
import torch
from random_batch import make_chain

from naf_robot.core.transitions import Transitions
from naf_robot.learning.replay_buffer import ReplayBuffer

OBSERVATION, ACTION = 20, 7
INSERTED = 50  # transitions at once
BATCHES = (64, 1024)
BLOCK = 64  # batches at once


class Contestant(Protocol):
    def add(self, batch: Transitions) -> None: ...

    def sample(self, batch_size: int) -> object: ...


class Ours:
    """One batch per call."""

    def __init__(self, size: int) -> None:
        self.buffer = ReplayBuffer(size, OBSERVATION, ACTION)
        self.add = self.buffer.add
        self.generator = torch.Generator().manual_seed(0)

    def sample(self, batch_size: int) -> object:
        return self.buffer.sample(1, batch_size, self.generator)


class Cpprb:
    def __init__(self, size: int) -> None:
        import cpprb

        vectors = {"obs": OBSERVATION, "act": ACTION, "next_obs": OBSERVATION}
        fields = {name: {"shape": width, "dtype": np.float32} for name, width in vectors.items()}
        fields |= {name: {"dtype": np.float32} for name in ("rew", "done", "truncated")}
        self.buffer = cpprb.ReplayBuffer(size, fields)

    def add(self, batch: Transitions) -> None:
        self.buffer.add(
            obs=batch.observation, act=batch.action, next_obs=batch.next_observation, rew=batch.reward,
            done=batch.terminated, truncated=batch.truncated,
        )  # fmt: skip

    def sample(self, batch_size: int) -> object:
        return {name: torch.from_numpy(array) for name, array in self.buffer.sample(batch_size).items()}


class Torchrl:
    def __init__(self, size: int) -> None:
        from tensordict import TensorDict
        from torchrl.data import LazyTensorStorage, TensorDictReplayBuffer

        self.make = TensorDict
        self.buffer = TensorDictReplayBuffer(storage=LazyTensorStorage(size))

    def add(self, batch: Transitions) -> None:
        names = ("observation", "action", "next_observation", "reward", "terminated", "truncated")
        tensors = {name: torch.from_numpy(getattr(batch, name)) for name in names}
        self.buffer.extend(self.make(tensors, batch_size=len(batch)))

    def sample(self, batch_size: int) -> object:
        return self.buffer.sample(batch_size)


class Sb3:
    """One transition per call, which is all its buffer takes from one environment."""

    def __init__(self, size: int) -> None:
        import gymnasium
        from stable_baselines3.common.buffers import ReplayBuffer as Sb3Buffer

        box = gymnasium.spaces.Box
        spaces = box(-np.inf, np.inf, (OBSERVATION,), np.float32), box(-1.0, 1.0, (ACTION,), np.float32)
        self.buffer = Sb3Buffer(size, *spaces, device="cpu", handle_timeout_termination=True)

    def add(self, batch: Transitions) -> None:
        for i in range(len(batch)):
            one = slice(i, i + 1)
            infos = [{"TimeLimit.truncated": bool(batch.truncated[i])}]
            ended = batch.terminated[one] | batch.truncated[one]
            self.buffer.add(
                batch.observation[one], batch.next_observation[one], batch.action[one], batch.reward[one], ended, infos
            )

    def sample(self, batch_size: int) -> object:
        return self.buffer.sample(batch_size)


CONTESTANTS: dict[str, Callable[[int], Contestant]] = {
    "ours": Ours,
    "cpprb": Cpprb,
    "torchrl": Torchrl,
    "stable_baselines3": Sb3,
}


def rate(work: Callable[[], object], per_call: int, seconds: float, repeats: int) -> float:
    """Median over `repeats` of transitions per second; each repeat takes `seconds`."""
    rates = []
    for _ in range(repeats):
        begin, calls = time.perf_counter(), 0
        while (passed := time.perf_counter() - begin) < seconds or not calls:
            work()
            calls += 1
        rates.append(calls * per_call / passed)
    return round(statistics.median(rates))


def fill(contestant: Contestant, size: int, batch: Transitions, at_most_s: float) -> tuple[int, float]:
    """Transitions added, at most `size` and no longer than `at_most_s`, and how many per second."""
    begin, added = time.perf_counter(), 0
    while added < size and time.perf_counter() - begin < at_most_s:
        contestant.add(batch)
        added += len(batch)
    return added, round(added / (time.perf_counter() - begin))


def fill_up(contestant: Contestant, count: int) -> None:
    """Add `count` transitions, more at once than a collector sends."""
    if isinstance(contestant, Sb3):  # one by one it would take minutes
        contestant.buffer.observations[:] = contestant.buffer.next_observations[:] = 0.5
        contestant.buffer.actions[:], contestant.buffer.full = 0.5, True
        return
    batch = make_chain(min(count, 100_000), OBSERVATION, ACTION)
    for _ in range(-(-count // len(batch))):
        contestant.add(batch)


def measure(name: str, options: argparse.Namespace) -> dict[str, Any] | None:
    batch = make_chain(INSERTED, OBSERVATION, ACTION)
    try:
        contestant = CONTESTANTS[name](options.size)
    except ImportError as error:
        print(f"{name} is null: {error}", file=sys.stderr)
        return None
    filled, first = fill(contestant, options.size, batch, options.fill_seconds)
    if filled < options.size:  # untimed, so that what is sampled lies all over the memory
        fill_up(contestant, options.size - filled)
    row: dict[str, Any] = {
        "inserted_per_s_first": first,
        "inserted_per_s": rate(lambda: contestant.add(batch), INSERTED, options.seconds, options.repeats),
    }
    sampled = {
        str(size): rate(lambda size=size: contestant.sample(size), size, options.seconds, options.repeats)
        for size in BATCHES
    }
    if isinstance(contestant, Ours):
        for size in BATCHES:
            sampled[f"{BLOCK} x {size}"] = rate(
                lambda size=size: contestant.buffer.sample(BLOCK, size, contestant.generator),
                BLOCK * size, options.seconds, options.repeats,
            )  # fmt: skip
    return row | {"sampled_per_s": sampled, "bytes_per_transition": memory(contestant)}


def memory(contestant: Contestant) -> float | None:
    """Bytes of our tables per transition; the others do not tell."""
    if not isinstance(contestant, Ours):
        return None
    return round(contestant.buffer.bytes_per_transition, 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=10_000_000, help="transitions")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each repeat")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--fill-seconds", type=float, default=10.0, help="of timed insertion before the ring is full")
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=list(CONTESTANTS))
    parser.add_argument("--json", action="store_true", help="one line")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with contextlib.redirect_stdout(sys.stderr):  # torchrl's log goes to standard output
        results = {name: measure(name, options) for name in options.contestants}
    result = {"size": options.size, "observation": OBSERVATION, "action": ACTION, "results": results}
    result |= {"machine": measuring.machine(), "command": measuring.command(), "torch": torch.__version__}
    print(json.dumps(result, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
