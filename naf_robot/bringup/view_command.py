"""The command `naf-robot view`: a page in the browser that shows a running graph, or replays a stored run."""

import argparse
import fcntl
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

from naf_robot.bringup.environment import process_environment
from naf_robot.bringup.operator_command import operator_environment
from naf_robot.core import run_files
from naf_robot.core.arguments import whole
from naf_robot.core.errors import ConfigError, RunFolderError
from naf_robot.core.resources import expanded

LOOPBACK = ("127.0.0.1", "localhost", "::1")
FIND_S = 10.0  # for a run to be found on the graph
NEEDED = ("viser", "trimesh", "collada")
MAX_PORT = 65535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`."""
    parser.add_argument(
        "--run-dir",
        type=Path,
        metavar="DIR",
        help="run folder: shown as it runs, or replayed once it has ended "
        "[the run that is found in your ROS environment]",
    )
    parser.add_argument("--stored", action="store_true", help="replay the stored steps of a run that goes on, too")
    parser.add_argument("--port", type=whole(1, MAX_PORT), help="port of the page [the first free one from 8080 on]")
    parser.add_argument(
        "--host",
        default=LOOPBACK[0],
        help="address that the page is served on; others than this machine's own "
        f"let everybody who reaches it look, without a password [{LOOPBACK[0]}]",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Become the process that serves the page; returns only where that cannot begin."""
    for package in NEEDED:
        if importlib.util.find_spec(package) is None:
            raise ConfigError(f"the view needs the package {package!r}: pip install 'naf_robot[view]'")
    if arguments.run_dir is None and arguments.stored:
        raise ConfigError("--stored replays a run folder: name it with --run-dir")
    if arguments.run_dir is None:
        environment = operator_environment(None)
        run_dir, live = _found_run(environment), True
    else:
        run_dir = _run_folder(arguments.run_dir)
        live = is_running(run_dir) and not arguments.stored
        environment = operator_environment(run_dir) if live else process_environment(simulated=False)
    if arguments.host not in LOOPBACK:
        print(
            f"warning: the page is served on {arguments.host}: everybody who reaches this machine can look at the "
            "robots, without a password",
            file=sys.stderr,
            flush=True,
        )
    port = [] if arguments.port is None else [str(arguments.port)]
    if live:
        command = ["naf_robot.nodes.view", "--ros-args", "-p", f"config:={run_dir / run_files.CONFIG}"]
        command += ["-p", f"host:='{arguments.host}'", *(("-p", f"port:={port[0]}") if port else ())]
    else:
        command = ["naf_robot.view.replay", str(run_dir), arguments.host, *port]
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", *command], environment)


def is_running(run_dir: Path) -> bool:
    """Whether a system runs in the folder: it holds the folder's lock."""
    try:
        with (run_dir / run_files.LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _run_folder(given: Path) -> Path:
    run_dir = expanded(given).resolve()
    if not run_dir.is_dir():
        raise RunFolderError(f"there is no folder {str(given)!r}")
    if not (run_dir / run_files.CONFIG).is_file():
        raise RunFolderError(f"{str(given)!r} is not a run folder: it has no {run_files.CONFIG}")
    return run_dir


def _found_run(environment: dict[str, str]) -> Path:
    """The folder of the run that is on the graph.

    Raises:
        ConfigError: there is none, there are several, or it is on another machine.
    """
    command = [sys.executable, "-m", "naf_robot.nodes.run_finder", str(FIND_S)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ConfigError((done.stderr.strip().splitlines() or ["the graph cannot be asked"])[-1])
    found = [Path(path).parent for path in json.loads(done.stdout)]
    domain = environment.get("ROS_DOMAIN_ID") or "0"
    if not found:
        raise ConfigError(
            f"no run is found in this ROS environment (ROS_DOMAIN_ID={domain}); name its folder with --run-dir, or "
            "set ROS_DOMAIN_ID to the one that `naf-robot train` printed"
        )
    here = [run_dir for run_dir in found if (run_dir / run_files.CONFIG).is_file()]
    if not here:
        raise ConfigError(
            f"the run of this ROS environment keeps its folder {str(found[0])!r} on another machine; copy that "
            f"folder's {run_files.CONFIG} here and name its new folder with --run-dir"
        )
    if len(here) > 1:
        raise ConfigError(
            f"several runs share this ROS environment: {', '.join(map(str, here))}; choose one with --run-dir"
        )
    return here[0]
