"""Runs a system's processes without `ros2 launch`: starts them, watches them, ends them in order."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Literal

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.process_exits import ProcessExits, exit_reason
from naf_robot.core import run_files

POLL_S = 0.05
STOP_BUDGET_S = 4.8  # for everything, after a signal; each stage may use what later ones do not need
DECIDED_STOP_S = 60.0  # a decided run may take its time to write its results; an interrupted one may not
FAILED = 1
TAIL_LINES = 15
PR_SET_PDEATHSIG = 1


class ProcessRunner:
    """Children of this process, in sessions of their own, so that Ctrl-C reaches this process alone.

    Should this process die without a word, the kernel sends every child SIGTERM. A child that dies is
    started again as often as its spec allows; the reasons are in `process_exits.jsonl` beside the outcome.
    """

    def __init__(self, specs: Sequence[NodeSpec], log_dir: Path, outcome_file: Path, environment: Mapping[str, str]):
        self._specs = list(specs)
        self._log_dir = log_dir
        self._outcome_file = outcome_file
        self._environment = dict(environment)
        self._children: dict[str, subprocess.Popen] = {}
        self._logs: list[IO[bytes]] = []
        self._exits = ProcessExits(outcome_file.parent / run_files.PROCESS_EXITS)
        self._started_s: dict[str, float] = {}
        self._restart_s: dict[str, float] = {}  # when a dead one is due
        self._interrupted = False

    def run(self) -> int:
        """Run until the deciding process ends, a child dies, or a signal comes; the exit code.

        0 after SIGINT or SIGTERM, the deciding process's own code when the run is decided, 1 when
        any child died unasked.
        """
        previous = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            self._start()
            return self._watch()
        finally:
            self._stop(patient=False)
            for log in self._logs:
                log.close()
            for number, handler in previous.items():
                signal.signal(number, handler)

    @property
    def process_ids(self) -> dict[str, int]:
        """Process ids by the specs' labels."""
        return {label: child.pid for label, child in self._children.items()}

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True

    def _start(self) -> None:
        self._log_dir.mkdir(parents=True, exist_ok=True)
        for spec in self._specs:
            self._start_one(spec, "wb")

    def _start_one(self, spec: NodeSpec, mode: Literal["wb", "ab"]) -> None:
        log = None if spec.decides else self._log_path(spec.label).open(mode)
        if log is not None:
            self._logs.append(log)
        self._started_s[spec.label] = time.monotonic()
        self._children[spec.label] = subprocess.Popen(
            spec.command(),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT if log is not None else None,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        if mode == "ab" and log is not None:  # the child has its own copy; many restarts must not use up handles
            self._logs.remove(log)
            log.close()

    def _watch(self) -> int:
        while True:
            if self._interrupted:
                print("stopping", file=sys.stderr, flush=True)
                self._stop(patient=False)
                return self._after_interrupt()
            if self._outcome_file.exists():
                return self._decided()
            for spec in self._specs:
                if (code := self._ended(spec)) is not None:
                    if spec.decides and self._outcome_file.exists():
                        return self._decided()
                    self._report_exit(spec, code)
                    self._stop(patient=False)
                    return FAILED
            time.sleep(POLL_S)

    def _ended(self, spec: NodeSpec) -> int | None:
        """The exit code of a process that has ended and stays so; a dead one that is due is started again."""
        label = spec.label
        code = self._children[label].poll()
        if code is None:
            return None
        if label in self._restart_s:
            if time.monotonic() >= self._restart_s[label]:
                del self._restart_s[label]
                self._start_one(spec, "ab")
            return None
        if spec.decides and self._outcome_file.exists():
            return code
        delay_s = self._exits.restart_after_s(spec, code, time.monotonic() - self._started_s[label])
        if delay_s is None:
            return code
        print(f"process {label!r} {exit_reason(code)}; started again in {delay_s:.1f} s", file=sys.stderr, flush=True)
        self._restart_s[label] = time.monotonic() + delay_s
        return None

    def _decided(self) -> int:
        self._stop(patient=True)
        codes = [self._children[spec.label].returncode for spec in self._specs if spec.decides]
        return next((code if code >= 0 else FAILED for code in codes), 0)

    def _after_interrupt(self) -> int:
        clean = (0, 3, -signal.SIGINT, -signal.SIGTERM)  # a signal during start-up ends the interpreter itself
        ended = [spec for spec in self._specs if spec.label not in self._restart_s]
        failed = [spec for spec in ended if self._children[spec.label].returncode not in clean]
        for spec in failed:
            self._report_exit(spec, self._children[spec.label].returncode)
        return FAILED if failed else 0

    def _stop(self, patient: bool) -> None:
        orders = sorted({spec.stop_order for spec in self._specs})
        reserves = [max(s.stop_within_s for s in self._specs if s.stop_order == order) for order in orders]
        deadline = time.monotonic() + max(STOP_BUDGET_S, sum(reserves))
        for index, order in enumerate(orders):
            stage = [spec for spec in self._specs if spec.stop_order == order and spec.label in self._children]
            running = [spec for spec in stage if self._children[spec.label].poll() is None]
            for spec in running:
                self._children[spec.label].send_signal(signal.SIGINT)
            for spec in running:
                begin = time.monotonic()
                slow_is_fine = patient and spec.decides
                limit = DECIDED_STOP_S if slow_is_fine else deadline - begin - sum(reserves[index + 1 :])
                self._await_end(spec, limit)
                if slow_is_fine:
                    deadline += time.monotonic() - begin

    def _await_end(self, spec: NodeSpec, within_s: float) -> None:
        child = self._children[spec.label]
        try:
            child.wait(timeout=max(0.0, within_s))
        except subprocess.TimeoutExpired:
            print(f"{spec.label} did not end within {within_s:.1f} s; killed", file=sys.stderr, flush=True)
            child.kill()
            child.wait()

    def _report_exit(self, spec: NodeSpec, code: int) -> None:
        print(f"error: process {spec.label!r} {exit_reason(code)}; the run ends", file=sys.stderr, flush=True)
        path = self._log_path(spec.label)
        if path.is_file():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
            print("\n".join(f"  {line}" for line in lines), file=sys.stderr, flush=True)

    def _log_path(self, label: str) -> Path:
        return self._log_dir / f"{label.replace('/', '.')}.log"


def _die_with_parent() -> None:
    """In the child, before it executes: ask the kernel for SIGTERM when the parent dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def local_environment(domain: int | None = None) -> dict[str, str]:
    """This process's environment with the graph kept on this machine, in a domain of its own.

    What the user has set is left as it is.
    """
    environment = dict(os.environ)
    environment.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    environment.setdefault("ROS_DOMAIN_ID", str(domain if domain is not None else 1 + os.getpid() % 100))
    environment.setdefault("OMP_NUM_THREADS", "1")  # small matrices: threads only get in each other's way
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")
    environment.setdefault("PYTHONUNBUFFERED", "1")
    return environment
