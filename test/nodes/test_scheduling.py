"""Who runs first: on wall time what an arm waits for; what the machine does not allow changes nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")

from naf_robot.nodes import scheduling
from naf_robot.nodes.collector import CollectorNode
from naf_robot.nodes.executable import ExecutableNode
from naf_robot.nodes.velocity_control import VelocityControlNode

PROGRAM = """
import json, os, threading, time
{before}
from naf_robot.nodes import scheduling
running = threading.Thread(target=time.sleep, args=(60,), daemon=True)
running.start()
{act}
def policies():
    return sorted({{(os.sched_getscheduler(t), os.sched_getparam(t).sched_priority,
                    os.getpriority(os.PRIO_PROCESS, t)) for t in scheduling.threads()}})
found = [policies()]
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print(json.dumps([found[0], policies(), scheduling.described()]), flush=True)
os._exit(0)
"""
NICE = os.getpriority(os.PRIO_PROCESS, 0)  # of these tests
WITHOUT_RIGHTS = "os.setgroups([]); os.setgid(65534); os.setuid(65534)"


def told(act: str, before: str = "") -> tuple[list, list, str]:
    source = PROGRAM.format(act=act, before=before)
    words = [sys.executable, "-c", source]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True, start_new_session=True)
    return json.loads(done.stdout)


def may_use_fifo() -> bool:
    probe = "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"
    return subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not may_use_fifo(), reason="this user has no right to SCHED_FIFO")
def test_real_time_scheduling_is_of_all_threads_and_of_later_ones():
    first, later, text = told("scheduling.use_real_time_scheduling(40)")
    assert first == later == [[os.SCHED_FIFO, 40, NICE]]
    assert text == "SCHED_FIFO 40"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become a user without rights")
def test_without_the_right_to_it_nothing_changes_and_nothing_fails():
    before = "import naf_robot.nodes.scheduling\n" + WITHOUT_RIGHTS
    first, later, text = told("scheduling.use_real_time_scheduling(40)", before)
    assert first == later == [[os.SCHED_OTHER, 0, NICE]]
    assert text == f"SCHED_OTHER nice {NICE}"


def test_of_less_right_the_most_is_taken(monkeypatch: pytest.MonkeyPatch):
    taken: dict[int, int] = {}

    def set_scheduler(thread: int, policy: int, parameters: os.sched_param) -> None:
        if parameters.sched_priority > 7:
            raise PermissionError
        taken[thread] = parameters.sched_priority

    monkeypatch.setattr(scheduling.os, "sched_setscheduler", set_scheduler)
    monkeypatch.setattr(scheduling.resource, "getrlimit", lambda which: (7, 7))
    monkeypatch.setattr(scheduling, "ctypes", None)  # the memory of the tests stays as it is
    scheduling.use_real_time_scheduling(40)
    assert taken.keys() >= set(scheduling.threads())
    assert set(taken.values()) == {7}


def test_priority_0_changes_nothing():
    assert told("scheduling.use_real_time_scheduling(0)")[0] == [[os.SCHED_OTHER, 0, NICE]]


def test_who_gives_way_does_so_with_all_threads_and_with_its_session():
    say = "scheduling.give_way(10); scheduling.described = lambda: scheduling.AUTOGROUP.read_text()"
    if not Path("/proc/self/autogroup").exists():
        say = "scheduling.give_way(10); scheduling.described = lambda: 'nice 10'"
    first, later, text = told(say)
    assert [niceness for _, _, niceness in first] == [niceness for _, _, niceness in later] == [max(10, NICE)]
    assert text.strip().endswith("nice 10")


def test_nobody_gets_nicer_to_itself():
    assert told("scheduling.give_way(5)", "os.setpriority(os.PRIO_PROCESS, 0, 19)")[0][0][2] == 19


def test_the_controller_of_an_arm_comes_before_what_asks_it_and_both_before_the_rest():
    assert VelocityControlNode.control_rank is not None
    assert CollectorNode.control_rank is not None
    assert VelocityControlNode.control_rank < CollectorNode.control_rank
    assert ExecutableNode.control_rank is None
