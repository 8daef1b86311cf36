"""The system description for `ros2 launch`."""

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration

from naf_robot.bringup.environment import check_environment, process_environment, record_environment
from naf_robot.bringup.launch_process import system_actions
from naf_robot.bringup.node_spec import check_executables
from naf_robot.bringup.options import SystemOptions, options
from naf_robot.bringup.training import prepare
from naf_robot.core.files import ExclusiveLock

VARIABLES = (  # that may differ from what launch itself has
    "ROS_AUTOMATIC_DISCOVERY_RANGE",
    "ROS_DOMAIN_ID",
    "ROS_LOG_DIR",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
)
HELD: list[ExclusiveLock] = []  # the run folder's lock, as long as this process runs


def training_launch_description() -> LaunchDescription:
    """Arguments from the fields of `SystemOptions`, then the same processes as `naf-robot train` starts."""
    arguments = [
        DeclareLaunchArgument(each.name, default_value="", description=f"{each.help} [{each.default}]")
        for each in options()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_start)])


def _start(context: LaunchContext) -> list:
    given = {each.name: LaunchConfiguration(each.name).perform(context) or None for each in options()}
    check_environment()
    run = prepare(SystemOptions(**given))
    check_executables(run.specs, "train")
    environment = process_environment(run.config.simulated)
    record_environment(environment, run.run_dir)
    HELD.append(run.lock)
    actions: list = [SetEnvironmentVariable(name, environment[name]) for name in VARIABLES if name in environment]
    return actions + system_actions(run.specs, run.run_dir)
