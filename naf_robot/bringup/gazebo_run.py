"""What `gazebo.launch.py` starts: a run whose arms are in Gazebo, behind ros2_control as real ones are."""

from collections.abc import Mapping
from dataclasses import replace

from naf_robot.bringup.gazebo_packages import check_gazebo
from naf_robot.bringup.gazebo_system import in_gazebo, with_gazebo
from naf_robot.bringup.options import Option, SystemOptions, boolean, given_layers, options
from naf_robot.bringup.training import PreparedRun, prepare
from naf_robot.core import run_files
from naf_robot.core.composition import split_assignments
from naf_robot.core.errors import ConfigError
from naf_robot.core.resources import expanded
from naf_robot.run.config import RunConfig, compose_run, load
from naf_robot.run.folder_system import ROBOT, TRAIN
from naf_robot.run.gazebo.controllers import command_topic, controller_name
from naf_robot.run.gazebo.files import GazeboFiles
from naf_robot.run.gazebo.world import WALL
from naf_robot.run.robot import REAL

SPACING_M = 3.0  # between robots that have no places of their own
OTHERS = ("simulated", "backend", "offline", "first_run")  # options of training without meaning in Gazebo
OWN_OPTIONS = (
    Option("trainer", "", "true: robots and trainer; false: this machine's robots, for a trainer elsewhere", "true"),
    Option("gui", "", "true: show Gazebo's window; false: run its server alone", "false"),
)


def gazebo_options() -> list[Option]:
    """The options of `gazebo.launch.py`: those of training that have a meaning in Gazebo, and its own."""
    robots_only = [each for each in options(ROBOT) if each.name not in {other.name for other in options(TRAIN)}]
    return [*OWN_OPTIONS, *(each for each in [*options(TRAIN), *robots_only] if each.name not in OTHERS)]


def prepare_gazebo(given: Mapping[str, str | None]) -> PreparedRun:
    """Check everything, then create or load the run folder; what Gazebo needs comes first among the processes.

    Robots without places of their own get some, and time passes as on a wall clock unless `real_time_factor` says
    otherwise: nothing here waits for the answers of our nodes.

    Raises:
        NafRobotError: a mistake in the options, or a package that is not on this machine, in one sentence.
    """
    system = TRAIN if boolean(given.get("trainer") or "true", "trainer") else ROBOT
    gui = boolean(given.get("gui") or "false", "gui")
    own = {each.name for each in OWN_OPTIONS}
    wanted = SystemOptions(**{name: value for name, value in given.items() if name not in own})
    if wanted.resume:
        config = load(expanded(str(wanted.resume)).resolve() / run_files.CONFIG)
        if not in_gazebo(config):
            raise ConfigError(
                f"{wanted.resume!r} is no run of gazebo.launch.py: resume it with the command that began it"
            )
    else:
        text = wanted.settings if isinstance(wanted.settings, str) else ""
        settings = [*split_assignments(text), f"backend={REAL}", "simulated_time=true"]
        settings += placed(compose_run(given_layers(replace(wanted, settings=settings))).config)
        wanted = replace(wanted, settings=settings)
        config = compose_run(given_layers(wanted)).config
    check_gazebo(config)
    GazeboFiles.of(config)
    return with_gazebo(prepare(wanted, system), gui)


def placed(config: RunConfig) -> list[str]:
    """Settings for what is another thing in one world that all robots share, on a clock that waits for nobody."""
    found = [] if config.simulation.real_time_factor > 0.0 else [f"simulation.real_time_factor={WALL}"]
    all_alike = len({own.base_pose for own in config.robots.values()}) == 1
    for number, (robot, own) in enumerate(config.robots.items()):
        x, y, z, *turned = own.base_pose
        if all_alike and number:
            found.append(f"robots.{robot}.base_pose={[x, y + number * SPACING_M, z, *turned]}")
        names = {
            "driver.joint_states": (own.joint_states_topic, "joint_states"),
            "driver.controller": (own.driver.controller, controller_name(own)),
            "output.topic": (own.output.topic, command_topic(own)),
        }
        found += [f"robots.{robot}.{path}={wanted}" for path, (known, wanted) in names.items() if known != wanted]
    return found
