"""What every executable does alike: exit codes, one sentence for mistakes, and `close` in any case."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")

from naf_robot.bringup.environment import local_environment
from naf_robot.run.config import resolve, save

pytestmark = pytest.mark.ros

PROGRAM = """
import sys
from naf_robot.core.errors import ConfigError
from naf_robot.nodes.executable import ExecutableNode, run
import rclpy

class Probe(ExecutableNode):
    def __init__(self):
        super().__init__("probe")
    def loop(self):
        print("looping", flush=True)
        {body}
    def close(self):
        print("closed, context alive:", rclpy.ok(), flush=True)

sys.exit(run(Probe))
"""


def start(tmp_path: Path, body: str, *parameters: str, real_time_factor: float = 0.0) -> subprocess.Popen:
    overrides = [{"simulation": {"real_time_factor": real_time_factor}}]
    save(resolve("reach", overrides=overrides), tmp_path / "config.yaml")
    given = parameters or (f"config:={tmp_path / 'config.yaml'}",)
    arguments = ["--ros-args", *(word for parameter in given for word in ("-p", parameter))]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(body=body), *arguments],
        env=local_environment() | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_unforeseen_exception_still_says_the_last_word_and_exits_non_zero(tmp_path: Path):
    out, err = (child := start(tmp_path, "raise ZeroDivisionError('unforeseen')")).communicate(timeout=60)
    assert child.returncode == 1
    assert "closed, context alive: True" in out
    assert "ZeroDivisionError: unforeseen" in err


def test_a_mistake_of_the_user_is_one_sentence(tmp_path: Path):
    out, err = (child := start(tmp_path, "raise ConfigError('limit -1 must be positive')")).communicate(timeout=60)
    assert child.returncode == 2
    assert "closed" in out
    assert err.strip().splitlines()[-1] == "error: limit -1 must be positive"
    assert "Traceback" not in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_clean_end_over_a_living_context(tmp_path: Path, number: int):
    child = start(tmp_path, "return super().loop()")
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "looping"
    begin = time.monotonic()
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert "closed, context alive: True" in out
    assert time.monotonic() - begin < 10.0


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        (("config:=none.yaml",), "parameter 'config' of node 'probe' must name a run's config.yaml, got 'none.yaml'"),
        (
            ("executor:=fastest",),
            "parameter 'executor' of node 'probe' must be events or single_threaded, got 'fastest'",
        ),
    ],
)
def test_wrong_parameters_are_named(tmp_path: Path, parameters: tuple[str, ...], text: str):
    if not parameters[0].startswith("config"):
        parameters = (f"config:={tmp_path / 'config.yaml'}", *parameters)
    child = start(tmp_path, "return super().loop()", *parameters)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 2
    assert text in err


POLICIES = """import os
        print(*{os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task")})
        return 0"""


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="Linux alone has it")
@pytest.mark.parametrize(
    ("simulated", "real_time_factor", "policy"),
    [("true", 0.0, "SCHED_BATCH"), ("true", 1.0, "SCHED_OTHER"), ("false", 0.0, "SCHED_OTHER")],
)
def test_only_where_simulated_time_waits_for_it_does_a_node_take_its_turn(
    tmp_path: Path, simulated: str, real_time_factor: float, policy: str
):
    given = (f"config:={tmp_path / 'config.yaml'}", f"use_sim_time:={simulated}")
    out, err = start(tmp_path, POLICIES, *given, real_time_factor=real_time_factor).communicate(timeout=60)
    assert out.splitlines()[:2] == ["looping", str(getattr(os, policy))], err
