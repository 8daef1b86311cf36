"""The ROS environment: private in simulation alone, whole without HOME, refused in one sentence where it is wrong."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from small_system import Bench

from naf_robot.bringup import cli
from naf_robot.bringup.environment import free_domain, process_environment, record_environment, run_environment
from naf_robot.core import run_files
from naf_robot.core.errors import ConfigError, RunFolderError, UnknownNameError
from naf_robot.core.ros_environment import check_ros_environment, complete_ros_environment
from naf_robot.run.config import resolve, save

ROS = ("ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE", "RMW_IMPLEMENTATION", "ROS_LOG_DIR", "ROS_HOME")
WRONG = [
    ({"ROS_DOMAIN_ID": "233"}, ConfigError, "ROS_DOMAIN_ID must be a whole number from 0 to 232, got '233'"),
    ({"ROS_DOMAIN_ID": "abc"}, ConfigError, "ROS_DOMAIN_ID must be a whole number"),
    ({"ROS_DOMAIN_ID": "-1"}, ConfigError, "ROS_DOMAIN_ID must be a whole number"),
    ({"ROS_AUTOMATIC_DISCOVERY_RANGE": "HOME"}, UnknownNameError, "unknown discovery range 'HOME'.*valid: LOCALHOST"),
    ({"ROS_LOG_DIR": "/dev/null/none"}, ConfigError, "ROS_LOG_DIR must name a folder for logs that can be written"),
]


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ROS:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_a_domain_of_its_own_is_for_simulation_alone(bare: pytest.MonkeyPatch):
    private = process_environment(simulated=True)
    assert private["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert private["ROS_DOMAIN_ID"]
    real = process_environment(simulated=False)
    assert not {"ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE"} & set(real)
    bare.setenv("ROS_DOMAIN_ID", "7")
    assert process_environment(simulated=True)["ROS_DOMAIN_ID"] == "7"
    assert process_environment(simulated=False)["ROS_DOMAIN_ID"] == "7"


@pytest.mark.parametrize("simulated", [True, False])
def test_the_command_line_starts_processes_in_that_environment(
    bare: pytest.MonkeyPatch, tmp_path: Path, simulated: bool, capsys: pytest.CaptureFixture
):
    bench = Bench(tmp_path)
    says = "note(' '.join(f'{n}={os.environ.get(n)}' for n in ('ROS_DOMAIN_ID', 'ROS_AUTOMATIC_DISCOVERY_RANGE')))"
    end = f"{says}\nopen({str(tmp_path / 'run' / 'outcome')!r}, 'w').close()"
    bare.setattr("naf_robot.bringup.training.training_system", lambda *_, **__: [bench.script("t", 0, end, 0, True)])
    words = ["train", "--run-dir", str(tmp_path / "run"), "--simulated", str(simulated).lower()]
    assert cli.main(words) == 0
    here = "ROS_DOMAIN_ID=None ROS_AUTOMATIC_DISCOVERY_RANGE=None"
    assert (f"t {here}" in bench.lines()) == (not simulated)
    assert ("ROS_DOMAIN_ID=0 ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET" in capsys.readouterr().out) == (not simulated)


@pytest.mark.parametrize(("variables", "error", "text"), WRONG)
def test_a_wrong_variable_is_one_sentence(bare: pytest.MonkeyPatch, variables: dict, error: type, text: str):
    for name, value in variables.items():
        bare.setenv(name, value)
    for simulated in (True, False):
        with pytest.raises(error, match=text):
            process_environment(simulated)


def test_an_unknown_middleware_is_named_with_those_that_are_installed(tmp_path: Path):
    for name in ("rmw_a_cpp", "rmw_b_c", "rmw_implementation", "rmw_a_shared_cpp", "rmw_dds_common"):
        (tmp_path / f"lib{name}.so").touch()
    environment = {"LD_LIBRARY_PATH": str(tmp_path), "RMW_IMPLEMENTATION": "rmw_zenoh"}
    with pytest.raises(UnknownNameError, match=r"'rmw_zenoh' in RMW_IMPLEMENTATION; valid: rmw_a_cpp, rmw_b_c$"):
        check_ros_environment(environment)
    check_ros_environment(environment | {"RMW_IMPLEMENTATION": "rmw_b_c"})
    check_ros_environment({"RMW_IMPLEMENTATION": "rmw_zenoh"})  # where they lie is not known: ROS itself will say


def test_without_a_home_logs_go_to_a_temporary_folder(tmp_path: Path):
    for environment in ({}, {"HOME": "/dev/null/none"}):
        complete_ros_environment(environment)
        assert os.access(Path(environment["ROS_LOG_DIR"]).parent, os.W_OK)
    kept = {"HOME": str(tmp_path)}
    complete_ros_environment(kept)
    assert kept == {"HOME": str(tmp_path)}


def test_a_wrong_variable_is_found_before_a_run_folder_is_made(bare: pytest.MonkeyPatch, tmp_path: Path, capsys):
    bare.setenv("ROS_DOMAIN_ID", "many")
    assert cli.main(["train", "--run-dir", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.startswith("error: ROS_DOMAIN_ID must be")
    assert not (tmp_path / "run").exists()


NODE = """
import sys
from naf_robot.nodes.executable import ExecutableNode, run
sys.exit(run(lambda: ExecutableNode("probe")))
"""


@pytest.mark.ros
@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"ROS_DOMAIN_ID": "many"}, "error: ROS_DOMAIN_ID must be"),
        ({"RMW_IMPLEMENTATION": "rmw_none_cpp"}, "rmw_none_cpp"),  # said by rcl itself, when it is loaded
        ({"HOME": None}, "error: parameter 'config' of node 'probe' must name"),  # so ROS has started
    ],
)
def test_a_node_by_itself_says_so_too(bare: pytest.MonkeyPatch, variables: dict, text: str):
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    environment = dict(os.environ) | {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", "ROS_DOMAIN_ID": "77"} | variables
    environment = {name: value for name, value in environment.items() if value is not None}
    run = subprocess.run(
        [sys.executable, "-c", NODE], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert run.returncode != 0
    assert text in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
    assert "Traceback" not in run.stderr


def test_where_a_run_is_on_the_network_is_kept_in_its_folder(bare: pytest.MonkeyPatch, tmp_path: Path):
    private = process_environment(simulated=True)
    record_environment(private, tmp_path)
    found = run_environment(tmp_path)
    assert {name: found[name] for name in ROS[:2]} == {name: private[name] for name in ROS[:2]}
    bare.setenv("ROS_DOMAIN_ID", "99")
    bare.setenv("ROS_STATIC_PEERS", "elsewhere")
    found = run_environment(tmp_path)
    assert found["ROS_DOMAIN_ID"] == private["ROS_DOMAIN_ID"]
    assert "ROS_STATIC_PEERS" not in found


@pytest.mark.parametrize("text", ["{", "[]", '{"PATH": "/tmp"}', '{"ROS_DOMAIN_ID": 7}', '{"ROS_DOMAIN_ID": "999"}'])
def test_a_file_that_says_something_else_is_one_sentence_and_changes_no_other_variable(
    bare: pytest.MonkeyPatch, tmp_path: Path, text: str
):
    (tmp_path / run_files.ROS_ENVIRONMENT).write_text(text)
    with pytest.raises((RunFolderError, ConfigError), match=r"network|ROS_DOMAIN_ID"):
        run_environment(tmp_path)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["status", "--run-dir", "nowhere"], "there is no folder 'nowhere'"),
        (["teleop", "--run-dir", "nowhere"], "there is no folder 'nowhere'"),
        (["enable"], "enable: say which robots, --robots NAMES or --run-dir DIR"),
        (["resume", "--robots", "0"], "robots must be a count from 1 to"),
        (["pause", "--run-dir", "{run}"], "is not a run folder: it has no config.yaml"),
        (["teleop", "--run-dir", "{fast}"], "say which robot, --robot NAME: there are robot_1, robot_2"),
        (["teleop", "--run-dir", "{fast}", "--robot", "left"], "unknown robot 'left'"),
        (["teleop", "--run-dir", "{fast}", "--robot", "robot_1"], "start it with --real-time-factor 1"),
        (["status", "--run-dir", "{fast}", "--robots", "left"], "unknown robot 'left'"),
    ],
)
def test_commands_of_an_operator_say_in_one_sentence_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture, words: list[str], text: str
):
    (tmp_path / "fast").mkdir()
    save(resolve("reach"), tmp_path / "fast" / "config.yaml")
    named = [word.format(run=tmp_path, fast=tmp_path / "fast") for word in words]
    assert cli.main(named) == 2
    said = capsys.readouterr().err.strip()
    assert text in said
    assert "\n" not in said


@pytest.mark.parametrize("port", [0, 10])
def test_a_domain_in_which_somebody_is_already_is_passed_over(port: int):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        domain = free_domain(os.getpid())
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as DDS does
        taken.bind(("", 7400 + 250 * domain + port))
        assert free_domain(domain - 1) != domain
    assert free_domain(domain - 1) == domain
    assert 1 <= domain <= 100
