"""Processes under `ros2 launch`, small ones: restarts, their reasons, the order of ending. Needs `launch`."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("launch", reason="launch is in no package registry; it comes with a ROS installation")
if not hasattr(__import__("launch"), "LaunchDescription"):
    pytest.skip("launch is in no package registry; it comes with a ROS installation", allow_module_level=True)

from small_system import Bench, Script

from naf_robot.bringup.environment import local_environment
from naf_robot.bringup.node_spec import NodeSpec

LAUNCHER = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, {support!r})
from launch import LaunchDescription, LaunchService
from naf_robot.bringup import launch_process
from small_system import Script
for name, value in json.loads(sys.argv[2]).items():
    setattr(launch_process, name, value)
scripts = [Script(**fields) for fields in json.loads(sys.argv[3])]
service = LaunchService(noninteractive=json.loads(sys.argv[4]))
actions = launch_process.system_actions(scripts, Path(sys.argv[1]), os.environ)
service.include_launch_description(LaunchDescription(actions))
service.run()
"""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def launch(
    bench: Bench,
    *scripts: Script,
    until: Callable[[], bool] = bool,
    number: int = signal.SIGINT,
    noninteractive: bool = False,
    **constants: float,
) -> None:
    """Run `scripts` to their end under launch, in a process of its own; once `until` holds, it is sent `number`."""
    source = LAUNCHER.format(support=str(Path(__file__).resolve().parents[1] / "support"))
    arguments = [str(bench.folder), json.dumps(constants), json.dumps([vars(script) for script in scripts])]
    arguments.append(json.dumps(noninteractive))
    environment = local_environment() | {"ROS_LOG_DIR": str(bench.folder / "log")}
    with (bench.folder / "launch.log").open("wb") as log:
        child = subprocess.Popen([sys.executable, "-c", source, *arguments], stdout=log, stderr=log, env=environment)
    sent, deadline = False, time.monotonic() + 60.0
    try:
        while child.poll() is None:
            assert time.monotonic() < deadline, (bench.folder / "launch.log").read_text()[-3000:]
            if not sent and until():
                child.send_signal(number)
                sent = True
            time.sleep(0.01)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


SLOW = "import atexit; atexit.register(time.sleep, 0.3)"  # the ones behind it must wait for its end, not for its word


@pytest.mark.parametrize("noninteractive", [False, True])  # with True launch itself sends SIGINT to all at once
def test_a_signal_ends_everything_in_order(bench: Bench, noninteractive: bool):
    scripts = [bench.script("arm", 3), bench.script("control", 2, SLOW), bench.script("trainer", 1, SLOW, decides=True)]
    scripts += [bench.script("left", 0, SLOW), bench.script("right", 0)]
    launch(bench, *scripts, until=lambda: bench.count("ready") == 5, noninteractive=noninteractive)
    downs = bench.downs()
    assert set(downs[:2]) == {"left", "right"}
    assert downs[2:] == ["trainer", "control", "arm"]


