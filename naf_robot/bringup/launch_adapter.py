"""The system description for `ros2 launch`."""

from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration

from naf_robot.bringup.environment import check_environment, process_environment
from naf_robot.bringup.launch_process import system_actions
from naf_robot.bringup.node_spec import check_executables
from naf_robot.bringup.training import SystemOptions, option_fields, prepare
from naf_robot.core.errors import ConfigError
from naf_robot.core.files import ExclusiveLock

BOOLEANS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
KINDS = {int: "a whole number", float: "a number"}
VARIABLES = (  # that may differ from what launch itself has
    "ROS_AUTOMATIC_DISCOVERY_RANGE",
    "ROS_DOMAIN_ID",
    "ROS_LOG_DIR",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
)
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
        name: parse_argument(name, LaunchConfiguration(name).perform(context), kind)
        for name, kind, *_ in option_fields()
    }
    options = SystemOptions(**values)
    check_environment()
    run = prepare(options)
    check_executables(run.specs, "train")
    environment = process_environment(options.simulated)
    HELD.append(run.lock)
    actions: list = [SetEnvironmentVariable(name, environment[name]) for name in VARIABLES if name in environment]
    return actions + system_actions(run.specs, run.run_dir)


def parse_argument(name: str, text: str, kind: type) -> Any:
    """The value of a launch argument; booleans in all the forms that people of launch and YAML write.

    Raises:
        ConfigError: `text` is none of `kind`.
    """
    if kind is bool:
        if text.strip().lower() not in BOOLEANS:
            raise ConfigError(f"launch argument {name!r} must be one of {', '.join(BOOLEANS)}; got {text!r}")
        return BOOLEANS[text.strip().lower()]
    try:
        return kind(text)
    except ValueError as error:
        raise ConfigError(f"launch argument {name!r} must be {KINDS.get(kind, kind.__name__)}, got {text!r}") from error


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
