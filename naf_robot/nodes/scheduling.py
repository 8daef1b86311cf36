"""Scheduling of processes whose answers have no deadline."""

import os
from contextlib import suppress
from pathlib import Path

THREADS = Path("/proc/self/task")


def use_batch_scheduling() -> None:
    """Put every thread of this process under SCHED_BATCH, and those that it starts later.

    Being woken by a message then no longer takes the core from a process that works. Of many processes on few cores
    each does its work in one go, which saves changes between them. Where there is no such policy, where a sandbox
    forbids it or where somebody has chosen another one, all stays as it is.
    """
    if not hasattr(os, "SCHED_BATCH") or os.sched_getscheduler(0) != os.SCHED_OTHER:
        return
    for thread in THREADS.iterdir():
        with suppress(OSError):  # the thread has ended meanwhile, or the kernel says no
            os.sched_setscheduler(int(thread.name), os.SCHED_BATCH, os.sched_param(0))
