"""The transitions a learner trains on, resident on its device. B batch, D observation, A action size."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from naf_robot.core.errors import NafRobotError
from naf_robot.core.records import TransitionBatch
from naf_robot.learning.successes import Successes

REWARD, TERMINATED, TRUNCATED = -3, -2, -1  # columns of an outcome row, counted from its end


class ReplayBuffer:
    """A ring over the newest `capacity` transitions.

    Two tables, so that a block of many updates costs two gathers: `observations` holds the
    observation of slot i in row 2i and its successor in row 2i + 1; `outcomes` holds
    (executed action, reward, terminated, truncated). The tables are allocated untouched, so
    memory grows with what is stored, not with the capacity.

    A share `success_fraction` of every batch comes from episodes that ended in success, as soon as there are
    any; the rest comes from all transitions alike. What is rare when a skill is found is then
    learned from often.
    """

    def __init__(
        self,
        capacity: int,
        observation_size: int,
        action_size: int,
        device: str = "cpu",
        success_fraction: float = 0.0,
    ) -> None:
        if capacity < 1:
            raise NafRobotError(f"replay capacity must be at least 1, got {capacity}")
        if not 0.0 <= success_fraction < 1.0:
            raise NafRobotError(f"the share of successes in a batch must be in [0, 1), got {success_fraction}")
        self.capacity = capacity
        self.observation_size = observation_size
        self.action_size = action_size
        self.device = torch.device(device)
        self.observations = torch.empty((2 * capacity, observation_size), device=self.device)
        self.outcomes = torch.empty((capacity, action_size + 3), device=self.device)
        self.reward_range = (0.0, 0.0)  # least and greatest reward ever added, and 0
        self.added = 0  # transitions ever added; the next slot is this modulo the capacity
        self.success_fraction = success_fraction
        self._successes = Successes(capacity, self.device) if success_fraction else None

    def __len__(self) -> int:
        return min(self.added, self.capacity)

    def add(self, batch: TransitionBatch, source: str = "") -> None:
        """Store `batch` of the collector `source`, oldest first; when full, the oldest transitions make room.

        Raises:
            NafRobotError: sizes that differ from the buffer's, or values that are not finite.
        """
        observations, outcomes = self._rows(batch)
        self.widen_reward_range(outcomes[:, REWARD])
        if self._successes is not None:
            self._successes.note(batch, self.added, source)
        surplus = max(0, len(batch) - self.capacity)  # a batch longer than the ring overwrites itself
        self.added += surplus
        observations, outcomes = observations[surplus:], outcomes[surplus:]
        start = self.added % self.capacity
        first = min(len(outcomes), self.capacity - start)
        self._write(start, observations[:first], outcomes[:first])
        self._write(0, observations[first:], outcomes[first:])
        self.added += len(outcomes)

    def skip(self, count: int) -> None:
        """Count `count` transitions as added that what is added next, at least a whole capacity, overwrites."""
        self.added += count

    def sample(self, blocks: int, batch_size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw `blocks` batches with replacement in one go, uniformly but for the share of successes.

        The stream of `generator` is used in the same way however the batches are divided
        over calls, as long as nothing is added between.

        Returns:
            Observations, shape `(blocks, 2, batch_size, D)`, index 0 of the second axis the
            observation and 1 its successor; outcomes, shape `(blocks, batch_size, A + 3)`.

        Raises:
            NafRobotError: the buffer is empty.
        """
        if not self.added:
            raise NafRobotError("cannot sample from an empty replay buffer")
        slots = self._draw((blocks, 1, batch_size), generator)
        pairs = torch.cat((2 * slots, 2 * slots + 1), dim=1)
        observations = self.observations.index_select(0, pairs.view(-1))
        outcomes = self.outcomes.index_select(0, slots.view(-1))
        return (
            observations.view(blocks, 2, batch_size, self.observation_size),
            outcomes.view(blocks, batch_size, self.action_size + 3),
        )

    def _draw(self, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
        successes = self._successes.slots() if self._successes is not None else ()
        if not len(successes):
            return torch.randint(len(self), shape, generator=generator, device=self.device)
        # One number for each slot whichever way it is drawn: the division over calls must not matter.
        uniform = torch.rand(shape, generator=generator, device=self.device, dtype=torch.float64)
        slots = (uniform * len(self)).long()
        count = round(self.success_fraction * shape[-1])
        slots[..., :count] = successes[(uniform[..., :count] * len(successes)).long()]
        return slots

    def widen_reward_range(self, rewards: NDArray[np.float32]) -> None:
        """Let `reward_range` take in `rewards` (N,), of transitions that are held or no longer are."""
        low, high = self.reward_range
        self.reward_range = (float(rewards.min(initial=low)), float(rewards.max(initial=high)))

    def _rows(self, batch: TransitionBatch) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        sizes = (batch.observation.shape[-1], batch.action.shape[-1])
        if sizes != (self.observation_size, self.action_size):
            raise NafRobotError(
                f"replay holds observations of size {self.observation_size} and actions of size {self.action_size}, "
                f"got {sizes[0]} and {sizes[1]}"
            )
        flags = (batch.reward, batch.terminated, batch.truncated)
        observations = np.stack((batch.observation, batch.next_observation), axis=1).astype(np.float32, copy=False)
        outcomes = np.column_stack((batch.action, *flags)).astype(np.float32, copy=False)
        if not (np.isfinite(observations).all() and np.isfinite(outcomes).all()):
            raise NafRobotError("a transition batch with values that are not finite cannot enter the replay buffer")
        return observations, outcomes

    def _write(self, start: int, observations: NDArray[np.float32], outcomes: NDArray[np.float32]) -> None:
        stop = start + len(outcomes)
        rows = observations.reshape(-1, self.observation_size)
        self.observations[2 * start : 2 * stop] = torch.from_numpy(np.ascontiguousarray(rows)).to(self.device)
        self.outcomes[start:stop] = torch.from_numpy(np.ascontiguousarray(outcomes)).to(self.device)
