"""Fills sources from folders with stored steps: of other runs, of bags, of demonstrations. Loads no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from naf_robot.core import run_files
from naf_robot.core.errors import ConfigError
from naf_robot.core.records import ColumnSpec
from naf_robot.core.run_identity import known_run_id
from naf_robot.experience.bags.digest import EpisodeDigest
from naf_robot.experience.contract import Contract
from naf_robot.experience.reader import StoreReader
from naf_robot.learning.algorithm import ONLINE
from naf_robot.learning.learner_batch import LearnerBatchConfig
from naf_robot.run.agreement import agreement_of, disagreement
from naf_robot.run.config import load
from naf_robot.run.contract import steps_of
from naf_robot.run.replay_feed import ReplayFeed
from naf_robot.run.run_config import RunConfig
from naf_robot.run.sequencing import Sequencer

if TYPE_CHECKING:
    from naf_robot.learning.sources import Source

GOALS = "task."  # settings of a task may differ from those of the folder,
MEANING = ("task.control_period_s", "task.actions")  # but for these,
COLUMN = "intervention.enabled"  # and for a column that learners do not see,
WEIGHT = "_weight"  # and for the weights of its reward


@dataclass(frozen=True)
class Filled:
    """What a source was given before learning began."""

    transitions: int
    sha256: str  # of their steps, in the order in which the source was given them


def fill_sources(
    sources: Mapping[str, Source],
    contract: Contract,
    config: RunConfig,
    view: LearnerBatchConfig,
    between: Callable[[], None] = lambda: None,
) -> dict[str, Filled]:
    """Fill those of `sources` that `config` names folders for, in the order given; what each was given.

    `between` is called before each batch; what it raises ends the filling.

    Raises:
        ConfigError, StoreError: as `fill`.
    """
    found = {}
    for name, folders in config.trainer.filled.folders.items():
        if name in sources:
            parts = [fill(sources[name], Path(folder), contract, config, view, between) for folder in folders]
            digest = hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest()
            found[name] = Filled(sum(part.transitions for part in parts), digest)
    return found


def filled_sources(config: RunConfig) -> tuple[str, ...]:
    """The sources that something fills in a run of `config`."""
    folders = config.trainer.filled.folders
    by_persons = ("demonstration",) if config.intervention.enabled and "demonstration" not in folders else ()
    return (ONLINE, *folders, *by_persons)


def check_folders(contract: Contract, config: RunConfig) -> None:
    """Refuse what `fill_sources` would, before anything is made, but for damage deeper in a folder.

    Raises:
        ConfigError, StoreError: as `fill`.
    """
    for folders in config.trainer.filled.folders.values():
        for folder in map(Path, folders):
            reader = _opened(folder, contract, config)
            try:
                if not any(held.transitions for held in reader.after(0)):
                    raise _nothing_in(folder)
            finally:
                reader.close()


def fill(
    source: Source,
    folder: Path,
    contract: Contract,
    config: RunConfig,
    view: LearnerBatchConfig,
    between: Callable[[], None] = lambda: None,
) -> Filled:
    """Give `source` every transition that `folder` holds, with the action and reward of `view`.

    `between` is called before each batch.

    Raises:
        ConfigError: it holds none, or its numbers mean something else: another reward, action scale or period.
        StoreError: there is no store of steps in it, one of another task or observation spec, or a damaged one.
    """
    feed = ReplayFeed(source, contract.steps.observation, view, lambda: False)
    sequencer = Sequencer()  # the folder's robots may have the names of others
    digest = EpisodeDigest()
    reader = _opened(folder, contract, config)
    try:
        for held in reader.after(0):
            between()
            if held.message is not None:
                digest.add(held.message.batch)
            for following in sequencer.add(held):
                feed.take(following)
        for following in sequencer.rest():
            feed.take(following)
    finally:
        reader.close()
    if feed.transitions == 0:
        raise _nothing_in(folder)
    return Filled(feed.transitions, digest.hex())


def _opened(folder: Path, contract: Contract, config: RunConfig) -> StoreReader:
    path = folder / run_files.EXPERIENCE
    if not path.is_file():
        raise ConfigError(f"source folder {str(folder)!r} holds no stored steps: it has no {path.name}")
    extra = _check_meaning(folder, config)
    steps = replace(contract.steps, extra=extra)
    return StoreReader(path, replace(contract, run_id=known_run_id(folder), steps=steps))


def _nothing_in(folder: Path) -> ConfigError:
    return ConfigError(f"source folder {str(folder)!r} holds no transition to learn from")


def _check_meaning(folder: Path, config: RunConfig) -> tuple[ColumnSpec, ...]:
    """Compare with the configuration that the folder's steps were made under, where it has one; their extra columns."""
    path = folder / run_files.CONFIG
    if not path.is_file():
        return ()
    made_by = load(path)
    if made_by.task_name != config.task_name:
        return ()  # its store says so
    if differences := disagreement(_meaning(config), _meaning(made_by)):
        raise ConfigError(f"the steps in {str(folder)!r} do not mean the same as this run's: {differences}")
    here, there = (sorted({robot.arm.joints for robot in each.robots.values()}) for each in (config, made_by))
    if not set(here) & set(there):
        raise ConfigError(
            f"the steps in {str(folder)!r} are of another robot than this run's: its joints are {', '.join(there[0])}, "
            f"and here {', '.join(here[0])}"
        )
    return steps_of(made_by).extra


def _meaning(config: RunConfig) -> dict[str, str]:
    """What the numbers of a stored step depend on, by name."""
    return {
        name: text
        for name, text in agreement_of(config).items()
        if name != COLUMN and (not name.startswith(GOALS) or name.startswith(MEANING) or name.endswith(WEIGHT))
    }
