"""Scheduling of processes: those that control an arm come first, those whose answers have no deadline last.

Whatever the machine or the user's rights do not allow stays as it is; `described` says what a process has.
"""

import ctypes
import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

THREADS = Path("/proc/self/task")
AUTOGROUP = Path("/proc/self/autogroup")
MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT = 1, 2, 4
NAMES = {
    getattr(os, name): name
    for name in ("SCHED_OTHER", "SCHED_BATCH", "SCHED_IDLE", "SCHED_FIFO", "SCHED_RR")
    if hasattr(os, name)
}


def use_batch_scheduling() -> None:
    """Put every thread of this process under SCHED_BATCH, and those that it starts later.

    Being woken by a message then no longer takes the core from a process that works. Of many processes on few cores
    each does its work in one go, which saves changes between them. Where somebody has chosen another policy, it stays.
    """
    if hasattr(os, "SCHED_BATCH") and os.sched_getscheduler(0) == os.SCHED_OTHER:
        for thread in threads():
            with suppress(OSError):  # the thread has ended meanwhile, or the kernel says no
                os.sched_setscheduler(thread, os.SCHED_BATCH, os.sched_param(0))


def use_real_time_scheduling(priority: int) -> None:
    """Put every thread of this process, and those that it starts later, under SCHED_FIFO: they run as soon as they can.

    That takes the right to it (`ulimit -r`, or CAP_SYS_NICE); of less right the most is taken, `priority` at best.
    What the process uses of its memory stays in memory where nothing limits that (`ulimit -l`). Where somebody has
    chosen another policy, it stays.

    Args:
        priority: 1 to 99; 0 changes nothing.
    """
    if priority <= 0 or not hasattr(os, "SCHED_FIFO") or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return
    allowed = resource.getrlimit(resource.RLIMIT_RTPRIO)[0]
    for wanted in (priority, min(priority, allowed)):
        if wanted > 0 and _all_threads_under_fifo(wanted):
            break
    if resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] != resource.RLIM_INFINITY and os.geteuid() != 0:
        return  # once a limit is reached, memory could not be had at all
    with suppress(AttributeError, OSError):  # another kernel
        ctypes.CDLL(None).mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)


def _all_threads_under_fifo(priority: int) -> bool:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))  # first: what it starts from now on inherits
    except OSError:
        return False
    for thread in threads():
        with suppress(OSError):  # it has ended meanwhile
            os.sched_setscheduler(thread, os.SCHED_FIFO, os.sched_param(priority))
    return True


def give_way(nice: int) -> None:
    """Make every thread of this process as `nice` to others, 0 to 19, and those that it starts later; never less.

    Linux compares niceness within a session only where it groups processes by sessions (autogroup): one that leads
    its own session makes the session nice too.
    """
    for thread in threads():
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, max(nice, os.getpriority(os.PRIO_PROCESS, thread)))
    if nice > 0 and os.getsid(0) == os.getpid():
        with suppress(OSError):
            AUTOGROUP.write_text(f"{nice}")


def described() -> str:
    """The policy of this process and its priority or niceness: `SCHED_FIFO 40`, `SCHED_OTHER nice 0`."""
    policy = os.sched_getscheduler(0)
    name = NAMES.get(policy, f"policy {policy}")
    priority = os.sched_getparam(0).sched_priority
    return f"{name} {priority}" if priority else f"{name} nice {os.getpriority(os.PRIO_PROCESS, 0)}"


def threads() -> Iterator[int]:
    """Of this process."""
    return (int(path.name) for path in THREADS.iterdir())
