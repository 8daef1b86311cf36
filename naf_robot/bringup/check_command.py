"""The command `naf-robot check`: is this robot described, limited, placed and driven so that it can learn?"""

import argparse
import json
import sys
from dataclasses import replace
from typing import Any

from naf_robot.bringup.driver_process import observe_driver
from naf_robot.bringup.environment import check_environment
from naf_robot.bringup.options import SystemOptions, given_layers, options
from naf_robot.run.arm_findings import arm_findings
from naf_robot.run.config import RunConfig, compose_run
from naf_robot.run.findings import Finding, count, table, warning
from naf_robot.run.run_config import arms_of

OFFERED = ("task", "robots", "robot")
SOMETHING_IS_WRONG = 1
QUESTION = (
    "Each joint of {robot!r} will move by up to 2 degrees and back, slowly, within its limits. Keep everybody out of "
    "its reach and the emergency stop in yours. Type yes to let it move:"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`."""
    for each in options():
        if each.name in OFFERED:
            default = "1" if each.name == "robots" else each.default
            parser.add_argument(each.flag, help=f"{each.help} [{default}]")
    parser.add_argument(
        "--config", nargs="+", action="extend", metavar="FILE", help="YAML files over the task's own values"
    )
    parser.add_argument("--set", nargs="+", action="extend", metavar="KEY=VALUE", help="single values over all others")
    parser.add_argument(
        "--driver", action="store_true", help="also observe the driver of the real arm, in your ROS environment"
    )
    parser.add_argument(
        "--move", action="store_true", help="also move each joint of the real arm a little, after asking"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; the exit code is 0 if nothing is wrong."""
    given: dict[str, Any] = {name: getattr(arguments, name) for name in OFFERED}
    if given["robots"] is None and not arguments.config:
        given["robots"] = 1
    if arguments.driver or arguments.move:
        given["simulated"] = False
    composed = compose_run(given_layers(SystemOptions(**given, config=arguments.config, settings=arguments.set)))
    config = composed.config
    found: list[Finding] = []
    for name in arms_of(config):
        mine = arm_findings(config, name)
        if config.robot(name).real:
            mine += _driver(config, name, arguments.move and not count(mine, "problem"))
        found += [replace(finding, robot=name) for finding in mine]
    problems, warnings = count(found, "problem"), count(found, "warning")
    if arguments.json:
        document = {"problems": problems, "warnings": warnings, "findings": [each.document() for each in found]}
        print(json.dumps(document, indent=1), flush=True)
    else:
        print(table(found), end="", flush=True)
    return SOMETHING_IS_WRONG if problems else 0


def _driver(config: RunConfig, robot: str, move: bool) -> list[Finding]:
    """What is found about the driver, with motion if the operator agrees."""
    check_environment()
    if not move or _agreed(robot):
        return observe_driver(config, robot, move)
    return [*observe_driver(config, robot, False), warning("motion", "not tried: it was not agreed to")]


def _agreed(robot: str) -> bool:
    """Whether an operator agrees to motion of `robot`."""
    print(QUESTION.format(robot=robot), file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() == "yes"
