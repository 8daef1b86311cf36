"""The process runner with real processes of its own kind, small ones."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from small_system import Bench, Script

from naf_robot.bringup import stopping
from naf_robot.bringup.environment import local_environment
from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.options import SystemOptions, options
from naf_robot.bringup.process_exits import ProcessExits, exit_reason
from naf_robot.bringup.runner import ProcessRunner, StopSignals
from naf_robot.bringup.system import RobotNodes, training_system
from naf_robot.bringup.training import prepare
from naf_robot.core.errors import ConfigError, LockedError, NafRobotError, RunFolderError, UnknownNameError
from naf_robot.run import stop_times


def runner(bench: Bench, *scripts: Script) -> ProcessRunner:
    return ProcessRunner(scripts, bench.folder / "log", bench.folder / "outcome", local_environment())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_in_order_with_code_0(bench: Bench, number: int):
    if number == signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("the tests run under nohup, and so would the runner")
    it = runner(bench, bench.script("arm", 3), bench.script("trainer", 1, decides=True), bench.script("robot", 0))

    def signal_when_all_are_up() -> None:
        while sum(line.endswith("up") for line in bench.lines()) < 3:
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    thread = bench.when("arm up", signal_when_all_are_up)
    assert it.run() == 0
    thread.join()
    assert [line for line in bench.lines() if line.endswith("down")] == ["robot down", "trainer down", "arm down"]


def test_a_decided_run_ends_with_the_deciding_code(bench: Bench):
    write = f"open({str(bench.folder / 'outcome')!r}, 'w').close()"
    it = runner(
        bench, bench.script("arm", 3), bench.script("trainer", 1, write, code=3, decides=True), bench.script("robot", 0)
    )
    assert it.run() == 3
    downs = [line for line in bench.lines() if line.endswith("down")]
    assert downs[-1] in ("arm down", "trainer down")


def test_a_deciding_process_that_its_stop_signal_ends_has_decided_all_the_same(bench: Bench):
    body = f"signal.signal(signal.SIGTERM, signal.SIG_DFL); open({str(bench.folder / 'outcome')!r}, 'w').write('3\\n')"
    assert runner(bench, bench.script("trainer", 1, body, decides=True)).run() == 3


def test_an_unexpected_death_is_named_with_its_reason_and_last_words(bench: Bench, capfd: pytest.CaptureFixture):
    body = "print('the motor is on fire', flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    it = runner(bench, bench.script("arm", 3), bench.script("robot", 0, body))
    assert it.run() == 1
    said = capfd.readouterr().err
    assert "error: process 'robot' was killed by SIGKILL; the run ends" in said
    assert "the motor is on fire" in said


def test_a_dead_process_is_started_again_as_often_as_allowed_and_the_reasons_are_kept(bench: Bench):
    body = "if True: os.kill(os.getpid(), signal.SIGKILL)"
    mortal = replace(bench.script("robot", 0, body), restarts=2)
    assert runner(bench, bench.script("arm", 3), mortal).run() == 1
    assert bench.lines().count("robot up") == 3
    exits = [json.loads(line) for line in (bench.folder / "process_exits.jsonl").read_text().splitlines()]
    assert [(d["process"], d["exit_reason"], d["restarted"]) for d in exits] == [
        ("robot", "was killed by SIGKILL", True),
        ("robot", "was killed by SIGKILL", True),
        ("robot", "was killed by SIGKILL", False),
    ]


def test_a_mistake_of_the_user_is_not_repeated(bench: Bench):
    wrong = replace(bench.script("robot", 0, "sys.exit(2)"), restarts=5)
    assert runner(bench, bench.script("arm", 3), wrong).run() == 1
    assert bench.lines().count("robot up") == 1


def test_a_restarted_process_is_stopped_like_the_first(bench: Bench):
    once = f"import pathlib; p = pathlib.Path({str(bench.folder / 'once')!r}); first = not p.exists(); p.touch()"
    mortal = replace(bench.script("robot", 0, f"{once}\nif first: os.kill(os.getpid(), 9)\nnote('second')"), restarts=1)
    it = runner(bench, bench.script("arm", 3), mortal)
    thread = bench.when("robot second", lambda: os.kill(os.getpid(), signal.SIGINT))
    assert it.run() == 0
    thread.join()
    assert bench.lines().count("robot down") == 1


def test_restarts_of_the_system_spare_the_velocity_controller_of_a_real_arm(tmp_path: Path):
    for simulated, expected in ((True, 3), (False, 0)):
        specs = training_system(tmp_path / "config.yaml", RobotNodes(("left",), simulated, restarts=3))
        restarts = {spec.name: spec.restarts for spec in specs}
        assert restarts["trainer"] == restarts["collector"] == 3
        assert restarts["velocity_control"] == expected


def test_resume_takes_up_the_folder_and_refuses_what_may_not_change(tmp_path: Path):
    run_dir = tmp_path / "run"
    first = prepare(SystemOptions(run_dir=str(run_dir), seed=5, settings="algorithm.batch_size=32"))
    with pytest.raises(LockedError, match="in use by process"):
        prepare(SystemOptions(resume=str(run_dir)))
    first.lock.release()
    (run_dir / "outcome").write_text("3\n")
    again = prepare(SystemOptions(resume=str(run_dir), max_episodes=900))
    again.lock.release()
    assert (again.config.seed, again.config.max_episodes, again.config.algorithm["batch_size"]) == (5, 900, 32)
    assert not (run_dir / "outcome").exists()
    with pytest.raises(RunFolderError, match="no config"):
        prepare(SystemOptions(resume=str(tmp_path)))


def test_one_that_ignores_the_request_is_killed(bench: Bench, capfd: pytest.CaptureFixture):
    stubborn = "signal.signal(signal.SIGTERM, signal.SIG_IGN); note('ready')"
    it = runner(bench, bench.script("arm", 3), bench.script("robot", 0, stubborn))
    thread = bench.when("robot ready", lambda: os.kill(os.getpid(), signal.SIGINT))
    begin = time.monotonic()
    assert it.run() == 1
    thread.join()
    assert time.monotonic() - begin < 10.0
    assert "robot did not end within" in capfd.readouterr().err


def test_the_system_stops_the_arm_last_and_velocity_control_before_it(tmp_path: Path):
    specs = training_system(tmp_path / "config.yaml", RobotNodes(("left", "right")))
    order = [spec.label for spec in sorted(specs, key=lambda s: s.stop_order)]
    assert order[-1] == "simulator"
    assert set(order[-3:-1]) == {"left/velocity_control", "right/velocity_control"}
    assert set(order[:2]) == {"left/collector", "right/collector"}
    assert [spec.label for spec in specs if spec.decides] == ["trainer"]
    real = training_system(tmp_path / "config.yaml", RobotNodes(("left",), simulated=False))
    assert "simulator" not in [spec.name for spec in real]
    assert all(spec.parameters.get("use_sim_time", False) is False for spec in real)


def test_command_line_of_a_node():
    spec = NodeSpec(
        "collector", "naf_robot.nodes.collector", "left", {"robot": "left", "use_sim_time": True}, {"a": "b"}
    )
    assert " ".join(spec.arguments()) == (
        "-m naf_robot.nodes.collector --ros-args -r __node:=collector -r __ns:=/left "
        '-p robot:="left" -p use_sim_time:=true -r a:=b'
    )


def test_prepare_writes_a_resolved_configuration(tmp_path: Path):
    run = prepare(SystemOptions(run_dir=str(tmp_path / "run"), robots="left,right", settings="algorithm.batch_size=32"))
    text = (tmp_path / "run" / "config.yaml").read_text()
    assert "batch_size: 32" in text
    assert "learning_rate" in text
    assert tuple(run.config.robots) == ("left", "right")


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"task": "fly"}, UnknownNameError, r"unknown task 'fly'; valid: .*reach"),
        ({"algorithm": "ppo"}, UnknownNameError, r"unknown algorithm 'ppo'; valid: .*naf"),
        ({"robots": "Left Arm"}, ConfigError, r"robot name 'Left Arm' must be lower-case"),
        ({"robots": "0"}, ConfigError, "robots must be a count"),
        ({"robots": "a__b"}, ConfigError, "robot name 'a__b'"),
        ({"settings": "robots=[a__b]"}, ConfigError, "robot name 'a__b'"),
        ({"robots": "a,a"}, ConfigError, "robots must have different names"),
        ({"settings": "collector.nois=1"}, UnknownNameError, r"'nois' in collector; valid: .*exploration"),
        ({"settings": "trainer.threads=many"}, ConfigError, r"Expected `int`.*trainer\.threads"),
        ({"settings": "algorithm.batch=1"}, UnknownNameError, r"'batch' in algorithm; valid: .*batch_size"),
        ({"settings": "task.size=1"}, UnknownNameError, r"'size' in task; valid: .*target_size"),
        ({"settings": "arm.tool_frame=claw"}, UnknownNameError, r"unknown tool frame 'claw'.*valid: .*tool"),
        ({"settings": "arm.joints=[a,b] arm.home=[0,0]"}, UnknownNameError, r"unknown joint 'a'.*joint_1"),
        ({"settings": "simulator.physics_step_s=0.003"}, ConfigError, r"0\.003 s must divide the control period"),
        ({"settings": "arm.urdf=none.urdf"}, NafRobotError, r"'none\.urdf' not found"),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_nothing_behind(tmp_path: Path, options: dict, error: type, text: str):
    run_dir = tmp_path / "run"
    with pytest.raises(error, match=text) as caught:
        prepare(SystemOptions(run_dir=str(run_dir), **options))
    assert "\n" not in str(caught.value)
    assert not run_dir.exists()


def test_a_run_folder_that_exists_is_left_alone(tmp_path: Path):
    (tmp_path / "keep").write_text("mine")
    with pytest.raises(RunFolderError, match="exists already"):
        prepare(SystemOptions(run_dir=str(tmp_path)))
    assert [p.name for p in tmp_path.iterdir()] == ["keep"]


def test_every_option_has_help_and_says_its_default():
    assert all(each.help and each.default for each in options())


def test_the_reserves_of_the_system_cover_the_bounds_of_its_nodes(tmp_path: Path):
    specs = {
        spec.name: spec
        for spec in training_system(
            tmp_path / "config.yaml", RobotNodes(("left",), sensor_nodes=("door_sensor",), record=True)
        )
    }
    closing_s = stop_times.BRAKING_S + stop_times.COMMAND_ACKNOWLEDGED_S
    assert specs["velocity_control"].stop_within_s >= closing_s + stop_times.PROCESS_END_S
    assert specs["collector"].stop_within_s > stop_times.COLLECTOR_FLUSH_S
    assert specs["trainer"].stop_within_s > stop_times.TRAINER_DRAIN_S
    assert specs["recorder"].stop_within_s > stop_times.RECORDER_DRAIN_S
    stages = {spec.stop_order: spec.stop_within_s for spec in specs.values()}
    for spec in specs.values():
        stages[spec.stop_order] = max(stages[spec.stop_order], spec.stop_within_s)
    assert sum(stages.values()) == pytest.approx(stop_times.TOTAL_S)
    assert stop_times.TOTAL_S < 10.0, "what container and service managers give before they kill"


def test_one_that_brakes_as_long_as_it_may_is_not_killed_because_others_were_slow(bench: Bench, capfd):
    deaf = replace(bench.script("robot", 0, "signal.signal(signal.SIGTERM, signal.SIG_IGN)"), stop_within_s=0.3)
    brakes = "import atexit; atexit.register(lambda: (time.sleep(1.0), note('braked')))"
    control = replace(bench.script("control", 2, brakes), stop_within_s=1.5)
    arm = replace(bench.script("arm", 3), stop_within_s=0.3)
    it = runner(bench, arm, control, deaf)

    def interrupt() -> None:
        while bench.count("ready") < 3:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = bench.when("robot ready", interrupt)
    assert it.run() == 1
    thread.join()
    assert [line for line in bench.lines() if line.endswith("braked")] == ["control braked"]
    assert bench.downs() == ["control", "arm"]
    assert "control did not end" not in capfd.readouterr().err


LAST_WORD = """import atexit
def finish():
    end = time.process_time() + 0.15
    while time.process_time() < end: pass
    note('zero sent')
