"""Named sources of transitions, and the mixture of them that batches are drawn from.

B batch, D observation, A action, K blocked batches.
"""

from collections.abc import Mapping
from itertools import groupby
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from naf_robot.core.errors import CheckpointError, NafRobotError
from naf_robot.core.transitions import Transitions
from naf_robot.learning.source_shares import SourceShares

CARRY, DRAWN = "carry", "drawn"


class Batches(Protocol):
    """What a learner draws from."""

    @property
    def reward_range(self) -> tuple[float, float]:
        """Least and greatest reward ever added, and 0."""
        ...

    def sample(self, blocks: int, batch_size: int, generator: torch.Generator, /) -> tuple[Tensor, Tensor]:
        """Draw `blocks` batches: observations (K, 2, B, D) with their successors, and outcomes (K, B, A + 3).

        Raises:
            NafRobotError: there is nothing to draw from.
        """
        ...


@runtime_checkable
class PictureBatches(Batches, Protocol):
    """What a learner of pictures draws from."""

    def sample_images(
        self, blocks: int, batch_size: int, generator: torch.Generator, /
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """As `sample`, and of every camera the pictures, uint8 (K, 2, B, H, W, 3).

        Raises:
            NafRobotError: there is nothing to draw from.
        """
        ...


class Source(PictureBatches, Protocol):
    """Transitions of one origin that can be added to; `ReplayBuffer` is one."""

    @property
    def capacity(self) -> int:
        """Most transitions that it holds; the newest stay."""
        ...

    def __len__(self) -> int:
        """Transitions held."""
        ...

    def add(self, transitions: Transitions, collector: str = "", /) -> None:
        """Store `transitions` of `collector`, oldest first."""
        ...

    def skip(self, count: int) -> None:
        """Count `count` transitions as added that what is added next, at least a whole capacity, overwrites."""
        ...

    def widen_reward_range(self, rewards: NDArray[np.float32]) -> None:
        """Let `reward_range` take in `rewards` (N,), of transitions that are held or no longer are."""
        ...


class Mixture:
    """Draws every batch from several sources in declared shares, which may change with the updates.

    A batch is divided into whole transitions; rounding errors are carried to the next batch, so that the shares are
    exact over many batches. The share of an empty source is divided among the others in proportion. Each source has
    its own random stream, so that the batches do not depend on how they are divided over calls, as long as nothing
    is added between.
    """

    def __init__(
        self, sources: Mapping[str, Source], shares: SourceShares, seed: int, device: torch.device | str = "cpu"
    ) -> None:
        self._sources = {name: sources[name] for name in shares.drawn}
        self._shares = shares
        self._generators = {
            name: torch.Generator(device).manual_seed(seed + 2 + index) for index, name in enumerate(self._sources)
        }
        self._carry = np.zeros(len(self._sources))  # of each source, from rounding [transitions]
        self._drawn = 0  # batches
        self._counts: list[tuple[int, ...]] = []  # transitions of each source in the newest batches

    @property
    def reward_range(self) -> tuple[float, float]:
        """Least and greatest reward ever added to any source, and 0."""
        lows, highs = zip(*(source.reward_range for source in self._sources.values()), strict=True)
        return min(lows), max(highs)

    def sample(self, blocks: int, batch_size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw `blocks` batches; within each the sources stand one after the other. `generator` is not used.

        Raises:
            NafRobotError: no source that has a share now holds anything.
        """
        parts = [self._draw(run, length) for run, length in self._runs(blocks, batch_size)]
        if len(parts) == 1:
            return parts[0]
        observations, outcomes = zip(*parts, strict=True)
        return torch.cat(observations), torch.cat(outcomes)

    def sample_images(
        self, blocks: int, batch_size: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """As `sample`, with pictures by camera, uint8 (K, 2, B, H, W, 3).

        Raises:
            NafRobotError: no source that has a share now holds anything.
        """
        parts = [self._draw_images(run, length) for run, length in self._runs(blocks, batch_size)]
        observations, outcomes, pictures = zip(*parts, strict=True)
        cameras = {name: torch.cat([part[name] for part in pictures]) for name in pictures[0]}
        return torch.cat(observations), torch.cat(outcomes), cameras

    def _runs(self, blocks: int, batch_size: int) -> list[tuple[tuple[int, ...], int]]:
        """How many transitions of each source the next batches have, and for how many batches in succession."""
        counts = [self._divide(self._drawn + block, batch_size) for block in range(blocks)]
        self._drawn, self._counts = self._drawn + blocks, counts
        return [(run, len(list(group))) for run, group in groupby(counts)]

    def rows_of(self, source: str) -> Tensor:
        """Which rows of the newest `sample` are from `source`: 1 or 0, float32 (K, B)."""
        names = list(self._sources)
        rows = torch.zeros(len(self._counts), sum(self._counts[0]) if self._counts else 0)
        if source in names:
            place = names.index(source)
            for row, counts in zip(rows, self._counts, strict=True):
                begin = sum(counts[:place])
                row[begin : begin + counts[place]] = 1.0
        return rows

    def state(self) -> dict[str, NDArray]:
        """Random streams, carried rounding errors and the number of batches drawn; copies."""
        state = {name: generator.get_state().numpy().copy() for name, generator in self._generators.items()}
        return state | {CARRY: self._carry.copy(), DRAWN: np.asarray(self._drawn, np.int64)}

    def load_state(self, state: Mapping[str, NDArray]) -> None:
        """Go on from `state`.

        Raises:
            CheckpointError: it is of other sources; nothing was changed.
        """
        own = self.state()
        if {name: a.shape for name, a in own.items()} != {name: np.shape(a) for name, a in state.items()}:
            raise CheckpointError(f"the checkpoint draws from {_names(state)}, this run from {_names(own)}")
        for name, generator in self._generators.items():
            generator.set_state(torch.from_numpy(np.array(state[name], np.uint8)))
        self._carry, self._drawn = np.array(state[CARRY], np.float64), int(state[DRAWN])

    def _divide(self, number: int, batch_size: int) -> tuple[int, ...]:
        """Transitions of each source in batch `number`."""
        now = self._shares.at(number)
        shares = np.array([now[name] if len(source) else 0.0 for name, source in self._sources.items()])
        if not shares.sum():
            filled = [name for name, source in self._sources.items() if len(source)]
            raise NafRobotError(f"cannot sample: every source with a share is empty; filled: {filled or 'none'}")
        carry = np.where(shares > 0.0, self._carry, 0.0)
        wanted = shares / shares.sum() * batch_size + carry
        counts = np.maximum(0, np.floor(wanted)).astype(int)
        while counts.sum() < batch_size:
            counts[np.where(shares > 0.0, wanted - counts, -np.inf).argmax()] += 1
        while counts.sum() > batch_size:
            counts[np.where(counts > 0, wanted - counts, np.inf).argmin()] -= 1
        self._carry = np.where(shares > 0.0, wanted - counts, 0.0)
        return tuple(counts.tolist())

    def _draw(self, counts: tuple[int, ...], blocks: int) -> tuple[Tensor, Tensor]:
        parts = [
            source.sample(blocks, count, self._generators[name])
            for (name, source), count in zip(self._sources.items(), counts, strict=True)
            if count
        ]
        observations, outcomes = zip(*parts, strict=True)
        return torch.cat(observations, dim=2), torch.cat(outcomes, dim=1)

    def _draw_images(self, counts: tuple[int, ...], blocks: int) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        parts = [
            source.sample_images(blocks, count, self._generators[name])
            for (name, source), count in zip(self._sources.items(), counts, strict=True)
            if count
        ]
        observations, outcomes, pictures = zip(*parts, strict=True)
        cameras = {name: torch.cat([part[name] for part in pictures], dim=2) for name in pictures[0]}
        return torch.cat(observations, dim=2), torch.cat(outcomes, dim=1), cameras


def _names(state: Mapping[str, NDArray]) -> list[str]:
    return sorted(set(state) - {CARRY, DRAWN})
