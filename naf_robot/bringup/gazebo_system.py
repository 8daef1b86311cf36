"""Gazebo as a process of its own with ros2_control in it: what `gazebo.launch.py` starts beside our nodes."""

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from naf_robot.bringup.node_spec import NodeSpec, ParameterValue, find_executable
from naf_robot.bringup.options import Option, SystemOptions, boolean, given_layers, options
from naf_robot.bringup.real_system import DRIVER_S, launch_file
from naf_robot.bringup.system import STOP_ARM
from naf_robot.bringup.training import PreparedRun, prepare
from naf_robot.core import run_files
from naf_robot.core.composition import split_assignments
from naf_robot.core.errors import ConfigError
from naf_robot.core.resources import SOURCE_ROOT, expanded
from naf_robot.run.config import RunConfig, compose_run, load
from naf_robot.run.folder_system import ROBOT, TRAIN
from naf_robot.run.gazebo.controllers import BROADCASTER, MANAGER, TYPES, command_topic, controller_name
from naf_robot.run.gazebo.files import GazeboFiles
from naf_robot.run.gazebo.world import WORLD
from naf_robot.run.robot import REAL

SPACING_M = 3.0  # between robots that would stand at the same place
SPAWNER_TIMEOUT_S = 120  # of waiting for the controller manager, which is there when Gazebo has the model
HELPER_S = 2.0  # for the end of what only passes messages on
OTHERS = ("simulated", "backend", "offline", "first_run")  # options of training without meaning in Gazebo
SHARES = ("gz_ros2_control", BROADCASTER)  # packages without an executable that is started here
PROGRAMS = {
    "robot_state_publisher": "robot_state_publisher",
    "ros_gz_sim": "create",
    "ros_gz_bridge": "parameter_bridge",
    "controller_manager": "spawner",
}
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

    Robots that would stand at the same place get places of their own, and time passes as on a wall clock unless
    `real_time_factor` says otherwise: nothing here waits for the answers of our nodes.

    Raises:
        NafRobotError: a mistake in the options, or a package that is not on this machine, in one sentence.
    """
    system = TRAIN if boolean(given.get("trainer") or "true", "trainer") else ROBOT
    gui = boolean(given.get("gui") or "false", "gui")
    wanted = SystemOptions(**{name: value for name, value in given.items() if name not in {o.name for o in OWN_OPTIONS}})
    if wanted.resume:
        config = load(expanded(str(wanted.resume)).resolve() / run_files.CONFIG)
        if not in_gazebo(config):
            raise ConfigError(f"{wanted.resume!r} is no run of gazebo.launch.py: resume it with the command that began it")
    else:
        text = wanted.settings if isinstance(wanted.settings, str) else ""
        ours = [f"backend={REAL}", "simulated_time=true"]
        begun = replace(wanted, settings=[*split_assignments(text), *ours])
        config = compose_run(given_layers(begun)).config
        wanted = replace(begun, settings=[*begun.settings, *_placed(config)])
        config = compose_run(given_layers(wanted)).config
    check_packages(config)
    server = launch_file("Gazebo", "gazebo.launch.py", "ros_gz_sim", "gz_sim.launch.py")
    GazeboFiles.of(config)
    run = prepare(wanted, system)
    GazeboFiles.of(run.config, run.run_dir).write(run.run_dir)
    return replace(run, specs=[*gazebo_system(run.config, run.run_dir, server, gui), *run.specs])


def in_gazebo(config: RunConfig) -> bool:
    """Whether the robots of `config` are behind ros2_control in a simulator that sets the clock."""
    return config.simulated_time and not config.simulated


def gazebo_system(config: RunConfig, run_dir: Path, server: Path, gui: bool) -> list[NodeSpec]:
    """Gazebo, the bridge, and for each robot its description, its model in Gazebo and its controllers."""
    folder = run_dir / run_files.GAZEBO
    clock: dict[str, ParameterValue] = {"use_sim_time": True}
    arguments = f"{'' if gui else '-s '}-r -v 1 {folder / run_files.GAZEBO_WORLD}"
    specs = [
        NodeSpec(
            "gazebo",
            "naf_robot.bringup.driver_launch",
            stop_order=STOP_ARM,
            stop_within_s=DRIVER_S,
            extra_arguments=(str(server), "/", f"gz_args:={arguments}", "on_exit_shutdown:=true"),
        ),
        NodeSpec(
            "bridge",
            package="ros_gz_bridge",
            executable="parameter_bridge",
            parameters={"config_file": str(folder / run_files.GAZEBO_BRIDGE)},
            stop_order=STOP_ARM,
            stop_within_s=HELPER_S,
        ),
    ]
    for robot, own in config.robots.items():
        place = dict(zip(("x", "y", "z", "R", "P", "Y"), own.base_pose, strict=True))
        model = ("-world", WORLD, "-name", robot, "-topic", f"/{robot}/robot_description")
        manager = ("--controller-manager", f"/{robot}/{MANAGER}")
        specs += [
            NodeSpec(
                "robot_state_publisher",
                namespace=robot,
                package="robot_state_publisher",
                executable="robot_state_publisher",
                parameter_files=(str(folder / f"{robot}.description.yaml"),),
                parameters=dict(clock),
                stop_order=STOP_ARM,
                stop_within_s=HELPER_S,
            ),
            NodeSpec(
                "model",
                namespace=robot,
                package="ros_gz_sim",
                executable="create",
                extra_arguments=(*model, *(word for name, value in place.items() for word in (f"-{name}", repr(value)))),
                stop_order=STOP_ARM,
                stop_within_s=HELPER_S,
                once=True,
            ),
            NodeSpec(
                "controllers",
                namespace=robot,
                package="controller_manager",
                executable="spawner",
                extra_arguments=(
                    BROADCASTER,
                    own.controller,
                    *manager,
                    "--controller-manager-timeout",
                    str(SPAWNER_TIMEOUT_S),
                ),
                stop_order=STOP_ARM,
                stop_within_s=HELPER_S,
                once=True,
            ),
        ]
    return specs


def gazebo_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` with what Gazebo's processes need: topics of their own, and our package in Gazebo's Python.

    A partition that the user has chosen is kept.
    """
    paths = [str(SOURCE_ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
    known = environment.get("PYTHONPATH", "").split(os.pathsep)
    python = os.pathsep.join(dict.fromkeys(path for path in [*known, *paths] if path))
    partition = f"naf_robot_{environment.get('ROS_DOMAIN_ID', '0')}"
    return {"GZ_PARTITION": partition} | dict(environment) | {"PYTHONPATH": python}


def check_packages(config: RunConfig) -> None:
    """Make sure that the packages of ROS that Gazebo needs are on this machine.

    Raises:
        ConfigError: naming the Debian packages that have them.
    """
    types = {TYPES[own.output_kind].partition("/")[0] for own in config.robots.values() if own.output_kind in TYPES}
    lacking = [name for name, program in PROGRAMS.items() if find_executable(name, program, os.environ) is None]
    prefixes = [Path(prefix) for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
    lacking += [
        name for name in (*SHARES, *sorted(types)) if not any((p / "share" / name).is_dir() for p in prefixes)
    ]
    if lacking:
        distribution = os.environ.get("ROS_DISTRO") or "jazzy"
        debian = " ".join(f"ros-{distribution}-{name.replace('_', '-')}" for name in lacking)
        raise ConfigError(
            f"gazebo.launch.py needs packages of ROS that are below no prefix of AMENT_PREFIX_PATH: apt install {debian}, "
            "then source ROS 2's setup.bash"
        )


def _placed(config: RunConfig) -> list[str]:
    """Settings for what is another thing in one world that all robots share, on a clock that waits for nobody.

    Raises:
        ConfigError: some robots stand at the same place.
    """
    found = [] if config.simulation.real_time_factor > 0.0 else ["simulation.real_time_factor=1.0"]
    places: dict[tuple[float, ...], str] = {}
    all_alike = len({own.base_pose for own in config.robots.values()}) == 1
    for number, (robot, own) in enumerate(config.robots.items()):
        x, y, z, *turned = own.base_pose
        if all_alike and number:
            found.append(f"robots.{robot}.base_pose={[x, y + number * SPACING_M, z, *turned]}")
        elif own.base_pose in places:
            raise ConfigError(
                f"{places[own.base_pose]!r} and {robot!r} would stand in one another in Gazebo's world: give one of them "
                f"another place, such as robots.{robot}.base_pose=[0, {SPACING_M}, 0, 0, 0, 0]"
            )
        places[own.base_pose] = robot
        names = {
            "driver.joint_states": (own.joint_states_topic, "joint_states"),
            "driver.controller": (own.driver.controller, controller_name(own)),
            "output.topic": (own.output.topic, command_topic(own)),
        }
        found += [f"robots.{robot}.{path}={wanted}" for path, (known, wanted) in names.items() if known != wanted]
    return found
