"""Waits for processes that were asked to end, and kills those that had the time to do so but did not."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
POLL_S = 0.01
STARVED_S = 60.0  # at most, that a process may end later because it was given no processor, or waited for the disk


@dataclass
class Account:
    """What a process that should end was given of the processors and the disk, sample by sample."""

    processor_s: float
    sampled_s: float
    starved_s: float = 0.0

    def sample(self, pid: int, now_s: float) -> None:
        """Count the time since the last sample as starved as far as the process could have run but did not."""
        processor_s, passed_s = processor_time_s(pid), now_s - self.sampled_s
        if is_held_up(pid):
            self.starved_s += max(0.0, passed_s - (processor_s - self.processor_s))
        self.processor_s, self.sampled_s = processor_s, now_s


def await_ends(children: Mapping[str, subprocess.Popen], asked_s: float, limits_s: Mapping[str, float]) -> None:
    """Wait for every child; one that goes on past its limit is killed.

    On a busy machine time in which a child was runnable but not run, or waited for the disk, does not count, up to
    `STARVED_S`: a node is not killed before it had the chance to send its last command and to write its files.

    Args:
        children: By label; all have been asked to end.
        asked_s: When, by the monotonic clock [s].
        limits_s: Until when each may take, by the same clock [s].
    """
    accounts = {label: Account(processor_time_s(child.pid), asked_s) for label, child in children.items()}
    waiting = dict(children)
    while waiting := {label: child for label, child in waiting.items() if child.poll() is None}:
        for label, child in waiting.items():
            now_s, account = time.monotonic(), accounts[label]
            account.sample(child.pid, now_s)
            if now_s > limits_s[label] + min(STARVED_S, account.starved_s):
                print(f"{label} did not end within {now_s - asked_s:.1f} s; killed", file=sys.stderr, flush=True)
                child.kill()
                child.wait()
        time.sleep(POLL_S)


def processor_time_s(pid: int) -> float:
    """Processor time of the threads of `pid` so far [s], 0 where the kernel does not tell."""
    total_ns = 0
    for thread in _threads(pid):
        with suppress(OSError, IndexError, ValueError):
            total_ns += int((thread / "schedstat").read_text().split()[0])
    return 1e-9 * total_ns


def is_held_up(pid: int) -> bool:
    """Whether any thread of `pid` runs, or waits for nothing but a processor or the disk."""
    return any(_state(thread) in ("R", "D") for thread in _threads(pid))


def _threads(pid: int) -> Iterator[Path]:
    return (PROC / f"{pid}/task").glob("*")


def _state(thread: Path) -> str:
    try:
        return (thread / "stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""
