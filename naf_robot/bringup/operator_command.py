"""The commands of an operator: `naf-robot status`, `enable`, `disable`, `stop` and `clear-fault`."""

import argparse
import subprocess
import sys
from pathlib import Path

from naf_robot.bringup.environment import check_environment, process_environment
from naf_robot.core import run_files
from naf_robot.core.errors import RunFolderError
from naf_robot.run.config import load
from naf_robot.run.robot import parse_robots

COMMANDS = {
    "status": "print what robots do or wait for",
    "enable": "let real arms move; each start and each fault disables them",
    "disable": "let robots decelerate and hold still",
    "stop": "stop robots and latch a fault",
    "clear-fault": "clear latched faults whose causes are gone",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--robots", help="names of robots separated by commas, or how many")
    which.add_argument("--run-dir", type=Path, metavar="DIR", help="all robots of this run folder")


def run(action: str, arguments: argparse.Namespace) -> int:
    """Tell the robots, in the ROS environment of this process; the exit code is 0 if all of them agreed."""
    robots = parse_robots(arguments.robots) if arguments.robots else _robots_of(arguments.run_dir)
    check_environment()
    command = [sys.executable, "-m", "naf_robot.nodes.operator_client", action, *robots]
    return subprocess.run(command, env=process_environment(simulated=False), check=False).returncode


def _robots_of(run_dir: Path) -> tuple[str, ...]:
    file = run_dir / run_files.CONFIG
    if not file.is_file():
        raise RunFolderError(f"{str(run_dir)!r} is not a run folder: it has no {run_files.CONFIG}")
    return tuple(load(file).robots)
