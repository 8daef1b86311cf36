"""The command `naf-robot`: trains policies on robot arms and works with the run folders that result."""

import argparse
import importlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from naf_robot.bringup import operator_command
from naf_robot.bringup.environment import check_environment, process_environment, record_environment
from naf_robot.bringup.evaluation import EVALUATE_OPTIONS, evaluation_result, prepare_evaluation
from naf_robot.bringup.gazebo_system import gazebo_environment, in_gazebo
from naf_robot.bringup.log_follower import LogFollower
from naf_robot.bringup.offline_process import learn
from naf_robot.bringup.options import FLAGS, SystemOptions, options
from naf_robot.bringup.publish_command import add_publishing
from naf_robot.bringup.runner import ProcessRunner, StopSignals, log_path
from naf_robot.bringup.training import PreparedRun, introduction, learns_alone, lock_run, prepare
from naf_robot.core import run_files
from naf_robot.core.arguments import USER_ERROR, Parser, whole
from naf_robot.core.composition import COMMAND_LINE, Layer, assignments_layer
from naf_robot.core.console import protect_output
from naf_robot.core.errors import ConfigError, NafRobotError
from naf_robot.run.folder_system import ROBOT, TRAIN, TRAINER

INTERRUPTED, PIPE_CLOSED = 128 + signal.SIGINT, 128 + signal.SIGPIPE  # as a shell has them
STARTED = {
    TRAIN: "train robots over ROS 2 and write a run folder",
    TRAINER: "run the trainer alone, for robots on other machines",
    ROBOT: "run the nodes of this machine's robots, for a trainer on another machine",
}
BACKEND = "backend"  # the option that an evaluation without ROS has too
OVER_ROS = (
    "version",
    "robots",
    "backend",
    "simulated",
    "first_run",
    "real_time_factor",
    "record",
    "restarts",
    "out_dir",
)
ALL_EPISODES = 3  # exit code of a run that has had its number of episodes
SEVERAL = {"config": ("--config", "FILE"), "settings": ("--set", "KEY=VALUE"), "offline": ("--offline", "DIR")}


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; the exit code."""
    try:
        options = _parser().parse_args(arguments)
        return int(options.run(options))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # of `naf-robot inspect | head`; the interpreter must not try again when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except NafRobotError as error:
        print(f"error: {error}", file=sys.stderr)
        return USER_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="naf-robot", description="Train policies on robot arms, and work with run folders.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")

    for system, text in STARTED.items():
        _system(system, command(system, text))

    config = command("config", "print a configuration: every value with its origin, range and meaning")
    _plugin("naf_robot.bringup.config_command", config)

    check = command("check", "check a robot: description, limits, home, targets, cost of a step, simulated arm, driver")
    _plugin("naf_robot.bringup.check_command", check)

    evaluate = command("evaluate", "run greedy episodes on held-out goals with the newest policy of a run")
    _run_dir(evaluate)
    evaluate.add_argument("--episodes", type=whole(1), default=100, help="number of episodes [100]")
    evaluate.add_argument("--seed", type=whole(0), default=1000, help="seed of the goals [1000]")
    evaluate.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="single values over the run's own"
    )
    evaluate.add_argument("--over-ros", action="store_true", help="on robots of the run, simulated or real ones")
    for each in EVALUATE_OPTIONS:
        if each.name in OVER_ROS:
            where = "" if each.name == BACKEND else "over ROS: "
            evaluate.add_argument(each.flag, help=f"{where}{each.help} [{each.default}]")
    evaluate.set_defaults(run=_evaluate)

    for name, text in operator_command.COMMANDS.items():
        operator = command(name, text)
        operator_command.add_arguments(name, operator)
        operator.set_defaults(run=partial(operator_command.run, name))
    view = command("view", "serve a page that shows the robots of a running graph, or replays a run folder")
    _plugin("naf_robot.bringup.view_command", view)
    teleop = command("teleop", "move a robot with keys or a joystick, through velocity control")
    _plugin("naf_robot.bringup.teleop_command", teleop)
    compare = command("compare", "compare two policy versions by interleaved pairs of greedy episodes")
    _plugin("naf_robot.study.compare_command", compare)
    study = command("study", "train without ROS on a task or any Gymnasium environment, one seed after another")
    _plugin("naf_robot.study.command", study)
    demonstrate = command("demonstrate", "store episodes of a task's scripted policy as first data for learning")
    _plugin("naf_robot.study.demonstrate_command", demonstrate)
    replay = command("replay", "read recorded bags into a run folder that can be learned from")
    _plugin("naf_robot.collecting.bags.command", replay)
    add_publishing(replay)
    export = command("export", "write stored steps as Parquet, or a trained policy as ONNX")
    _plugin("naf_robot.run.export.command", export)
    convert = command("convert", "convert a run folder of an older version to the present format")
    _plugin("naf_robot.run.convert_command", convert)
    report = command("report", "write the report of a run, or of several beside each other, as one HTML page")
    _plugin("naf_robot.run.report_command", report)
    inspect = command("inspect", "print the summary, the newest checkpoint and the number of episodes of a run")
    _run_dir(inspect)
    inspect.set_defaults(run=_inspect)
    rollback = command("rollback", "make a stopped run continue from its best version, or from an older one")
    _run_dir(rollback)
    rollback.add_argument("--version", type=whole(0), help="policy version that has a checkpoint [the best one]")
    rollback.set_defaults(run=_rollback)
    pin = command("pin", "make robots act with one policy version, whatever is published")
    _run_dir(pin)
    pin.add_argument("--robot", help="robot of the run [all of them]")
    pin.add_argument("--version", type=whole(0), help="policy version that has a checkpoint [the best one]")
    pin.add_argument("--release", action="store_true", help="use the newest version again")
    pin.set_defaults(run=_pin)
    return parser


def _system(system: str, parser: argparse.ArgumentParser) -> None:
    """A command that starts a system, with the options of it."""
    for each in options(system):
        text = f"{each.help} [{each.default}]".replace("%", "%%")
        if each.name in SEVERAL:
            flag, word = SEVERAL[each.name]
            parser.add_argument(flag, dest=each.name, nargs="+", action="extend", metavar=word, help=text)
        elif each.name in FLAGS:
            parser.add_argument(each.flag, action="store_const", const=True, help=text)
        else:
            parser.add_argument(each.flag, help=text)
    parser.set_defaults(run=partial(_start, system))


def _run_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run-dir", type=Path, required=True, metavar="DIR", help="run folder")


def _plugin(module: str, parser: argparse.ArgumentParser) -> None:
    """Commands with many options declare them beside their code, in a module free of torch."""
    importlib.import_module(module).add_arguments(parser)


def _start(system: str, arguments: argparse.Namespace) -> int:
    protect_output()
    with StopSignals() as signals:
        given = SystemOptions(**{each.name: getattr(arguments, each.name) for each in options(system)})
        if not given.offline:
            check_environment()
        run = prepare(given, system)
        if learns_alone(run.config, system):
            return _learn_offline(run, signals, new=not given.resume)
        return _run_system(run, process_environment(system == TRAIN and run.config.simulated), signals)


def _run_system(run: PreparedRun, environment: dict[str, str], signals: StopSignals, summarized: bool = True) -> int:
    """Run the processes of a prepared run, and show its summary if it shall be `summarized`; the exit code."""
    record_environment(environment, run.run_dir)
    for line in introduction(run, environment):
        print(line, flush=True)
    summary = run.run_dir / run_files.SUMMARY
    before = summary.stat().st_mtime_ns if summary.is_file() else -1
    log, outcome = run.run_dir / run_files.LOG, run.run_dir / run_files.OUTCOME
    shown = {s.label: log_path(log, s.label) for s in run.specs if run.system == ROBOT and s.name == "collector"}
    with LogFollower(shown):
        code = ProcessRunner(run.specs, log, outcome, environment, run.system, signals).run()
    if summarized and summary.is_file() and summary.stat().st_mtime_ns != before:
        print(summary.read_text(encoding="utf-8"), end="", flush=True)
    return code


def _learn_offline(run: PreparedRun, signals: StopSignals, new: bool) -> int:
    """Learn from stored steps in this process; a `new` folder whose sources could not be filled does not stay."""
    print(f"run folder: {run.run_dir}", flush=True)
    try:
        return learn(run.config, run.run_dir, lambda: signals.asked)
    except (NafRobotError, KeyboardInterrupt):
        if new and not (run.run_dir / run_files.EPISODES).exists():  # the trainer makes it behind its sources
            shutil.rmtree(run.run_dir, ignore_errors=True)
        raise


def _evaluate(options: argparse.Namespace) -> int:
    asked = {name: getattr(options, name) for name in OVER_ROS}
    if options.over_ros:
        return _evaluate_over_ros(options, asked)
    backend = asked.pop(BACKEND)
    if alone := [name for name, value in asked.items() if value is not None]:
        raise ConfigError(f"--{alone[0].replace('_', '-')} is for an evaluation with --over-ros")
    evaluate_run = importlib.import_module("naf_robot.study.evaluation").evaluate_run
    layers = [assignments_layer(options.set)]
    if backend is not None:
        layers.append(Layer(COMMAND_LINE, {BACKEND: backend}))
    print(json.dumps(evaluate_run(options.run_dir, options.episodes, options.seed, layers)), flush=True)
    return 0


def _evaluate_over_ros(options: argparse.Namespace, asked: dict[str, str | None]) -> int:
    protect_output()
    with StopSignals() as signals:
        check_environment()
        numbers = {name: str(getattr(options, name)) for name in ("run_dir", "episodes", "seed")}
        run = prepare_evaluation({**numbers, **asked, "settings": options.set})
        apart = in_gazebo(run.config)
        environment = process_environment(run.config.simulated or apart)
        code = _run_system(run, gazebo_environment(environment) if apart else environment, signals, summarized=False)
        print(json.dumps(evaluation_result(run.run_dir)), flush=True)
        return 0 if code == ALL_EPISODES else code


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
