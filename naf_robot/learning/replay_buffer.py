"""The transitions a learner trains on, resident on its device. B batch, D observation, A action size."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from naf_robot.core.array_spec import ArraySpec
from naf_robot.core.errors import NafRobotError
from naf_robot.core.transitions import Transitions
from naf_robot.learning.observation_rows import ObservationRows
from naf_robot.learning.replay_frames import ReplayFrames
from naf_robot.learning.successes import Successes

REWARD, TERMINATED, TRUNCATED = -3, -2, -1  # columns of an outcome row, counted from its end
REFERENCES = 2  # further columns of the table: the rows of the observation and of its successor, as int32


class ReplayBuffer:
    """A ring over the newest `capacity` transitions.

    Every observation is held once: `observations` has a row for each, which is freed when no transition of the ring
    refers to it any more. A row of the ring's own table holds (action, reward, terminated, truncated) and, in the same
    memory, the rows of the observation and of its successor: so a block of many updates costs two gathers.
    The tables are allocated untouched, so memory grows with what is stored, not with the capacity.

    Pictures (`images`) stay compressed beside the observations and are decoded when they are sampled; up to
    `decoded_bytes` of decoded ones are kept besides. When the compressed ones take more than `frame_bytes`, the oldest
    transitions leave together with their pictures.

    A fraction `success_fraction` of every batch comes from episodes that ended in success, as soon as there are
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
        images: Sequence[ArraySpec] = (),
        frame_bytes: int = 1 << 62,
        decoded_bytes: int = 0,
    ) -> None:
        if capacity < 1:
            raise NafRobotError(f"replay capacity must be at least 1, got {capacity}")
        if not 0.0 <= success_fraction < 1.0:
            raise NafRobotError(f"the fraction of successes in a batch must be in [0, 1), got {success_fraction}")
        self.capacity = capacity
        self.observation_size = observation_size
        self.action_size = action_size
        self.device = torch.device(device)
        self._width = action_size + 3
        self._rows = ObservationRows(capacity)
        self._observations = torch.empty((self._rows.size, observation_size), device=self.device)
        self._table = torch.empty((capacity, self._width + REFERENCES), device=self.device)
        self._references = self._table.view(torch.int32)[:, self._width :]
        self._frames = ReplayFrames(images, frame_bytes, decoded_bytes)
        self.reward_range = (0.0, 0.0)  # least and greatest reward ever added, and 0
        self.added = 0  # transitions ever added; the next slot is this modulo the capacity
        self._oldest = 0  # number of the oldest transition held
        self.success_fraction = success_fraction
        self._successes = Successes(capacity, self.device) if success_fraction else None

    def __len__(self) -> int:
        return self.added - self._oldest

    @property
    def observations_held(self) -> int:
        """Observations that transitions refer to."""
        return self._rows.used

    @property
    def frame_bytes(self) -> int:
        """Bytes of the compressed pictures held."""
        return self._frames.bytes

    @property
    def bytes_per_transition(self) -> float:
        """Bytes of the tables in use per transition held, pictures apart."""
        rows = self._rows.used * self.observation_size + len(self) * self._table.shape[1]
        return 4.0 * rows / max(1, len(self)) + self._rows.bytes_per_transition

    def add(self, transitions: Transitions, source: str = "") -> None:
        """Store `transitions` of the collector `source`, oldest first; when full, the oldest ones make room.

        Raises:
            NafRobotError: sizes that differ from the buffer's, or values that are not finite.
        """
        table = self._table_rows(transitions)
        self.widen_reward_range(transitions.reward)
        if self._successes is not None:
            self._successes.note(transitions, self.added, source)
        surplus = max(0, len(transitions) - self.capacity)  # a batch longer than the ring overwrites itself
        self.added += surplus
        origin, successor, table = transitions.origin[surplus:], transitions.successor[surplus:], table[surplus:]
        slots = np.arange(self.added, self.added + len(table)) % self.capacity
        if self.added + len(table) > self.capacity:
            self._frames.forget(self._rows.release(slots))
        rows, pairs, fresh = self._rows.refer(
            slots, origin, successor, len(transitions.vectors), transitions.continues, source
        )
        self._write(self._observations, rows[fresh], transitions.vectors[fresh])
        self._frames.put(rows, fresh, transitions.images)
        table.view(np.int32)[:, self._width :] = pairs
        self._write(self._table, slots, table)
        self.added += len(table)
        self._oldest = max(self._oldest, self.added - self.capacity)
        while self._frames.is_over and len(self) > 1:
            self._evict()

    def skip(self, count: int) -> None:
        """Count `count` transitions as added that what is added next, at least a whole capacity, overwrites."""
        slots = np.arange(self.added, self.added + min(count, self.capacity)) % self.capacity
        self._frames.forget(self._rows.release(slots))
        self.added += count
        self._oldest = max(self._oldest, self.added - self.capacity)

    def sample(self, blocks: int, batch_size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw `blocks` batches with replacement in one go, uniformly but for the fraction of successes.

        The stream of `generator` is used in the same way however the batches are divided
        over calls, as long as nothing is added between.

        Returns:
            Observations, shape `(blocks, 2, batch_size, D)`, index 0 of the second axis the
            observation and 1 its successor; outcomes, shape `(blocks, batch_size, A + 3)`.

        Raises:
            NafRobotError: the buffer is empty.
        """
        observations, outcomes, _ = self._gather(self._draw((blocks, 1, batch_size), generator))
        return observations, outcomes

    def sample_images(
        self, blocks: int, batch_size: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """As `sample`, and of every camera the pictures, decoded: uint8 `(blocks, 2, batch_size, H, W, 3)`.

        Raises:
            NafRobotError: the buffer is empty.
        """
        observations, outcomes, rows = self._gather(self._draw((blocks, 1, batch_size), generator))
        images = self._frames.decoded(rows.cpu().numpy())
        shape = (blocks, 2, batch_size)
        return (
            observations,
            outcomes,
            {name: a.to(self.device).view(*shape, *a.shape[1:]) for name, a in images.items()},
        )

    def contents(self) -> tuple[Tensor, Tensor]:
        """All that is held, oldest first: observations `(1, 2, N, D)` and outcomes `(1, N, A + 3)`, as in `sample`."""
        slots = torch.arange(self._oldest, self.added, device=self.device) % self.capacity
        observations, outcomes, _ = self._gather(slots.view(1, 1, -1))
        return observations, outcomes

    def _gather(self, slots: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Observations, outcomes and, flat, the observations' rows of `slots` (blocks, 1, B)."""
        blocks, _, batch_size = slots.shape
        table = self._table.index_select(0, slots.view(-1))
        references = table.view(torch.int32)[:, self._width :]
        rows = references.view(blocks, batch_size, 2).transpose(1, 2).reshape(-1)
        observations = self._observations.index_select(0, rows).view(blocks, 2, batch_size, self.observation_size)
        return observations, table[:, : self._width].view(blocks, batch_size, self._width), rows

    def _draw(self, shape: tuple[int, int, int], generator: torch.Generator) -> Tensor:
        if not len(self):
            raise NafRobotError("cannot sample from an empty replay buffer")
        successes = self._successes.slots() if self._successes is not None else ()
        if not len(successes):
            return self._slots(torch.randint(len(self), shape, generator=generator, device=self.device))
        # One number for each slot whichever way it is drawn: the division over calls must not matter.
        uniform = torch.rand(shape, generator=generator, device=self.device, dtype=torch.float64)
        slots = self._slots((uniform * len(self)).long())
        count = round(self.success_fraction * shape[-1])
        slots[..., :count] = successes[(uniform[..., :count] * len(successes)).long()]
        return slots

    def _slots(self, numbers: Tensor) -> Tensor:
        """Slots for numbers below the length; where nothing was evicted any order of the ring will do."""
        if len(self) == min(self.added, self.capacity):
            return numbers
        return (numbers + self._oldest) % self.capacity

    def widen_reward_range(self, rewards: NDArray[np.float32]) -> None:
        """Let `reward_range` take in `rewards` (N,), of transitions that are held or no longer are."""
        low, high = self.reward_range
        self.reward_range = (float(rewards.min(initial=low)), float(rewards.max(initial=high)))

    def _table_rows(self, transitions: Transitions) -> NDArray[np.float32]:
        """Rows for the table, their references not yet set."""
        sizes = (transitions.vectors.shape[-1], transitions.action.shape[-1])
        if sizes != (self.observation_size, self.action_size):
            raise NafRobotError(
                f"replay holds observations of size {self.observation_size} and actions of size {self.action_size}, "
                f"got {sizes[0]} and {sizes[1]}"
            )
        rows = np.empty((len(transitions), self._width + REFERENCES), np.float32)
        outcomes = rows[:, : self._width]
        outcomes[:, : self.action_size] = transitions.action
        outcomes[:, REWARD] = transitions.reward
        outcomes[:, TERMINATED] = transitions.terminated
        outcomes[:, TRUNCATED] = transitions.truncated
        if not (np.isfinite(transitions.vectors).all() and np.isfinite(outcomes).all()):
            raise NafRobotError("transitions with values that are not finite cannot enter the replay buffer")
        return rows

    def _write(self, table: Tensor, rows: NDArray[np.int64], values: NDArray[np.float32]) -> None:
        if self.device.type == "cpu":
            table.numpy()[rows] = values  # the same memory, at a tenth of the cost of an index in torch
        else:
            table[torch.from_numpy(rows).to(self.device)] = torch.from_numpy(values).to(self.device)

    def _evict(self) -> None:
        """Let the oldest transition go."""
        self._frames.forget(self._rows.release(np.array([self._oldest % self.capacity])))
        if self._successes is not None:
            self._successes.give_up(self._oldest)
        self._oldest += 1
