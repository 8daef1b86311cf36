"""The process runner with real processes of its own kind, small ones."""

import json
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from small_system import Bench, Script

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.options import SystemOptions, options
from naf_robot.bringup.runner import ProcessRunner, local_environment
from naf_robot.bringup.system import training_system
from naf_robot.bringup.training import prepare
from naf_robot.core.errors import ConfigError, LockedError, NafRobotError, RunFolderError, UnknownNameError


def runner(bench: Bench, *scripts: Script) -> ProcessRunner:
    return ProcessRunner(scripts, bench.folder / "log", bench.folder / "outcome", local_environment())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_in_order_with_code_0(bench: Bench, number: int):
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
    assert [(d["process"], d["reason"], d["restarted"]) for d in exits] == [
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
        specs = training_system(tmp_path / "config.yaml", ("left",), simulated, restarts=3)
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
    stubborn = "signal.signal(signal.SIGINT, signal.SIG_IGN); note('ready')"
    it = runner(bench, bench.script("arm", 3), bench.script("robot", 0, stubborn))
    thread = bench.when("robot ready", lambda: os.kill(os.getpid(), signal.SIGINT))
    begin = time.monotonic()
    assert it.run() == 1
    thread.join()
    assert time.monotonic() - begin < 10.0
    assert "robot did not end within" in capfd.readouterr().err


def test_the_system_stops_the_arm_last_and_velocity_control_before_it(tmp_path: Path):
    specs = training_system(tmp_path / "config.yaml", ("left", "right"))
    order = [spec.label for spec in sorted(specs, key=lambda s: s.stop_order)]
    assert order[-1] == "simulator"
    assert set(order[-3:-1]) == {"left/velocity_control", "right/velocity_control"}
    assert set(order[:2]) == {"left/collector", "right/collector"}
    assert [spec.label for spec in specs if spec.decides] == ["trainer"]
    real = training_system(tmp_path / "config.yaml", ("left",), simulated=False)
    assert "simulator" not in [spec.name for spec in real]
    assert all(spec.parameters.get("use_sim_time", False) is False for spec in real)


def test_command_line_of_a_node():
    spec = NodeSpec(
        "collector", "naf_robot.nodes.collector", "left", {"robot": "left", "use_sim_time": True}, {"a": "b"}
    )
    assert " ".join(spec.arguments()) == (
        "-m naf_robot.nodes.collector --ros-args -r __node:=collector -r __ns:=/left "
        "-p robot:=left -p use_sim_time:=true -r a:=b"
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