def test_a_dead_process_is_started_again_as_often_as_allowed_and_the_reasons_are_kept(bench: Bench):
    mortal = replace(bench.script("robot", 0, bench.once_up(3) + "os.kill(os.getpid(), 9)"), restarts=2)
    launch(bench, bench.script("arm", 3), bench.script("control", 2), mortal)
    assert bench.lines().count("robot up") == 3
    assert bench.downs() == ["control", "arm"], "the third death ends the system"
    exits = [json.loads(line) for line in (bench.folder / "process_exits.jsonl").read_text().splitlines()]
    assert [(d["process"], d["exit_reason"], d["exits"], d["restarted"]) for d in exits] == [
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
    body = f"{once}\nif first: os.kill(os.getpid(), 9)"
    control = replace(bench.script("control", 2, body), restarts=1)
    scripts = (bench.script("arm", 3), control, bench.script("robot", 0))
    launch(bench, *scripts, until=lambda: bench.count("ready") == 3)
    assert bench.downs() == ["robot", "control", "arm"]


def test_what_is_about_to_be_started_again_is_not_when_the_system_ends(bench: Bench):
    body = bench.once_up(3) + "note('dies'); os.kill(os.getpid(), 9)"
    mortal = replace(bench.script("control", 2, body), restarts=20)
    scripts = (bench.script("arm", 3), mortal, bench.script("robot", 0, SLOW))
    exits = bench.folder / "process_exits.jsonl"
    begin = time.monotonic()
    launch(bench, *scripts, until=lambda: exits.exists() and exits.read_text().count("\n") == 4)  # 1.6 s to the next
    assert time.monotonic() - begin < 15.0
    assert bench.lines().count("control up") == 4
    assert bench.downs() == ["robot", "arm"]


def test_a_decided_run_ends_the_rest_in_order(bench: Bench):
    body = bench.once_up(4) + f"open({str(bench.folder / 'outcome')!r}, 'w').close(); note('down'); sys.exit(3)"
    trainer = replace(bench.script("trainer", 1, body, decides=True), restarts=5)
    launch(bench, bench.script("arm", 3), bench.script("control", 2), trainer, bench.script("robot", 0))
    assert bench.downs() == ["trainer", "robot", "control", "arm"]
    assert bench.lines().count("trainer up") == 1
    assert not (bench.folder / "process_exits.jsonl").exists()


def test_one_that_ignores_the_request_holds_up_the_others_until_it_is_killed(bench: Bench):
    deaf = bench.script("robot", 0, "[signal.signal(n, signal.SIG_IGN) for n in (2, 15)]")
    begin = time.monotonic()
    scripts = (bench.script("arm", 3), bench.script("control", 2), deaf)
    launch(bench, *scripts, until=lambda: bench.count("ready") == 3, KILL_FACTOR=1.5)
    assert time.monotonic() - begin > 1.5
    assert bench.downs() == ["control", "arm"]


BUSY = "import os\nos.sched_setaffinity(0, {{{cpu}}})\nwhile os.getppid() == {parent}: pass"
WORK = """import atexit
os.sched_setaffinity(0, {{{cpu}}})
def work():
    end_s = time.process_time() + 0.15
    while time.process_time() < end_s: pass
    note("done")
atexit.register(work)
"""


@pytest.mark.parametrize(("counted_s", "killed"), [(20.0, False), (0.0, True)])
def test_time_without_a_processor_does_not_count(bench: Bench, counted_s: float, killed: bool):
    cpu = min(os.sched_getaffinity(0))
    others = [
        subprocess.Popen([sys.executable, "-c", BUSY.format(cpu=cpu, parent=os.getpid())]) for _ in range(4)
    ]  # each gets a fifth of that processor
    try:
        scripts = (bench.script("arm", 3), bench.script("robot", 0, WORK.format(cpu=cpu)))
        ready = lambda: bench.count("ready") == 2  # noqa: E731
        launch(bench, *scripts, until=ready, KILL_FACTOR=0.2, STARVED_S=counted_s)
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert ("robot done" in bench.lines()) != killed


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_goes_on_when_launch_itself_is_gone(bench: Bench, number: int):
    scripts = (bench.script("arm", 3), bench.script("robot", 0))
    launch(bench, *scripts, until=lambda: bench.count("ready") == 2, number=number)
    deadline = time.monotonic() + 10.0
    while len(bench.downs()) < 2:
        assert time.monotonic() < deadline, bench.lines()
        time.sleep(0.05)


def test_restarts_wait_as_long_as_under_the_runner(bench: Bench):
    body = "with open({path!r}, 'a') as f: f.write(f'{{time.monotonic()}}\\n')\nos.kill(os.getpid(), 9)"
    starts = bench.folder / "starts"
    mortal = replace(bench.script("robot", 0, body.format(path=str(starts))), restarts=3)
    launch(bench, bench.script("arm", 3), mortal)
    times = [float(line) for line in starts.read_text().splitlines()]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    delays = [0.2, 0.4, 0.8]
    assert len(gaps) == len(delays)
    assert all(gap >= delay for gap, delay in zip(gaps, delays, strict=True)), gaps
    assert gaps == sorted(gaps)


def test_ctrl_c_while_processes_are_started_leaves_no_traceback(bench: Bench):
    scripts = [bench.script(name, order) for name, order in (("arm", 3), ("control", 2), ("robot", 0))]
    log = bench.folder / "launch.log"
    launch(bench, *scripts, until=lambda: "process started with pid" in log.read_text())
    assert "Traceback" not in log.read_text()
    assert sorted(bench.downs()) == sorted(line.removesuffix(" up") for line in bench.lines() if line.endswith("up"))


def test_a_foreign_node_is_started_and_a_process_that_is_not_required_ends_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    path = bench.folder / "prefix" / "lib" / "other" / "talker"
    path.parent.mkdir(parents=True)
    source = f"import sys\nopen({str(bench.folder / 'said')!r}, 'w').write(' '.join(sys.argv[1:]))"
    path.write_text(f"#!{sys.executable}\n{source}")
    path.chmod(0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(bench.folder / "prefix"))
    talker = NodeSpec("talker", package="other", executable="talker", required=False, parameters={"name": "no"})
    command = talker.command()
    script = replace(
        bench.script("talker", 0), source=f"import os; os.execv({command[0]!r}, {command!r})", required=False
    )
    exits = bench.folder / "process_exits.jsonl"
    launch(bench, bench.script("arm", 3), script, until=lambda: exits.exists() and bench.count("ready") == 1)
    assert (bench.folder / "said").read_text() == '--ros-args -r __node:=talker -p name:="no"'
    assert bench.downs() == ["arm"]
