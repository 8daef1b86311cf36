"""The command `naf-robot config`: the composed configuration with origins, of a run to be or of a run folder."""

import argparse
import json
from pathlib import Path

from naf_robot.bringup.options import SystemOptions, given_layers, options
from naf_robot.core import run_files
from naf_robot.core.errors import ConfigError, RunFolderError
from naf_robot.run.config import compose_run, compose_saved
from naf_robot.run.node_parameters import parameters_page
from naf_robot.run.provenance import entries, text
from naf_robot.run.reference import reference_page

OFFERED = ("task", "algorithm", "robots", "robot", "seed", "simulated")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`."""
    for each in options():
        if each.name in OFFERED:
            parser.add_argument(each.flag, help=f"{each.help} [{each.default}]")
    parser.add_argument(
        "--config", nargs="+", action="extend", metavar="FILE", help="YAML files over the task's own values"
    )
    parser.add_argument("--set", nargs="+", action="extend", metavar="KEY=VALUE", help="single values over all others")
    parser.add_argument("--run-dir", type=Path, metavar="DIR", help="print that of a run folder instead")
    parser.add_argument(
        "--reference", action="store_true", help="print the reference of all fields (docs/configuration.md) instead"
    )
    parser.add_argument(
        "--parameters",
        action="store_true",
        help="print the reference of all ROS parameters (docs/parameters.md)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, keyed by path")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what is asked for."""
    if arguments.reference:
        print(reference_page(), end="")
        return 0
    if arguments.parameters:
        print(parameters_page(), end="")
        return 0
    given = {name: getattr(arguments, name) for name in OFFERED}
    options_given = SystemOptions(**given, config=arguments.config, settings=arguments.set)
    if arguments.run_dir is not None:
        if wrong := sorted(name for name in (*OFFERED, "config", "set") if getattr(arguments, name) is not None):
            raise ConfigError(f"--run-dir shows a run as it is; leave out --{', --'.join(wrong)}")
        path = arguments.run_dir / run_files.CONFIG
        if not path.is_file():
            raise RunFolderError(f"{str(arguments.run_dir)!r} is not a run folder: it has no {run_files.CONFIG}")
        composed = compose_saved(path)
    else:
        composed = compose_run(given_layers(options_given))
    found = entries(composed)
    print(
        json.dumps({e.field.name: e.document() for e in found}, indent=1) if arguments.json else text(found), flush=True
    )
    return 0
