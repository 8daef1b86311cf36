"""Fills sources from folders with stored steps: of other runs, of bags, of demonstrations."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from naf_robot.core import run_files
from naf_robot.core.errors import ConfigError
from naf_robot.core.run_identity import known_run_id
from naf_robot.experience.contract import Contract
from naf_robot.experience.reader import StoreReader
from naf_robot.learning.sources import Source
from naf_robot.run.agreement import agreement_of, disagreement
from naf_robot.run.config import load
from naf_robot.run.run_config import RunConfig
from naf_robot.training.replay_feed import ReplayFeed
from naf_robot.training.sequencing import Sequencer

GOALS = "task."  # settings of a task may differ from those of the folder,
MEANING = ("task.control_period_s", "task.actions")  # but for these,
WEIGHT = "_weight"  # and for the weights of its reward


def fill(
    source: Source, folder: Path, contract: Contract, config: RunConfig, between: Callable[[], None] = lambda: None
) -> int:
    """Give `source` every transition that `folder` holds; how many they are.

    `between` is called before each batch; what it raises ends the filling.

    Raises:
        ConfigError: it holds none, or its numbers mean something else: another reward, action scale or period.
        StoreError: there is no store of steps in it, one of another task or observation spec, or a damaged one.
    """
    feed = ReplayFeed(source, contract.steps.observation, config.trainer, lambda: False)
    sequencer = Sequencer()  # the folder's robots may have the names of others
    reader = StoreReader(folder / run_files.EXPERIENCE, replace(contract, run_id=known_run_id(folder)))
    try:
        _check_meaning(folder, config)
        for held in reader.after(0):
            between()
            for following in sequencer.add(held):
                feed.take(following)
        for following in sequencer.rest():
            feed.take(following)
    finally:
        reader.close()
    if feed.transitions == 0:
        raise ConfigError(f"source folder {str(folder)!r} holds no transition to learn from")
    return feed.transitions


def _check_meaning(folder: Path, config: RunConfig) -> None:
    """Compare with the configuration that the folder's steps were made under, where it has one."""
    path = folder / run_files.CONFIG
    if not path.is_file():
        return
    here, there = (_meaning(each) for each in (config, load(path)))
    if differences := disagreement(here, there):
        raise ConfigError(f"the steps in {str(folder)!r} do not mean the same as this run's: {differences}")


def _meaning(config: RunConfig) -> dict[str, str]:
    """What the numbers of a stored step depend on, by name."""
    return {
        name: text
        for name, text in agreement_of(config).items()
        if not name.startswith(GOALS) or name.startswith(MEANING) or name.endswith(WEIGHT)
    }
