"""How every contestant is trained and evaluated, and the cells that follow. Loads no torch."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.sequential import SequentialConfig
from naf_robot.core.types import PositiveFraction, PositiveInt
from naf_robot.study.command import study_config
from naf_robot.study.grid.cells import Cell
from naf_robot.study.table4.contestants import OURS, Contestant

KIND = "table4"
TRAINED_BY = "naf_robot.study.table4.cell"
GYMNASIUM_ID = re.compile(r"-v\d+$")
MOST_EPISODES = {"reach": 400, "door_push": 800, "door_pull": 800, "door_real": 400, "pick_place": 1500}
OTHER_EPISODES = 500  # of a task that is not among those


class Protocol(Config, frozen=True):
    """What is the same for every contestant; rows by different ones do not stand in one folder."""

    episodes: PositiveInt | None = None  # training episodes at most; unset: the task's own bound
    evaluate_every: PositiveInt = 10  # training episodes
    evaluation_episodes: PositiveInt = 60  # greedy episodes of an evaluation at most
    sequential: SequentialConfig = SequentialConfig()  # the test that ends one earlier
    confirmation_episodes: PositiveInt = 100  # held-out episodes that must confirm what passed
    success: PositiveFraction = 0.95  # of them
    settings: tuple[str, ...] = ()  # KEY=VALUE over the task's own, for every contestant

    def most_episodes(self, task: str) -> int:
        """Training episodes of `task` after which a contestant has not made it."""
        return self.episodes or MOST_EPISODES.get(task, OTHER_EPISODES)


class Table4Cell(NamedTuple):
    """The settings of a cell, as the worker reads them."""

    study: dict[str, Any]  # a StudyConfig: environment, evaluation, and what learns where that is ours
    class_name: str
    keywords: dict[str, Any]
    reward_scale: float


def cells(
    protocol: Protocol, tasks: Iterable[str], contestants: Mapping[str, Contestant], seeds: Iterable[int]
) -> list[Cell]:
    """Every task with every seed and contestant, first seeds first.

    Raises:
        NafRobotError: a task that does not exist, or whose spaces do not fit.
    """
    wanted = [(seed, task, each) for seed in seeds for task in tasks for each in contestants.values()]
    known: dict[tuple[str, Contestant], dict[str, Any]] = {}
    found = []
    for seed, task, each in wanted:
        if (task, each) not in known:
            known[task, each] = _study(protocol, task, each)
        settings = Table4Cell(known[task, each], each.class_name, dict(each.keywords), each.reward_scale)
        labels = {"task": task, "algorithm": each.algorithm, "library": each.library, "seed": seed}
        found.append(Cell(module=TRAINED_BY, labels=labels, settings=msgspec.to_builtins(settings._asdict())))
    return found


def _study(protocol: Protocol, task: str, contestant: Contestant) -> dict[str, Any]:
    ours = contestant.library == OURS
    algorithm = {"algorithm": contestant.algorithm.partition(",")[0]} if ours else {}
    given: dict[str, Any] = {
        ("env" if GYMNASIUM_ID.search(task) else "task"): task,
        **algorithm,
        "set": [*protocol.settings, *contestant.settings],
        "episodes": protocol.most_episodes(task),
        "evaluate_every": protocol.evaluate_every,
        "evaluation_episodes": protocol.evaluation_episodes,
        "evaluation_rule": "sequential",
        "stop_at_success": protocol.success,
        "confirmation_episodes": protocol.confirmation_episodes,
    }
    config = study_config(given)
    options = msgspec.structs.replace(config.options, sequential=protocol.sequential)
    built: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(config, options=options, command=""))
    return built
