"""What is varied beside the number of robots, and the cells that follow. Loads no torch."""

from collections.abc import Iterable
from typing import Any

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.errors import UnknownNameError
from naf_robot.core.types import NonNegativeInt, PositiveFloat, PositiveInt
from naf_robot.study.command import study_config
from naf_robot.study.grid.cells import Cell

KIND = "asynchrony"
TRAINED_BY = "naf_robot.study.asynchrony.cell"
UPDATES = {"reach": 30_000, "door_push": 60_000}
OTHER_UPDATES = 60_000  # of a task that is not among those


class Variant(Config, frozen=True):
    """How robots and trainer depend on each other."""

    updates_per_period: PositiveFloat = 5.0  # gradient updates while a robot makes one step; 5 in the paper
    policy_age: NonNegativeInt = 0  # updates by which a policy is old when a robot loads it
    latency_periods: NonNegativeInt = 0  # control periods by which every reading is late, also in evaluation
    history_periods: NonNegativeInt = 0  # earlier observations and actions that the policy sees beside the newest one


VARIANTS: dict[str, Variant] = {
    "locked": Variant(),
    "age_500": Variant(policy_age=500),
    "age_2000": Variant(policy_age=2000),
    "age_5000": Variant(policy_age=5000),
    "updates_1": Variant(updates_per_period=1.0),
    "updates_2": Variant(updates_per_period=2.0),
    "updates_10": Variant(updates_per_period=10.0),
    **{f"latency_{late}": Variant(latency_periods=late) for late in (1, 2, 3)},
    **{f"latency_{late}_history": Variant(latency_periods=late, history_periods=late) for late in (1, 2, 3)},
}


class Protocol(Config, frozen=True):
    """What is the same in every cell; rows by different ones do not stand in one folder."""

    algorithm: str = "naf"
    updates: PositiveInt | None = None  # of a training; unset: the task's own number
    evaluate_every: PositiveInt = 1000  # updates
    evaluation_episodes: PositiveInt = 20  # greedy held-out episodes of each evaluation
    settings: tuple[str, ...] = ()  # KEY=VALUE over the task's own

    def updates_of(self, task: str) -> int:
        """Gradient updates of a training of `task`."""
        return self.updates or UPDATES.get(task, OTHER_UPDATES)


class AsynchronyCell(Config, frozen=True):
    """The settings of a cell, as the worker reads them."""

    study: dict[str, Any]  # a StudyConfig: environment and what learns
    collectors: PositiveInt
    variant: Variant
    updates: PositiveInt
    evaluate_every: PositiveInt


def cells(
    protocol: Protocol, tasks: Iterable[str], collectors: Iterable[int], variants: Iterable[str], seeds: Iterable[int]
) -> list[Cell]:
    """Every task with every variant, number of collectors and seed, first seeds first.

    Raises:
        UnknownNameError: a variant that does not exist, listing those that do.
        NafRobotError: a task that does not exist, or whose spaces do not fit.
    """
    tasks, collectors, variants = tuple(tasks), tuple(collectors), tuple(variants)
    for name in variants:
        if name not in VARIANTS:
            raise UnknownNameError("variant", name, VARIANTS)
    studies = {(task, name): _study(protocol, task, VARIANTS[name]) for task in tasks for name in variants}
    found = []
    for seed in seeds:
        for (task, name), study in studies.items():
            for count in collectors:
                settings = AsynchronyCell(
                    study, count, VARIANTS[name], protocol.updates_of(task), protocol.evaluate_every
                )
                labels = {"task": task, "variant": name, "collectors": count, "seed": seed}
                found.append(Cell(module=TRAINED_BY, labels=labels, settings=msgspec.to_builtins(settings)))
    return found


def _study(protocol: Protocol, task: str, variant: Variant) -> dict[str, Any]:
    late = [f"simulator.imperfections.sensor_delay_periods={variant.latency_periods}"]
    given = {
        "task": task,
        "algorithm": protocol.algorithm,
        "set": [*protocol.settings, *(late if variant.latency_periods else [])],
        "evaluation_episodes": protocol.evaluation_episodes,
    }
    built: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(study_config(given), command=""))
    return built
