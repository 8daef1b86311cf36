"""The system description for `ros2 launch`; the only module that imports `launch`."""

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
from launch.substitutions import LaunchConfiguration

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.runner import local_environment
from naf_robot.bringup.training import SystemOptions, option_fields, prepare

TYPES = {"true": True, "false": False}


def training_launch_description() -> LaunchDescription:
    """Arguments from the fields of `SystemOptions`, then the same processes as `naf-robot train` starts."""
    arguments = [
        DeclareLaunchArgument(name, default_value=_text(default), description=text)
        for name, _, default, text in option_fields()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_start)])


def launch_process(spec: NodeSpec) -> ExecuteProcess:
    """`spec` as a launch action with the very command line of the process runner."""
    return ExecuteProcess(cmd=spec.command(), name=spec.label.replace("/", "."), output="screen", sigterm_timeout="5")


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
    for spec in run.specs:
        process = launch_process(spec)
        reason = f"{spec.label} has ended" + (" the run" if spec.decides else "")
        stop = OnProcessExit(target_action=process, on_exit=[EmitEvent(event=Shutdown(reason=reason))])
        actions += [process, RegisterEventHandler(stop)]
    return actions


def _parse(text: str, kind: type) -> object:
    return TYPES.get(text.lower(), False) if kind is bool else kind(text)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
