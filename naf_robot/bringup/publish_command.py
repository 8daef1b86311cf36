"""`--publish` of `naf-robot replay`: what was read is sent to a trainer that runs, on this machine or another."""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from naf_robot.bringup.operator_command import config_of, operator_environment, run_in_front
from naf_robot.core import run_files
from naf_robot.core.resources import expanded


def add_publishing(parser: argparse.ArgumentParser) -> None:
    """Declare the option on `parser`, whose command makes the folder `options.run_dir`."""
    parser.add_argument(
        "--publish",
        nargs="?",
        const="",
        metavar="RUN",
        help="send the steps of DIR to the one trainer that learns the same, until it has all; RUN: run folder of a "
        "trainer on this machine, where it is on the network",
    )
    parser.set_defaults(run=partial(run, parser.get_default("run")))


def run(read: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Read with `read`, then publish if that is asked; the exit code of what failed, 0 when the trainer has all."""
    if options.publish is None:
        return read(options)
    trainer = expanded(options.publish).resolve() if options.publish else None
    if trainer is not None:
        config_of(trainer)
    environment = operator_environment(trainer)
    if code := read(options):
        return code
    config = Path(expanded(str(options.run_dir))).resolve() / run_files.CONFIG
    words = ["-m", "naf_robot.nodes.experience_publisher", "--ros-args", "-p", f"config:={config}"]
    return run_in_front([sys.executable, *words], environment)
