"""The commands of an operator: `naf-robot status`, `enable`, `stop`, `clear-fault`, `pause`, `activate` and so on."""

import argparse
import importlib.util
import signal
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from pathlib import Path

from naf_robot.bringup.environment import check_environment, process_environment, run_environment
from naf_robot.bringup.runner import die_with_parent
from naf_robot.core import run_files
from naf_robot.core.errors import ConfigError, RunFolderError
from naf_robot.run.config import RunConfig, check_robot, load
from naf_robot.run.robot import parse_robots

COMMANDS = {
    "status": "print what robots, trainer and simulator do or wait for",
    "enable": "let real arms move; each start and each fault disables them",
    "disable": "let robots decelerate and hold still",
    "stop": "stop robots and latch a fault",
    "clear-fault": "clear latched faults whose causes are gone",
    "pause": "let robots finish their episode and begin no other, or the trainer stop learning",
    "deactivate": "bring arms to rest, and let other nodes command them",
    "activate": "let robots command their arms and collect again after deactivate",
    "resume": "let paused or released robots collect again, or the trainer learn",
}
TO_ALL = ("status", "disable", "stop", "pause")  # safe to say to every robot that is found
TO_TRAINER = ("pause", "resume")


def add_arguments(action: str, parser: argparse.ArgumentParser) -> None:
    """Declare the options of `action` on `parser`."""
    default = "all that are found" if action in TO_ALL else "those of the run"
    parser.add_argument("--robots", help=f"names of robots separated by commas, or how many [{default}]")
    parser.add_argument(
        "--run-dir", type=Path, metavar="DIR", help="the robots of this run folder, where it is on the network"
    )
    if action in TO_TRAINER:
        parser.add_argument("--trainer", action="store_true", help="the trainer, and robots only if they are named")
    if action == "status":
        parser.add_argument("--json", action="store_true", help="one JSON object with every value")
        parser.add_argument("--watch", action="store_true", help="print again every second, until Ctrl-C")


def run(action: str, arguments: argparse.Namespace) -> int:
    """Tell the robots; the exit code is 0 if all of them agreed, for `status` if there is no problem."""
    trainer = getattr(arguments, "trainer", False)
    robots = _robots(arguments, trainer)
    if not robots and not trainer and action not in TO_ALL:
        raise ConfigError(f"{action}: say which robots, --robots NAMES or --run-dir DIR")
    flags = [f"--{name}" for name in ("trainer", "json", "watch") if getattr(arguments, name, False)]
    command = [sys.executable, "-m", "naf_robot.nodes.operator_client", action, *flags, *robots]
    return run_in_front(command, operator_environment(arguments.run_dir))


def operator_environment(run_dir: Path | None) -> dict[str, str]:
    """The environment in which the robots of `run_dir` are found, or this process's own.

    Raises:
        ConfigError, UnknownNameError: ROS 2 is not there, or could not start.
    """
    check_environment()
    if importlib.util.find_spec("rclpy") is None:
        raise ConfigError("this command needs rclpy: source a ROS 2 installation, or pip install 'naf_robot[ros]'")
    return process_environment(simulated=False) if run_dir is None else run_environment(run_dir)


def run_in_front(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a process that has this one's terminal, until it ends; its exit code.

    Ctrl-C is for it alone. It ends with this process, and the terminal is left as it was, also if it is killed.
    """
    terminal = termios.tcgetattr(sys.stdin) if sys.stdin.isatty() else None
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        child = subprocess.Popen(command, env=dict(environment), preexec_fn=_of_terminal)
        code = child.wait()
    finally:
        signal.signal(signal.SIGINT, before)
        if terminal is not None:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, terminal)
    return code if code >= 0 else 128 - code


def _of_terminal() -> None:
    """In the child, before it executes."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    die_with_parent()


def config_of(run_dir: Path) -> RunConfig:
    """The configuration of a run folder.

    Raises:
        RunFolderError: it is none.
    """
    if not run_dir.is_dir():
        raise RunFolderError(f"there is no folder {str(run_dir)!r}")
    file = run_dir / run_files.CONFIG
    if not file.is_file():
        raise RunFolderError(f"{str(run_dir)!r} is not a run folder: it has no {run_files.CONFIG}")
    return load(file)


def _robots(arguments: argparse.Namespace, trainer: bool) -> tuple[str, ...]:
    """The robots that were named, else those of the run; none of them where only the trainer is meant."""
    config = None if arguments.run_dir is None else config_of(arguments.run_dir)
    if arguments.robots:
        named = parse_robots(arguments.robots)
        return named if config is None else tuple(check_robot(config, name) for name in named)
    return () if trainer or config is None else tuple(config.robots)
