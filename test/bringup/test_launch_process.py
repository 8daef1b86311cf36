"""Processes under `ros2 launch`, small ones: restarts, their reasons, the order of ending. Needs `launch`."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("launch", reason="launch is in no package registry; it comes with a ROS installation")
if not hasattr(__import__("launch"), "LaunchDescription"):
    pytest.skip("launch is in no package registry; it comes with a ROS installation", allow_module_level=True)

from launch import LaunchDescription, LaunchService
from small_system import Bench, Script

from naf_robot.bringup import launch_process
from naf_robot.bringup.launch_process import system_actions


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("ROS_LOG_DIR", str(tmp_path / "log"))
    return Bench(tmp_path)


def launch(bench: Bench, *scripts: Script) -> None:
    service = LaunchService()
    service.include_launch_description(LaunchDescription(system_actions(list(scripts), bench.folder)))
    service.run()


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def interrupt_when(bench: Bench, count: int, word: str = "up") -> None:
    """SIGINT as soon as `count` scripts have noted `word`."""

    def wait() -> None:
        deadline = time.monotonic() + 20.0
        while sum(line.endswith(word) for line in bench.lines()) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        interrupt()

    bench.when("arm up", wait)


SLOW = "import atexit; atexit.register(time.sleep, 0.3)"  # the ones behind it must wait for its end, not for its word


def test_a_signal_ends_everything_in_order(bench: Bench):
    scripts = [bench.script("arm", 3), bench.script("control", 2, SLOW), bench.script("trainer", 1, SLOW, decides=True)]
    scripts += [bench.script("left", 0, SLOW), bench.script("right", 0)]
    interrupt_when(bench, 5)
    launch(bench, *scripts)
    downs = bench.downs()
    assert set(downs[:2]) == {"left", "right"}
    assert downs[2:] == ["trainer", "control", "arm"]


def test_a_dead_process_is_started_again_as_often_as_allowed_and_the_reasons_are_kept(bench: Bench):
    mortal = replace(bench.script("robot", 0, bench.once_up(3) + "os.kill(os.getpid(), 9)"), restarts=2)
    launch(bench, bench.script("arm", 3), bench.script("control", 2), mortal)
    assert bench.lines().count("robot up") == 3
    assert bench.downs() == ["control", "arm"], "the third death ends the system"
    deaths = [json.loads(line) for line in (bench.folder / "deaths.jsonl").read_text().splitlines()]
    assert [(d["process"], d["reason"], d["deaths"], d["restarted"]) for d in deaths] == [
        ("robot", "was killed by SIGKILL", 1, True),
        ("robot", "was killed by SIGKILL", 2, True),
        ("robot", "was killed by SIGKILL", 3, False),
    ]


def test_a_mistake_of_the_user_is_not_repeated(bench: Bench):
    launch(
        bench, bench.script("arm", 3), replace(bench.script("robot", 0, bench.once_up(2) + "sys.exit(2)"), restarts=5)
    )
    assert bench.lines().count("robot up") == 1
    assert bench.downs() == ["arm"]


def test_a_restarted_process_is_ended_like_the_first_and_in_its_turn(bench: Bench):
    once = f"import pathlib; p = pathlib.Path({str(bench.folder / 'once')!r}); first = not p.exists(); p.touch()"
    body = f"{once}\nif first: os.kill(os.getpid(), 9)\nnote('second')"
    control = replace(bench.script("control", 2, body), restarts=1)
    bench.when("control second", interrupt)
    launch(bench, bench.script("arm", 3), control, bench.script("robot", 0))
    assert bench.downs() == ["robot", "control", "arm"]


def test_what_is_about_to_be_started_again_is_not_when_the_system_ends(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launch_process, "RESPAWN_DELAY_S", 2.0)
    mortal = replace(bench.script("control", 2, "note('dies'); os.kill(os.getpid(), 9)"), restarts=5)
    bench.when("control dies", lambda: (time.sleep(0.5), interrupt()))
    launch(bench, bench.script("arm", 3), mortal, bench.script("robot", 0, SLOW))
    assert bench.lines().count("control up") == 1
    assert bench.downs() == ["robot", "arm"]


def test_a_decided_run_ends_the_rest_in_order(bench: Bench):
    body = bench.once_up(4) + f"open({str(bench.folder / 'outcome')!r}, 'w').close(); note('down'); sys.exit(3)"
    trainer = replace(bench.script("trainer", 1, body, decides=True), restarts=5)
    launch(bench, bench.script("arm", 3), bench.script("control", 2), trainer, bench.script("robot", 0))
    assert bench.downs() == ["trainer", "robot", "control", "arm"]
    assert bench.lines().count("trainer up") == 1
    assert not (bench.folder / "deaths.jsonl").exists()


def test_one_that_ignores_the_request_holds_up_the_others_until_it_is_killed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(launch_process, "ESCALATION_S", 1)
    deaf = "[signal.signal(n, signal.SIG_IGN) for n in (2, 15)]; note('ready')"
    bench.when("robot ready", interrupt)
    begin = time.monotonic()
    launch(bench, bench.script("arm", 3), bench.script("control", 2), bench.script("robot", 0, deaf))
    assert time.monotonic() - begin > 2.0
    assert bench.downs() == ["control", "arm"]


LAUNCHER = """
import sys
from pathlib import Path
sys.path.insert(0, {support!r})
from launch import LaunchDescription, LaunchService
from naf_robot.bringup.launch_process import system_actions
from small_system import Bench
bench = Bench(Path({folder!r}))
service = LaunchService()
service.include_launch_description(
    LaunchDescription(system_actions([bench.script("arm", 3), bench.script("robot", 0)], bench.folder))
)
service.run()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_goes_on_when_launch_itself_is_gone(bench: Bench, number: int):
    support = str(Path(__file__).resolve().parents[1] / "support")
    source = LAUNCHER.format(support=support, folder=str(bench.folder))
    with (bench.folder / "launch.log").open("wb") as log:
        child = subprocess.Popen([sys.executable, "-c", source], stdout=log, stderr=log)
    bench.when("arm up", lambda: bench.when("robot up", lambda: child.send_signal(number)))
    child.wait(30)
    deadline = time.monotonic() + 10.0
    while len(bench.downs()) < 2:
        assert time.monotonic() < deadline, bench.lines()
        time.sleep(0.05)
