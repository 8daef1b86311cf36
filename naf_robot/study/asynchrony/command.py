"""The command `naf-robot study asynchrony`. Loads no torch."""

import argparse
from typing import Any

from naf_robot.core.arguments import whole
from naf_robot.core.config import build
from naf_robot.study.grid.options import add_common, run_grid

TASKS = ("reach", "door_push")
SEEDS = (0, 1, 2)
COLLECTORS = (1, 2, 3, 4, 5, 6, 7, 8)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options on `parser`."""
    add_common(parser, TASKS, SEEDS)
    parser.add_argument(
        "--collectors", nargs="+", type=whole(1, 64), default=list(COLLECTORS), help="numbers of robots [1 to 8]"
    )
    parser.add_argument(
        "--variants",
        nargs="+",
        default=["locked"],
        metavar="NAME",
        help="what is varied: locked, age_500, age_2000, age_5000, updates_1, updates_2, updates_10, "
        "latency_1 to latency_3, and latency_1_history to latency_3_history [locked]",
    )
    parser.add_argument("--algorithm", help="algorithm that learns [naf]")
    parser.add_argument("--updates", type=whole(1), help="updates of a training [30000 of reach, else 60000]")
    parser.add_argument("--evaluate-every", type=whole(1), help="updates between evaluations [1000]")
    parser.add_argument("--evaluation-episodes", type=whole(1), help="greedy episodes of each evaluation [20]")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Train every cell, or what is left of them; the exit code."""
    from naf_robot.study.asynchrony.variants import KIND, Protocol, cells

    names = ("algorithm", "updates", "evaluate_every", "evaluation_episodes")
    given: dict[str, Any] = {name: getattr(options, name) for name in names if getattr(options, name, None) is not None}
    protocol = build(Protocol, given | {"settings": options.set}, "asynchrony")
    wanted = cells(protocol, options.tasks, options.collectors, options.variants, options.seeds)
    return run_grid(KIND, protocol, wanted, options)
