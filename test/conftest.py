"""Every test stays on this machine, in a ROS domain of its own, and leaves neither threads nor processes behind."""

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

from naf_robot.sim.registry import SIMULATORS

sys.path.insert(0, str(Path(__file__).parent / "support"))

os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
os.environ["ROS_DOMAIN_ID"] = str(101 + os.getpid() % 100)
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

settings.register_profile("untimed", deadline=None)  # a busy machine, or a library's first call, is no fault
settings.load_profile("untimed")

END_WITHIN_S = 10.0
OF_PYTHON = "multiprocessing.resource_tracker"  # a process, one per Python, which ends with it
OF_TQDM = "tqdm_monitor"  # a thread, likewise


@pytest.fixture(autouse=True)
def nothing_stays_behind() -> Iterator[None]:
    """Fails a test after which a thread or a process that it started goes on."""
    threads, processes = set(threading.enumerate()), child_processes()
    yield
    left: list[str] = []
    deadline = time.monotonic() + END_WITHIN_S
    while time.monotonic() < deadline:
        started = [thread for thread in set(threading.enumerate()) - threads if thread.name != OF_TQDM]
        running = {pid: line for pid, line in child_processes().items() if pid not in processes}
        left = [f"thread {thread.name}" for thread in started] + [f"process {line}" for line in running.values()]
        if not left:
            return
        gc.collect()  # what nobody holds any more, as after a simulated crash, ends its own thread
        time.sleep(0.02)
    for pid in running:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    pytest.fail(f"the test left behind: {'; '.join(left)}")


def child_processes() -> dict[int, str]:
    """Command lines of the running processes that this one has started, by their ids."""
    found = {}
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            for pid in map(int, (task / "children").read_text().split()):
                line = (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if line and OF_PYTHON not in line:  # empty: it has ended
                    found[pid] = line[:200]
    return found


@pytest.fixture(params=sorted(SIMULATORS))
def backend(request):
    """Each simulator that there is; those that this machine lacks are skipped, and say what to install."""
    missing = SIMULATORS[request.param].missing()
    if missing is not None:
        pytest.skip(f"simulator {request.param!r}: {missing}")
    return request.param