atexit.register(finish)"""
LOAD = "import os, time; os.sched_setaffinity(0, [{core}]); print('on', flush=True)\nwhile True: pass"


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="the kernel keeps no account of processors")
def test_on_a_busy_machine_one_that_gets_no_processor_is_not_killed_before_its_last_word(bench: Bench):
    core = min(os.sched_getaffinity(0))
    crowded = f"os.sched_setaffinity(0, [{core}])\n{LAST_WORD}"
    it = runner(bench, replace(bench.script("control", 2, crowded), stop_within_s=0.25))
    command, loads = [sys.executable, "-c", LOAD.format(core=core)], []

    def interrupt() -> None:
        for _ in range(6):  # each in a session of its own, for the kernel shares processors between sessions
            loads.append(subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True))
        for load in loads:
            load.stdout.readline()
        os.kill(os.getpid(), signal.SIGINT)

    thread = bench.when("control ready", interrupt)
    code = it.run()
    thread.join()
    for load in loads:
        load.kill()
        load.communicate()
    assert bench.lines()[-1] == "control zero sent"
    assert code == 0


@pytest.mark.parametrize(
    ("main", "other", "held_up"), [("R", "S", True), ("S", "S", False), ("S", "D", True), ("S", "R", True)]
)
def test_who_waits_for_a_processor_or_the_disk_is_held_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, main: str, other: str, held_up: bool
):
    for place, state in (("7/task/7", main), ("7/task/8", other)):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / "stat").write_text(f"7 (a (name) R) {state} 1 2 3")
    monkeypatch.setattr(stopping, "PROC", tmp_path)
    assert stopping.is_held_up(7) == held_up
    assert not stopping.is_held_up(9), "it has ended"


def test_a_signal_before_anything_was_started_starts_nothing(bench: Bench):
    signals = StopSignals()
    signals.asked = True
    log, outcome = bench.folder / "log", bench.folder / "outcome"
    assert ProcessRunner([bench.script("arm", 3)], log, outcome, local_environment(), signals=signals).run() == 0
    assert bench.lines() == []


def test_a_process_that_is_not_required_ends_nothing(bench: Bench):
    viewer = replace(bench.script("viewer", 0, "sys.exit(1)"), required=False)
    write = bench.once_up(2) + f"time.sleep(0.3); open({str(bench.folder / 'outcome')!r}, 'w').close()"
    assert runner(bench, viewer, bench.script("trainer", 1, write, decides=True)).run() == 0
    exits = [json.loads(line) for line in (bench.folder / "process_exits.jsonl").read_text().splitlines()]
    assert [(entry["process"], entry["restarted"]) for entry in exits] == [("viewer", False)]


@pytest.mark.parametrize(("code", "ending"), [(0, 0), (3, 1)])
def test_a_process_whose_work_is_done_once_ends_the_run_only_if_it_fails(bench: Bench, code: int, ending: int):
    helper = replace(bench.script("helper", 0, f"sys.exit({code})"), once=True, restarts=0)
    write = bench.once_up(2) + f"time.sleep(0.3); open({str(bench.folder / 'outcome')!r}, 'w').close()"
    assert runner(bench, helper, bench.script("trainer", 1, write, decides=True)).run() == ending
    assert (bench.folder / "process_exits.jsonl").exists() == (code != 0)


def test_logs_that_cannot_be_written_keep_nobody_from_work(bench: Bench, capfd: pytest.CaptureFixture):
    (bench.folder / "log").write_text("a file where the folder should be")
    write = f"open({str(bench.folder / 'outcome')!r}, 'w').close()"
    assert runner(bench, bench.script("robot", 0), bench.script("trainer", 1, write, decides=True)).run() == 0
    assert "robot up" in bench.lines()
    assert "no log of 'robot'" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("code", "words"),
    [(2, "ended with exit code 2"), (-9, "was killed by SIGKILL"), (-40, "was killed by signal 40")],
)
def test_every_exit_code_has_words(code: int, words: str):
    assert exit_reason(code) == words


def test_an_exit_is_one_record_in_the_words_of_the_field(tmp_path: Path):
    exits = ProcessExits(tmp_path / "process_exits.jsonl")
    assert exits.restart_after_s(NodeSpec("robot", "robot", restarts=1), -9, 1.234) == pytest.approx(0.2)
    (record,) = (json.loads(line) for line in (tmp_path / "process_exits.jsonl").read_text().splitlines())
    assert record.pop("time")
    assert record == {
        "process": "robot", "exit_reason": "was killed by SIGKILL", "uptime_s": 1.23, "exits": 1, "restarted": True,
    }  # fmt: skip
