"""The system description for `ros2 launch`."""

from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration

from naf_robot.bringup.environment import local_environment
from naf_robot.bringup.launch_process import system_actions
from naf_robot.bringup.training import SystemOptions, option_fields, prepare
from naf_robot.core.files import ExclusiveLock

TYPES = {"true": True, "false": False}
HELD: list[ExclusiveLock] = []  # the run folder's lock, as long as this process lives


def training_launch_description() -> LaunchDescription:
    """Arguments from the fields of `SystemOptions`, then the same processes as `naf-robot train` starts."""
    arguments = [
        DeclareLaunchArgument(name, default_value=_text(default), description=text)
        for name, _, default, text in option_fields()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_start)])


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
    actions += system_actions(run.specs, run.run_dir)
    HELD.append(run.lock)
    return actions


def _parse(text: str, kind: type) -> object:
    return TYPES.get(text.lower(), False) if kind is bool else kind(text)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
