"""The command `naf-robot study table4`. Loads no torch."""

import argparse
from typing import Any

from naf_robot.core.arguments import whole
from naf_robot.core.config import build
from naf_robot.study.grid.options import add_common, run_grid
from naf_robot.study.paper import PAPER

TASKS = ("reach", "door_push", "door_pull")
SEEDS = (0, 1, 2)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`."""
    from naf_robot.study.table4.contestants import CONTESTANTS, DEFAULT

    add_common(parser, TASKS, SEEDS)
    parser.add_argument(
        "--contestants",
        nargs="+",
        default=list(DEFAULT),
        metavar="NAME",
        help=f"who is trained, of {' '.join(CONTESTANTS)} [{' '.join(DEFAULT)}]",
    )
    parser.add_argument("--episodes", type=whole(1), help="training episodes at most [400 of reach, 800 of the doors]")
    parser.add_argument("--evaluate-every", type=whole(1), help="training episodes between evaluations [10]")
    parser.add_argument("--evaluation-episodes", type=whole(1), help="greedy episodes of an evaluation at most [60]")
    parser.add_argument(
        "--confirmation-episodes", type=whole(1), help="held-out episodes that must confirm a passed evaluation [100]"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train every contestant on every task from every seed, or what is left of it; the exit code."""
    from naf_robot.study.table4.contestants import chosen
    from naf_robot.study.table4.protocol import KIND, Protocol, cells

    names = ("episodes", "evaluate_every", "evaluation_episodes", "confirmation_episodes")
    given: dict[str, Any] = {name: getattr(options, name) for name in names if getattr(options, name, None) is not None}
    protocol = build(Protocol, given | {"settings": options.set}, "table4")
    contestants = chosen(options.contestants)
    wanted = cells(protocol, options.tasks, contestants, options.seeds)
    more = {"paper": PAPER}
    return run_grid(KIND, protocol, wanted, options, more)
