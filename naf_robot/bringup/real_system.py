"""Real arms with their makers' drivers: what `real.launch.py` starts."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.options import Option, SystemOptions, boolean, given_layers, options
from naf_robot.bringup.system import STOP_ARM
from naf_robot.bringup.training import PreparedRun, prepare
from naf_robot.core import run_files
from naf_robot.core.composition import split_assignments
from naf_robot.core.errors import ConfigError
from naf_robot.core.resources import expanded, share_directory
from naf_robot.run.config import RunConfig, compose_run, load
from naf_robot.run.folder_system import ROBOT, TRAIN

DRIVER_S = 10.0  # for the end of a maker's driver: it puts the arm into a state of rest
OTHERS = ("backend", "simulated", "real_time_factor", "offline")  # options of training without meaning on real arms
OWN_OPTIONS = (
    Option("trainer", "", "true: robots and trainer; false: this machine's robots, for a trainer elsewhere", "true"),
    Option("driver", "", "true: start the makers' drivers too; false: they are running", "true"),
)


def real_options() -> list[Option]:
    """The options of `real.launch.py`: those of training that have a meaning on real arms, and its own."""
    robots_only = [each for each in options(ROBOT) if each.name not in {other.name for other in options(TRAIN)}]
    return [*OWN_OPTIONS, *(each for each in [*options(TRAIN), *robots_only] if each.name not in OTHERS)]


def prepare_real(given: Mapping[str, str | None]) -> PreparedRun:
    """Check everything, then create or load the run folder; the drivers come first among the processes.

    A driver that has its topics elsewhere than in the robot's namespace is found there: joint states, commands and
    controller of that robot get absolute names.

    Raises:
        NafRobotError: a mistake in the options, or a maker's package that is not on this machine, in one sentence.
    """
    system = TRAIN if boolean(given.get("trainer") or "true", "trainer") else ROBOT
    with_drivers = boolean(given.get("driver") or "true", "driver")
    values = {name: value for name, value in given.items() if name not in {each.name for each in OWN_OPTIONS}}
    wanted = SystemOptions(**values, simulated="false")
    if not with_drivers:
        return prepare(wanted, system)
    if given.get("resume"):
        config = load(expanded(str(given["resume"])).resolve() / run_files.CONFIG)
    else:
        config = compose_run(given_layers(wanted)).config
        text = wanted.settings if isinstance(wanted.settings, str) else ""
        wanted = replace(wanted, settings=[*split_assignments(text), *_placed(config)])
    drivers = driver_system(config)
    run = prepare(wanted, system)
    return replace(run, specs=[*drivers, *run.specs])


def driver_system(config: RunConfig) -> list[NodeSpec]:
    """The drivers of the robots of `config`, which end after everything else.

    Raises:
        ConfigError: a robot's profile knows no launch file, its package is not on this machine, or two drivers would
            have the same topics.
    """
    specs, places = [], dict[str, str]()
    for robot, own in config.robots.items():
        launch, place = own.driver.launch, own.driver.launch.place(robot)
        if not launch.package:
            raise ConfigError(
                f"the profile {own.profile!r} of {robot!r} names no launch file of a driver (driver.launch): start the "
                "driver manually and give driver:=false"
            )
        if place in places:
            raise ConfigError(
                f"the drivers of {places[place]!r} and {robot!r} would both be in namespace {place!r}: give each its "
                "own driver.launch.namespace, or start them manually and give driver:=false"
            )
        places[place] = robot
        words = launch.words(robot, str(share_directory()))
        spawned = [word for name in launch.controllers for word in ("--spawn", name)]
        specs.append(
            NodeSpec(
                "driver",
                "naf_robot.bringup.driver_launch",
                robot,
                stop_order=STOP_ARM,
                stop_within_s=DRIVER_S,
                extra_arguments=(
                    str(launch_file(robot, own.profile, launch.package, launch.file)),
                    place,
                    *words,
                    *spawned,
                ),
            )
        )
    return specs


def launch_file(robot: str, profile: str, package: str, file: str) -> Path:
    """The file `launch/<file>` of an installed package.

    Raises:
        ConfigError: the package, or the file in it, is not below any prefix of `AMENT_PREFIX_PATH`.
    """
    for prefix in filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)):
        share = Path(prefix) / "share" / package
        if (share / "launch" / file).is_file():
            return share / "launch" / file
        if share.is_dir():
            raise ConfigError(
                f"package {package!r} in {prefix} has no launch file {file!r}; see driver.launch of {profile!r}"
            )
    debian = f"ros-{os.environ.get('ROS_DISTRO') or 'jazzy'}-{package.replace('_', '-')}"
    raise ConfigError(
        f"the driver of {robot!r} needs the ROS package {package!r}, which is not on this machine: install it ({debian}"
        " or its maker's sources) and source its workspace, or start the driver elsewhere and give driver:=false"
    )


def _placed(config: RunConfig) -> list[str]:
    """Settings that say where the drivers have their topics, for those that are not in the robot's namespace."""
    found = []
    for robot, own in config.robots.items():
        place = own.driver.launch.place(robot)
        if place == f"/{robot}":
            continue
        names = {
            "driver.joint_states": own.joint_states_topic,
            "driver.controller": own.controller,
            "output.topic": own.command_topic,
        }
        found += [
            f"robots.{robot}.{path}={place.rstrip('/')}/{name}"
            for path, name in names.items()
            if name[:1] not in ("", "/")
        ]
    return found
