"""The command `naf-robot check`: is this robot described, limited, placed and driven so that it can learn?"""

import argparse
import json
from dataclasses import replace

from naf_robot.bringup.options import SystemOptions, given_layers, options
from naf_robot.run.arm_findings import arm_findings
from naf_robot.run.config import compose_run
from naf_robot.run.findings import Finding, count, table
from naf_robot.run.run_config import arms_of

OFFERED = ("task", "robots", "robot")
SOMETHING_IS_WRONG = 1


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
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the table")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found; the exit code is 0 if nothing is wrong."""
    given = {name: getattr(arguments, name) for name in OFFERED}
    if given["robots"] is None and not arguments.config:
        given["robots"] = 1
    composed = compose_run(given_layers(SystemOptions(**given, config=arguments.config, settings=arguments.set)))
    config = composed.config
    found: list[Finding] = []
    for name in arms_of(config):
        found += [replace(finding, robot=name) for finding in arm_findings(config, name)]
    problems, warnings = count(found, "problem"), count(found, "warning")
    if arguments.json:
        document = {"problems": problems, "warnings": warnings, "findings": [each.document() for each in found]}
        print(json.dumps(document, indent=1), flush=True)
    else:
        print(table(found), end="", flush=True)
    return SOMETHING_IS_WRONG if problems else 0
