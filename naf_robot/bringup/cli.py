"""`naf-robot`: train, evaluate, study and report without `ros2 launch`."""

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from naf_robot.bringup.runner import ProcessRunner, local_environment
from naf_robot.bringup.training import SystemOptions, lock_run, option_fields, prepare
from naf_robot.core.errors import NafRobotError

USER_ERROR = 2
OUTCOME_FILE = "outcome"


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except NafRobotError as error:
        print(f"error: {error}", file=sys.stderr)
        return USER_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="naf-robot", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train robots over ROS 2", description="Train robots over ROS 2.")
    for name, kind, default, text in option_fields():
        if name == "settings":
            continue
        parse = _boolean if kind is bool else kind
        train.add_argument(f"--{name.replace('_', '-')}", type=parse, default=default, help=f"{text} [{default}]")
    train.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="single values over all others")
    train.set_defaults(run=_train)

    evaluate = commands.add_parser("evaluate", help="greedy held-out episodes of a trained policy")
    evaluate.add_argument("--run-dir", type=Path, required=True)
    evaluate.add_argument("--episodes", type=int, default=100)
    evaluate.add_argument("--seed", type=int, default=1000)
    evaluate.set_defaults(run=_evaluate)

    study = commands.add_parser("study", help="the synchronous loop without ROS, on any Gymnasium environment")
    _plugin("naf_robot.study.command", study)
    convert = commands.add_parser("convert", help="bring a run folder of an older version into today's format")
    _plugin("naf_robot.run.convert_command", convert)
    report = commands.add_parser("report", help="draw the learning curve of a run folder")
    report.add_argument("--run-dir", type=Path, required=True)
    report.set_defaults(run=_report)
    inspect = commands.add_parser("inspect", help="print a run folder's summary, checkpoint and episodes")
    inspect.add_argument("--run-dir", type=Path, required=True)
    inspect.set_defaults(run=_inspect)
    rollback = commands.add_parser("rollback", help="let a run that stands go on from an older or the best version")
    rollback.add_argument("--run-dir", type=Path, required=True)
    rollback.add_argument("--version", type=int, help="a version that a checkpoint is kept of [the best one]")
    rollback.set_defaults(run=_rollback)
    pin = commands.add_parser("pin", help="let robots act with one version, whatever is published")
    pin.add_argument("--run-dir", type=Path, required=True)
    pin.add_argument("--robot", help="one robot of the run [all]")
    pin.add_argument("--version", type=int, help="a version that a checkpoint is kept of [the best one]")
    pin.add_argument("--release", action="store_true", help="follow the newest version again")
    pin.set_defaults(run=_pin)
    return parser


def _plugin(module: str, parser: argparse.ArgumentParser) -> None:
    """Commands with many options declare them beside their code, in a module free of torch."""
    importlib.import_module(module).add_arguments(parser)


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"must be true or false, got {text!r}")
    return text.lower() == "true"


def _train(options: argparse.Namespace) -> int:
    values = {name: getattr(options, name) for name, *_ in option_fields() if name != "settings"}
    run = prepare(SystemOptions(**values, settings=" ".join(options.set)))
    environment = local_environment()
    print(f"run folder: {run.run_dir}", flush=True)
    print(
        f"robots: {', '.join(run.config.robots)} | ROS_DOMAIN_ID={environment['ROS_DOMAIN_ID']} "
        f"ROS_AUTOMATIC_DISCOVERY_RANGE={environment['ROS_AUTOMATIC_DISCOVERY_RANGE']}",
        flush=True,
    )
    summary = run.run_dir / "summary.json"
    before = summary.stat().st_mtime_ns if summary.is_file() else -1
    code = ProcessRunner(run.specs, run.run_dir / "log", run.run_dir / OUTCOME_FILE, environment).run()
    if summary.is_file() and summary.stat().st_mtime_ns != before:
        print(summary.read_text(encoding="utf-8"), end="", flush=True)
    return code


def _evaluate(options: argparse.Namespace) -> int:
    evaluate_run = importlib.import_module("naf_robot.study.evaluation").evaluate_run
    print(json.dumps(evaluate_run(options.run_dir, options.episodes, options.seed)), flush=True)
    return 0


def _report(options: argparse.Namespace) -> int:
    from naf_robot.run.report import write_learning_curve

    print(write_learning_curve(options.run_dir), flush=True)
    return 0


def _inspect(options: argparse.Namespace) -> int:
    inspect_run = importlib.import_module("naf_robot.study.evaluation").inspect_run
    print(json.dumps(inspect_run(options.run_dir), indent=2), flush=True)
    return 0


def _rollback(options: argparse.Namespace) -> int:
    from naf_robot.run.rollback import roll_back_run

    lock = lock_run(options.run_dir)
    print(json.dumps(roll_back_run(options.run_dir, options.version)), flush=True)
    lock.release()
    return 0


def _pin(options: argparse.Namespace) -> int:
    from naf_robot.run.rollback import pin_robots

    print(json.dumps(pin_robots(options.run_dir, options.robot, options.version, options.release)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
