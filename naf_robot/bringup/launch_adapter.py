"""The system description for `ros2 launch`; the only module that imports `launch`."""

import time
from pathlib import Path
from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration

from naf_robot.bringup.deaths import Deaths, how
from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.runner import local_environment
from naf_robot.bringup.training import SystemOptions, option_fields, prepare
from naf_robot.core.files import ExclusiveLock

TYPES = {"true": True, "false": False}
RESPAWN_DELAY_S = 0.5
HELD: list[ExclusiveLock] = []  # the run folder's lock, as long as this process lives


def training_launch_description() -> LaunchDescription:
    """Arguments from the fields of `SystemOptions`, then the same processes as `naf-robot train` starts."""
    arguments = [
        DeclareLaunchArgument(name, default_value=_text(default), description=text)
        for name, _, default, text in option_fields()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_start)])


def launch_process(spec: NodeSpec) -> ExecuteProcess:
    """`spec` as a launch action with the very command line of the process runner, and its restarts."""
    return ExecuteProcess(
        cmd=spec.command(),
        name=spec.label.replace("/", "."),
        output="screen",
        sigterm_timeout="5",
        respawn=spec.restarts > 0,
        respawn_delay=RESPAWN_DELAY_S,
        respawn_max_retries=spec.restarts,
    )


class ExitHandler:
    """Decides, when a process has ended, whether the system ends with it; keeps the reasons of deaths."""

    def __init__(self, spec: NodeSpec, deaths: Deaths, outcome_file: Path) -> None:
        self._spec = spec
        self._deaths = deaths
        self._outcome_file = outcome_file
        self._born_s = time.monotonic()

    def __call__(self, event: ProcessExited, context: LaunchContext) -> list[EmitEvent]:
        """Called by launch."""
        if context.is_shutdown:
            return []
        if self._spec.decides and self._outcome_file.exists():
            return [EmitEvent(event=Shutdown(reason=f"{self._spec.label} has ended the run"))]
        lived_s, self._born_s = time.monotonic() - self._born_s, time.monotonic()
        if self._deaths.restart_after_s(self._spec, event.returncode, lived_s) is not None:
            return []
        return [EmitEvent(event=Shutdown(reason=f"{self._spec.label} {how(event.returncode)}"))]


def _start(context: LaunchContext) -> list:
    values: dict[str, Any] = {
        name: _parse(LaunchConfiguration(name).perform(context), kind) for name, kind, *_ in option_fields()
    }
    options = SystemOptions(**values)
    run = prepare(options)
    actions: list = []
    if options.simulated:
        environment = local_environment()
        kept = ("ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_DOMAIN_ID", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        actions += [SetEnvironmentVariable(name, environment[name]) for name in kept]
    deaths = Deaths(run.run_dir / "deaths.jsonl")
    for spec in run.specs:
        process = launch_process(spec)
        stop = OnProcessExit(target_action=process, on_exit=ExitHandler(spec, deaths, run.run_dir / "outcome"))
        actions += [process, RegisterEventHandler(stop)]
    HELD.append(run.lock)
    return actions


def _parse(text: str, kind: type) -> object:
    return TYPES.get(text.lower(), False) if kind is bool else kind(text)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
