"""What several benchmarks share: processor time of other processes, the machine's name, a graph of their own."""

import ctypes
import json
import os
import platform
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from tqdm import tqdm

PR_SET_PDEATHSIG = 1
ROOT = Path(__file__).resolve().parents[1]
for folder in (ROOT, ROOT / "test" / "support", ROOT / "test" / "learning"):  # so that they run from a checkout
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from naf_robot.core.files import replace_file  # noqa: E402


def processor_s(pid: int) -> float:
    """Processor time that a process has used, its threads together [s]."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def machine() -> str:
    """Processor and number of processors, for the result's file."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    name = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())
    return f"{name}, {os.cpu_count()} virtual cores"


def die_with_parent() -> None:
    """In a child, before it executes: ask the kernel for SIGTERM when this process ends, however it does."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def own_graph() -> None:
    """Nothing leaves this machine, and other runs on it are not met, unless the caller's environment says so."""
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))


def command() -> str:
    """The command line of this run, without the machine's folders: where its output went is left out."""
    words = sys.argv[1:]
    if "--output" in words:
        place = words.index("--output")
        words = words[:place] + words[place + 2 :]
    return shlex.join(["python", "benchmarks/" + Path(sys.argv[0]).name, *words])


def run_missing(
    output: Path,
    jobs: int,
    facts: dict[str, Any],
    what: str,
    todo: Sequence[tuple[str, int]],
    study: Callable[[str, int], dict[str, Any]],
) -> None:
    """Make the runs of `todo`, each a `what` with a seed, that `output` lacks; write it with `facts` after each."""
    kept = json.loads(output.read_text(encoding="utf-8"))["runs"] if output.is_file() else []
    done = {(run[what], run["seed"]) for run in kept}
    missing = [one for one in todo if one not in done]
    with ThreadPoolExecutor(jobs) as pool, tqdm(total=len(missing), disable=None) as bar:
        for future in as_completed([pool.submit(study, *one) for one in missing]):
            kept.append(future.result())
            replace_file(output, (json.dumps(facts | {"runs": kept}, indent=1) + "\n").encode())
            bar.update()


class Stopwatch:
    """Adds up what `clock` says of the time in one method of an object, in whose place it stands."""

    def __init__(self, owner: object, name: str, clock: Callable[[], float] = time.thread_time) -> None:
        self._call, self._clock = getattr(owner, name), clock
        self.spent_s, self.calls = 0.0, 0
        setattr(owner, name, self)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        begin = self._clock()
        self.calls += 1
        try:
            return self._call(*arguments, **named)
        finally:
            self.spent_s += self._clock() - begin
