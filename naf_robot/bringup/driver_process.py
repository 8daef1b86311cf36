"""Runs the check of a real arm's driver in processes of its own: the observer, and velocity control where it moves."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from naf_robot.bringup.environment import process_environment
from naf_robot.bringup.node_spec import NodeSpec, ParameterValue
from naf_robot.core import run_files
from naf_robot.run.config import RunConfig, save
from naf_robot.run.findings import Finding, problem
from naf_robot.run.stop_times import VELOCITY_CONTROL_S

LAST_CHARACTERS = 500  # of a process's messages that are shown where it failed


def observe_driver(config: RunConfig, robot: str, move: bool) -> list[Finding]:
    """What is found about the driver of `robot`, in the ROS environment of this process."""
    careful = msgspec.structs.replace(config.with_robots(robot), first_run=True)
    environment = process_environment(simulated=False)
    with tempfile.TemporaryDirectory(prefix="naf_robot_check_") as name, ExitStack() as stack:
        folder = Path(name)
        save(careful, folder / run_files.CONFIG)
        parameters: dict[str, ParameterValue] = {
            "config": str(folder / run_files.CONFIG),
            "robot": robot,
        }
        if move:
            control = NodeSpec("velocity_control", "naf_robot.nodes.velocity_control", robot, parameters)
            stack.enter_context(_process(control, environment, folder))
        check = NodeSpec("driver_check", "naf_robot.nodes.driver_check", robot, parameters | {"move": move})
        with _process(check, environment, folder) as process:
            code = process.wait()
        found = folder / run_files.FINDINGS
        if code != 0 or not found.is_file():
            log = (folder / "driver_check.log").read_text(encoding="utf-8", errors="replace")
            return [problem("driver", f"could not be observed: {' '.join(log.split())[-LAST_CHARACTERS:]}")]
        return [Finding(**each) for each in json.loads(found.read_bytes())]


@contextmanager
def _process(spec: NodeSpec, environment: dict[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process of `spec`, asked to end afterwards with the time that braking may take."""
    with (folder / f"{spec.name}.log").open("wb") as log:
        process = subprocess.Popen(spec.command(), env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(VELOCITY_CONTROL_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
