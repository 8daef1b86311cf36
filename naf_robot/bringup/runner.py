"""Runs a system's processes without `ros2 launch`: starts them, watches them, ends them in order."""

import ctypes
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO, Any, Literal

from naf_robot.bringup.node_spec import NodeSpec, check_executables
from naf_robot.bringup.process_exits import ProcessExits, exit_reason
from naf_robot.bringup.stopping import await_ends
from naf_robot.core import run_files

POLL_S = 0.05
DECIDED_STOP_S = 60.0  # a decided run may take its time to write its results; an interrupted one may not
FAILED = 1
TAIL_LINES = 15
PR_SET_PDEATHSIG = 1


class StopSignals:
    """Takes note of SIGINT, SIGTERM and SIGHUP (the terminal was closed) while entered; may be entered again.

    Under `nohup`, which ignores SIGHUP, that stays ignored.
    """

    def __init__(self) -> None:
        self.asked = False
        self._previous: list[dict[int, Any]] = []

    def __enter__(self) -> "StopSignals":
        numbers = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            numbers.append(signal.SIGHUP)
        self._previous.append({number: signal.signal(number, self._on_signal) for number in numbers})
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._previous.pop().items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


class ProcessRunner:
    """Children of this process, in sessions of their own, so that Ctrl-C reaches this process alone.

    Should this process be killed, the kernel sends every child SIGTERM. A child that ends unexpectedly is
    started again as often as its spec allows; the reasons are in `process_exits.jsonl` beside the outcome.
    """

    def __init__(
        self,
        specs: Sequence[NodeSpec],
        log_dir: Path,
        outcome_file: Path,
        environment: Mapping[str, str],
        system: str = "train",
        signals: "StopSignals | None" = None,
    ) -> None:
        self._system = system
        self._specs = list(specs)
        self._log_dir = log_dir
        self._outcome_file = outcome_file
        self._environment = dict(environment)
        self._children: dict[str, subprocess.Popen] = {}
        self._logs: list[IO[bytes]] = []
        self._exits = ProcessExits(outcome_file.parent / run_files.PROCESS_EXITS)
        self._started_s: dict[str, float] = {}
        self._restart_s: dict[str, float] = {}  # when one that ended is due
        self._gone: set[str] = set()  # ended for good, and not required any more
        self._signals = signals or StopSignals()

    def run(self) -> int:
        """Run until the deciding process ends, a child ends, or a signal comes; the exit code.

        0 after SIGINT, SIGTERM or SIGHUP, the deciding process's own code when the run is decided, 1 when
        any required child ended unexpectedly.

        Raises:
            ConfigError: a foreign node is not on this machine; nothing was started.
        """
        check_executables(self._specs, self._system)
        with self._signals:
            try:
                self._start()
                return self._watch()
            finally:
                self._stop(patient=False)
                for log in self._logs:
                    log.close()

    def _start(self) -> None:
        for spec in self._specs:
            if not self._signals.asked:
                self._start_one(spec, "wb")

    def _start_one(self, spec: NodeSpec, mode: Literal["wb", "ab"]) -> None:
        log = None if spec.decides else self._open_log(spec.label, mode)
        if log is not None:
            self._logs.append(log)
        self._started_s[spec.label] = time.monotonic()
        self._children[spec.label] = subprocess.Popen(
            spec.command(),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=None if spec.decides else log or subprocess.DEVNULL,
            stderr=None if spec.decides else subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        if mode == "ab" and log is not None:  # the child has its own copy; many restarts must not use up handles
            self._logs.remove(log)
            log.close()

    def _watch(self) -> int:
        while True:
            if self._signals.asked:
                print("stopping", file=sys.stderr, flush=True)
                self._stop(patient=False)
                return self._after_interrupt()
            if self._outcome_file.exists():
                return self._decided()
            for spec in self._specs:
                if (code := self._ended(spec)) is not None:
                    if not spec.required:
                        self._gone.add(spec.label)
                        print(f"process {spec.label!r} {exit_reason(code)}; the run goes on", file=sys.stderr)
                        continue
                    if spec.decides and self._outcome_file.exists():
                        return self._decided()
                    self._report_exit(spec, code)
                    self._stop(patient=False)
                    return FAILED
            time.sleep(POLL_S)

    def _ended(self, spec: NodeSpec) -> int | None:
        """The exit code of a process that has ended and stays so; one that is due is started again."""
        label = spec.label
        code = self._children[label].poll()
        if code is None or label in self._gone:
            return None
        if spec.once and code == 0:
            self._gone.add(label)
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
        return next((self._decided_code(code) for code in codes), 0)

    def _decided_code(self, code: int) -> int:
        """The exit code of the run; an interpreter that is about to end may do so by the signal that asks it to."""
        if code not in (-signal.SIGINT, -signal.SIGTERM):
            return code if code >= 0 else FAILED
        try:
            return int(self._outcome_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return FAILED

    def _after_interrupt(self) -> int:
        clean = (0, 3, -signal.SIGINT, -signal.SIGTERM)  # a signal during start-up ends the interpreter itself
        ended = [s for s in self._specs if s.label in self._children and s.label not in self._restart_s]
        ended = [spec for spec in ended if spec.required]
        failed = [spec for spec in ended if self._children[spec.label].returncode not in clean]
        for spec in failed:
            self._report_exit(spec, self._children[spec.label].returncode)
        return FAILED if failed else 0

    def _stop(self, patient: bool) -> None:
        """Ask stage after stage to end, and wait; a stage may use up what earlier ones left of their reserves.

        Ours are asked by SIGTERM: it ends an interpreter that is still importing without a traceback. No stage
        gets less than its own reserve, counted from when it was asked.
        """
        orders = sorted({spec.stop_order for spec in self._specs})
        reserves = [max(s.stop_within_s for s in self._specs if s.stop_order == order) for order in orders]
        deadline = time.monotonic() + sum(reserves)
        for index, order in enumerate(orders):
            stage = [spec for spec in self._specs if spec.stop_order == order and spec.label in self._children]
            running = [spec for spec in stage if self._children[spec.label].poll() is None]
            begin = time.monotonic()
            for spec in running:
                self._children[spec.label].send_signal(signal.SIGINT if spec.is_foreign else signal.SIGTERM)
            usual = max(begin + reserves[index], deadline - sum(reserves[index + 1 :]))
            limits = {s.label: begin + DECIDED_STOP_S if patient and s.decides else usual for s in running}
            await_ends({label: self._children[label] for label in limits}, begin, limits)
            if patient and any(spec.decides for spec in running):
                deadline += time.monotonic() - begin

    def _report_exit(self, spec: NodeSpec, code: int) -> None:
        print(f"error: process {spec.label!r} {exit_reason(code)}; the run ends", file=sys.stderr, flush=True)
        path = self._log_path(spec.label)
        if path.is_file():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
            print("\n".join(f"  {line}" for line in lines), file=sys.stderr, flush=True)

    def _open_log(self, label: str, mode: Literal["wb", "ab"]) -> IO[bytes] | None:
        """The file for what a process prints, None if there can be none: that must not keep it from its work."""
        path = self._log_path(label)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return path.open(mode)
        except OSError as error:
            print(f"no log of {label!r}: cannot write {str(path)!r}: {error.strerror}", file=sys.stderr, flush=True)
            return None

    def _log_path(self, label: str) -> Path:
        return log_path(self._log_dir, label)


def log_path(log_dir: Path, label: str) -> Path:
    """The file of what the process `label` prints."""
    return log_dir / f"{label.replace('/', '.')}.log"


def die_with_parent(number: int = signal.SIGTERM) -> None:
    """In the child, before it executes: ask the kernel for this signal when the parent ends, however it does."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
