"""The command `naf-robot teleop`: one robot, moved by an operator."""

import argparse
from pathlib import Path

from naf_robot.bringup.node_spec import NodeSpec, ParameterValue
from naf_robot.bringup.operator_command import config_of, operator_environment, run_in_front
from naf_robot.core import run_files
from naf_robot.core.errors import ConfigError
from naf_robot.run.config import check_robot


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`."""
    parser.add_argument("--run-dir", type=Path, required=True, metavar="DIR", help="run folder of the robot")
    parser.add_argument("--robot", help="name of the robot [that of a run with one]")
    parser.add_argument(
        "--intervene",
        action="store_true",
        help="the collector keeps the arm: take over within its episodes, and give back",
    )
    parser.add_argument("--joy", nargs="?", const="joy", default="", metavar="TOPIC", help="a joystick too [joy]")
    parser.add_argument("--joy-deadman", type=int, metavar="BUTTON", help="button that must be held [4]")
    parser.add_argument(
        "--joy-axes", metavar="AXES", help="axes of x, y, z and of turns about them, -1 for none [1,0,4,-1,-1,3]"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Move the robot until the operator leaves; the exit code.

    Raises:
        NafRobotError: no such run or robot, or a simulation that is faster than people.
    """
    config = config_of(arguments.run_dir)
    run_dir = arguments.run_dir.resolve()
    if arguments.robot is None and len(config.robots) > 1:
        raise ConfigError(f"say which robot, --robot NAME: there are {', '.join(config.robots)}")
    robot = check_robot(config, arguments.robot or next(iter(config.robots)))
    factor = config.simulation.real_time_factor
    if config.simulated and not 0.0 < factor <= 1.0:
        raise ConfigError(
            "this simulation runs faster than people can act (simulation.real_time_factor is "
            f"{factor:g}); start it with --real-time-factor 1"
        )
    if arguments.intervene and not config.intervention.enabled:
        raise ConfigError("this run takes no interventions; begin one with intervention.enabled=true")
    parameters: dict[str, ParameterValue] = {
        "config": str(run_dir / run_files.CONFIG),
        "robot": robot,
        "use_sim_time": config.simulated_time,
        "joy": arguments.joy,
        "intervene": arguments.intervene,
    }
    if arguments.joy_deadman is not None:
        parameters["joy_deadman"] = arguments.joy_deadman
    if arguments.joy_axes is not None:
        parameters["joy_axes"] = _numbers(arguments.joy_axes)
    spec = NodeSpec("teleop", "naf_robot.nodes.teleop", namespace=robot, parameters=parameters)
    return run_in_front(spec.command(), operator_environment(run_dir))


def _numbers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise ConfigError(f"--joy-axes must be whole numbers separated by commas, got {text!r}") from None
