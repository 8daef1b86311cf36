"""Fills sources from folders with stored steps: of other runs, of bags, of demonstrations."""

from dataclasses import replace
from pathlib import Path

from naf_robot.core import run_files
from naf_robot.core.errors import ConfigError
from naf_robot.core.run_identity import known_run_id
from naf_robot.experience.contract import Contract
from naf_robot.experience.reader import StoreReader
from naf_robot.learning.sources import Source
from naf_robot.run.records import TrainerConfig
from naf_robot.training.replay_feed import ReplayFeed
from naf_robot.training.sequencing import Sequencer


def fill(source: Source, folder: Path, contract: Contract, settings: TrainerConfig) -> int:
    """Give `source` every transition that `folder` holds; how many they are.

    Raises:
        ConfigError: it holds none.
        StoreError: there is no store of steps in it, one of another task or observation spec, or a damaged one.
    """
    feed = ReplayFeed(source, contract.steps.observation, settings, lambda: False)
    sequencer = Sequencer()  # the folder's robots may have the names of others
    reader = StoreReader(folder / run_files.EXPERIENCE, replace(contract, run_id=known_run_id(folder)))
    try:
        for held in reader.after(0):
            for following in sequencer.add(held):
                feed.take(following)
        for following in sequencer.rest():
            feed.take(following)
    finally:
        reader.close()
    if feed.transitions == 0:
        raise ConfigError(f"source folder {str(folder)!r} holds no transition to learn from")
    return feed.transitions
