"""Steps of bags as the command `replay` makes them, without its command line and its store."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import synthetic_bag

from naf_robot.collecting.bags.replay import Result, rebuild, robots_in
from naf_robot.core.records import StepBatch
from naf_robot.experience.bags.files import BagError, bags_of
from naf_robot.experience.reader import StoreReader
from naf_robot.run.config import RunConfig, load
from naf_robot.run.contract import contract_of


class Reading(NamedTuple):
    """What was read of a bag."""

    keys: list[tuple[str, int, int]]  # collector, sequence and first step of each batch
    batches: list[StepBatch]
    findings: list[str]

    @property
    def content(self) -> list[tuple[object, ...]]:
        """Every key with the bytes of its batch."""
        return [(key, *contents(batch)) for key, batch in zip(self.keys, self.batches, strict=True)]


class Collected:
    """Takes batches as the store does."""

    def __init__(self) -> None:
        self.keys: list[tuple[str, int, int]] = []
        self.batches: list[StepBatch] = []

    def put(self, collector: str, sequence: int, first_step: int, batch: StepBatch) -> None:
        self.keys.append((collector, sequence, first_step))
        self.batches.append(batch)


def read(paths: Sequence[Path], config: RunConfig | None = None) -> Reading:
    """The steps rebuilt from the raw topics of the one bag that `paths` are; none where nothing can be read."""
    sink, result = Collected(), Result()
    try:
        (bag,) = bags_of(paths)
    except BagError as error:
        return Reading([], [], [f"cut off before its first message: {error}"])
    for space in robots_in(bag):
        rebuild(bag, space, "left", config or synthetic_bag.config(), 0.0, sink, result, lambda count: None)
    bag.close()
    return Reading(sink.keys, sink.batches, [*result.findings.sentences(), *bag.troubles])


def contents(batch: StepBatch) -> tuple[bytes, ...]:
    """The bytes of its columns."""
    names = ("requested_action", "action", "reward", "stamp_s", "episode", "step", "terminated", "truncated", "success")
    return (*(getattr(batch, n).tobytes() for n in names), *(batch.observation[n].tobytes() for n in batch.observation))


def stored(folder: Path) -> list[StepBatch]:
    """The episodes in a folder, in order."""
    reader = StoreReader(folder / "experience.sqlite", contract_of(load(folder / "config.yaml"), folder))
    batches = [held.message.batch for held in reader.after(0) if held.message is not None]
    reader.close()
    return batches
