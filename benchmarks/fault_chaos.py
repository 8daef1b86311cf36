"""Random SIGKILL and suspensions of a running system's processes; part of `benchmarks/faults.py`."""

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from naf_robot.bringup.runner import ProcessRunner
from naf_robot.core.errors import CheckpointError
from naf_robot.run.checkpoint import has_checkpoint, read_checkpoint

READY_S = 90.0
PAUSE_S = (0.3, 3.0)  # between two faults
FREEZE_S = (0.2, 4.0)
FREEZE_SHARE = 0.35


@dataclass
class Silence:
    """A velocity controller was killed or suspended from `begin_s` to `end_s` of the steady clock."""

    robot: str
    pid: int
    begin_s: float
    end_s: float | None = None


class ObservedRunner(ProcessRunner):
    """The process runner, with the ids of what it has started."""

    @property
    def process_ids(self) -> dict[str, int]:
        """Process ids by the specs' labels."""
        return {label: child.pid for label, child in self._children.items()}


class Chaos(threading.Thread):
    """Kills and freezes at random, in a thread beside the process runner."""

    def __init__(self, runner: "ObservedRunner", labels: list[str], run_dir: Path, kills: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.runner, self.labels, self.run_dir, self.kills = runner, labels, run_dir, kills
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self.frozen: dict[int, float] = {}  # process id to when it may go on
        self.unreadable: list[str] = []
        self.silent: list[Silence] = []  # of velocity controllers
        self.error: str | None = None

    def run(self) -> None:
        """Begin when episodes have been finished; end the runner at the end."""
        try:
            if self.wait_for_episodes():
                while self.counts["faults"] < self.kills:
                    self.fault()
                    self.look_at_checkpoints()
                    self.rest(self.random.uniform(*PAUSE_S))
                self.rest(5.0)
        except Exception as error:  # noqa: BLE001  a thread must not die in silence
            self.error = repr(error)
        finally:
            self.thaw(float("inf"))
            os.kill(os.getpid(), signal.SIGINT)

    def wait_for_episodes(self) -> bool:
        """Whether the system came up in time."""
        deadline = time.monotonic() + READY_S
        path = self.run_dir / "episodes.jsonl"
        while not (path.is_file() and path.stat().st_size):
            if time.monotonic() > deadline:
                self.error = f"no episode was finished within {READY_S} s"
                return False
            time.sleep(0.1)
        return True

    def fault(self) -> None:
        """Kill or suspend one process that is running."""
        label = self.random.choice(self.labels)
        pid = self.runner.process_ids[label]
        if pid in self.frozen or not alive(pid):
            return
        if self.random.random() < FREEZE_SHARE:
            os.kill(pid, signal.SIGSTOP)
            self.frozen[pid] = time.monotonic() + self.random.uniform(*FREEZE_S)
            kind = "freezes"
        else:
            os.kill(pid, signal.SIGKILL)
            kind = "kills -9"
        robot, _, name = label.rpartition("/")
        if name == "velocity_control":
            self.silent.append(Silence(robot, pid, time.monotonic()))
        self.counts.update(("faults", kind, f"{kind} of {label.rpartition('/')[2]}"))
        print(f"fault {self.counts['faults']}/{self.kills}: {kind} {label}", file=sys.stderr, flush=True)

    def look_at_checkpoints(self) -> None:
        """At this very instant there must be a whole one, once any was written."""
        if has_checkpoint(self.run_dir):
            self.counts["checkpoints read"] += 1
            try:
                read_checkpoint(self.run_dir)
            except CheckpointError as error:
                self.unreadable.append(str(error))

    def rest(self, duration_s: float) -> None:
        """Wait, letting frozen processes go on when they are due."""
        end = time.monotonic() + duration_s
        while time.monotonic() < end:
            self.thaw(time.monotonic())
            for silence in self.silent:
                pid = self.runner.process_ids[f"{silence.robot}/velocity_control"]
                if silence.end_s is None and pid != silence.pid:
                    silence.end_s = time.monotonic() - 0.1  # it was started since the last look
            time.sleep(0.02)

    def thaw(self, now_s: float) -> None:
        """Let every frozen process that is due go on."""
        for pid, due_s in list(self.frozen.items()):
            if due_s <= now_s:
                del self.frozen[pid]
                for silence in self.silent:
                    if silence.pid == pid and silence.end_s is None:
                        silence.end_s = time.monotonic()
                if alive(pid):
                    os.kill(pid, signal.SIGCONT)


def alive(pid: int) -> bool:
    """Whether the process runs: neither gone nor a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
