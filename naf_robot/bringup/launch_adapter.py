"""The systems of `naf-robot` for `ros2 launch`: their options as launch arguments, their processes as nodes."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
)
from launch.event_handlers import OnShutdown
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration

from naf_robot.bringup.environment import (
    SIMULATION,
    check_environment,
    describe_environment,
    process_environment,
    record_environment,
    run_environment,
)
from naf_robot.bringup.evaluation import EVALUATE_OPTIONS, evaluation_result, prepare_evaluation
from naf_robot.bringup.gazebo_run import gazebo_options, prepare_gazebo
from naf_robot.bringup.gazebo_system import gazebo_environment, in_gazebo
from naf_robot.bringup.inspection import INSPECT_OPTIONS, prepare_inspection
from naf_robot.bringup.launch_process import system_actions
from naf_robot.bringup.node_spec import check_executables
from naf_robot.bringup.options import Option, SystemOptions, options
from naf_robot.bringup.real_system import prepare_real, real_options
from naf_robot.bringup.training import PreparedRun, introduction, learns_alone, prepare
from naf_robot.core.errors import ConfigError, RunFolderError
from naf_robot.run.folder_system import TRAIN

HELD: list[object] = []  # locks of run folders and temporary folders, as long as this process runs
DOMAINS: dict[str, bool] = {}  # ROS domains in which this process simulates, and whether the user chose them
LAST_DOMAIN = 101  # of those that are safe on Linux


def system_launch_description(system: str) -> LaunchDescription:
    """Arguments from the options of `system` (train, trainer, robot), then the processes that its command starts."""
    return LaunchDescription([*declared(options(system)), OpaqueFunction(function=_start, args=[system])])


def inspect_launch_description() -> LaunchDescription:
    """Arguments, then RViz and what it needs beside a running system."""
    return LaunchDescription([*declared(INSPECT_OPTIONS), OpaqueFunction(function=_inspect)])


def real_launch_description() -> LaunchDescription:
    """Arguments, then drivers, robots and, unless it runs elsewhere, the trainer."""
    return LaunchDescription([*declared(real_options()), OpaqueFunction(function=_start_real)])


def gazebo_launch_description() -> LaunchDescription:
    """Arguments, then Gazebo, its arms behind ros2_control and, unless it runs elsewhere, the trainer."""
    return LaunchDescription([*declared(gazebo_options()), OpaqueFunction(function=_start_gazebo)])


def evaluate_launch_description() -> LaunchDescription:
    """Arguments, then a run of greedy episodes with one version of a run's policy, and its result."""
    return LaunchDescription([*declared(EVALUATE_OPTIONS), OpaqueFunction(function=_evaluate)])


def declared(table: Iterable[Option]) -> list[DeclareLaunchArgument]:
    """The launch arguments of the options in `table`.

    Each is empty where it is not given: a default would win over the user's configuration files.
    """
    found = []
    for each in table:
        text = f"{each.help}; if empty: {each.default}"
        choices = ["", *each.choices] if each.choices else None
        found.append(DeclareLaunchArgument(each.name, default_value="", description=text, choices=choices))
    return found


def given(context: LaunchContext, table: Iterable[Option]) -> dict[str, str | None]:
    """What the user gave of the options in `table`; None for those that are empty."""
    return {each.name: LaunchConfiguration(each.name).perform(context).strip() or None for each in table}


def refuse_namespace(context: LaunchContext) -> None:
    """Refuse to be put into a namespace.

    Raises:
        ConfigError: PushRosNamespace is in effect. Topics that all robots share, frames and the commands of an
            operator have the robot's name only.
    """
    namespace = context.launch_configurations.get("ros_namespace", "").strip("/")
    if namespace:
        raise ConfigError(
            f"naf_robot cannot be put into namespace '/{namespace}': robots have their names as namespaces; leave out "
            f"PushRosNamespace and give names instead, such as robots:={namespace.replace('/', '_')}_left"
        )


def simulation_environment() -> dict[str, str]:
    """The environment of a simulated system: in a domain of its own, also beside another one of the same launch.

    Raises:
        ConfigError: the user's ROS domain has a simulation of this launch already, or ROS could not start.
    """
    domain = os.environ.get("ROS_DOMAIN_ID", "")
    users = bool(domain) and DOMAINS.get(domain, True)
    if users and domain in DOMAINS:
        raise ConfigError(
            f"ROS domain {domain} has a simulation of this launch already, and simulated time belongs to one: set "
            "ROS_DOMAIN_ID to another domain for the second one"
        )
    environment = process_environment(simulated=True)
    number = int(environment["ROS_DOMAIN_ID"])
    while not users and str(number) in DOMAINS:
        number = number % LAST_DOMAIN + 1
    environment["ROS_DOMAIN_ID"] = str(number)
    DOMAINS[str(number)] = users
    return environment


def run_actions(run: PreparedRun, environment: dict[str, str]) -> list:
    """What runs the processes of a prepared run; what follows in the launch file is in its ROS domain."""
    HELD.append(run.lock)
    record_environment(environment, run.run_dir)
    where = [SetEnvironmentVariable(name, environment[name]) for name in SIMULATION if name in environment]
    lines = introduction(run, environment)
    return [*said(lines), *where, *system_actions(run.specs, run.run_dir, environment)]


def said(lines: Iterable[str]) -> list[LogInfo]:
    """What shows `lines` to the user."""
    return [LogInfo(msg=line) for line in lines]


def _start(context: LaunchContext, system: str) -> list:
    refuse_namespace(context)
    check_environment()
    run = prepare(SystemOptions(**given(context, options(system))), system)
    check_executables(run.specs, system)
    private = system == TRAIN and run.config.simulated and not learns_alone(run.config, system)
    return run_actions(run, simulation_environment() if private else process_environment(simulated=False))


def _start_real(context: LaunchContext) -> list:
    refuse_namespace(context)
    check_environment()
    run = prepare_real(given(context, real_options()))
    check_executables(run.specs, "real")
    return run_actions(run, process_environment(simulated=False))


def _start_gazebo(context: LaunchContext) -> list:
    refuse_namespace(context)
    check_environment()
    run = prepare_gazebo(given(context, gazebo_options()))
    check_executables(run.specs, "gazebo")
    return run_actions(run, gazebo_environment(simulation_environment()))


def _evaluate(context: LaunchContext) -> list:
    refuse_namespace(context)
    check_environment()
    run = prepare_evaluation(given(context, EVALUATE_OPTIONS))
    if in_gazebo(run.config):
        environment = gazebo_environment(simulation_environment())
    else:
        environment = simulation_environment() if run.config.simulated else process_environment(simulated=False)

    shown: list[Shutdown] = []

    def result(event: Shutdown, context: LaunchContext) -> list[LogInfo]:
        shown.append(event)
        if len(shown) > 1:  # launch emits it again for a process that ends meanwhile
            return []
        try:
            return said([f"evaluation: {json.dumps(evaluation_result(run.run_dir))}"])
        except RunFolderError as error:
            return said([f"evaluation: {error}"])

    return [*run_actions(run, environment), RegisterEventHandler(OnShutdown(on_shutdown=result))]


def _inspect(context: LaunchContext) -> list:
    refuse_namespace(context)
    shown = prepare_inspection(given(context, INSPECT_OPTIONS))
    HELD.append(shown.folder)
    environment = process_environment(simulated=False) if shown.run_dir is None else run_environment(shown.run_dir)
    lines = [f"showing {', '.join(shown.config.robots)} | {describe_environment(environment)}"]
    return [*said(lines), *system_actions(shown.specs, Path(shown.folder.name), environment)]
