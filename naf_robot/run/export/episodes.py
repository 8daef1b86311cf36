"""The steps of a store for an export: batch by batch, or episode by episode, with a progress bar."""

import itertools
import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from naf_robot.core.records import StepBatch, concatenate
from naf_robot.experience.reader import StoreReader
from naf_robot.experience.store import Held
from naf_robot.run.sequencing import Next, Sequencer


class Episode(NamedTuple):
    """One episode from its first step to the one that closes it."""

    collector: str
    number: int
    steps: StepBatch

    def stretches(self) -> list[slice]:
        """Its stretches of transitions without a gap, each as the steps that they begin at.

        A step without an action ends one: nothing is known of what followed it.
        """
        acted = np.concatenate([[False], self.steps.has_action, [False]])
        begins, ends = np.flatnonzero(~acted[:-1] & acted[1:]), np.flatnonzero(acted[:-1] & ~acted[1:])
        return [slice(begin, end) for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)]


def batches_with_progress(reader: StoreReader) -> Iterator[Held]:
    """Every batch of the store in the order of arrival; on a terminal a bar shows how many steps are done."""
    with tqdm(total=reader.steps(), unit=" steps", disable=None, file=sys.stderr, dynamic_ncols=True) as bar:
        for held in reader.after():
            yield held
            bar.update(held.steps)


class WholeEpisodes:
    """Gives out the episodes that are stored from their first step to their last, each when its last batch is read.

    No more than the open episode of every collector is in memory, and what waits for a batch that comes late.
    """

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader
        self._open: dict[str, list[StepBatch]] = {}  # by collector: the parts of the episode that goes on
        self._seen: set[tuple[str, int]] = set()
        self._given = 0

    @property
    def left_out(self) -> int:
        """Episodes without their beginning, their end or a batch between, of those read so far."""
        return len(self._seen) - self._given

    def __iter__(self) -> Iterator[Episode]:
        sequencer = Sequencer()
        for held in batches_with_progress(self._reader):
            for following in sequencer.add(held):
                yield from self._take(following)
        for following in sequencer.rest():
            yield from self._take(following)

    def _take(self, following: Next) -> Iterator[Episode]:
        collector = following.collector
        self._seen |= {(collector, part.episode) for part in following.parts}
        if following.batch is None:
            self._open.pop(collector, None)
            return
        for number, steps in enumerate(_by_episode(following.batch)):
            before = self._open.pop(collector, None)
            if steps.step[0] == 0:
                parts = [steps]
            elif (
                before and (number or following.continues or not before[-1].has_action[-1]) and _goes_on(before, steps)
            ):
                parts = [*before, steps]
            else:
                continue
            if not steps.closing[-1]:
                self._open[collector] = parts
                continue
            self._given += 1
            yield Episode(collector, int(steps.episode[0]), concatenate(parts))


def _by_episode(batch: StepBatch) -> Iterator[StepBatch]:
    borders = [0, *(np.flatnonzero(np.diff(batch.episode)) + 1).tolist(), len(batch)]
    for begin, end in itertools.pairwise(borders):
        yield batch.between(begin, end)


def _goes_on(parts: list[StepBatch], steps: StepBatch) -> bool:
    last = parts[-1]
    return bool(last.episode[-1] == steps.episode[0] and last.step[-1] < steps.step[0])
