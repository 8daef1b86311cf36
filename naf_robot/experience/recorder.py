"""One episode being recorded: observations, requested and executed actions in, steps out.

The only place that makes steps, for robots and for Gymnasium environments alike. What was executed is recorded as it
was: the safety projection may leave the action box (it brakes by the limits of the arm, not of the policy), and a
step that says less than what happened would be untrue.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from naf_robot.core.array_spec import Observation
from naf_robot.core.frames import FrameFormat
from naf_robot.core.records import StepBatch, StepSpec
from naf_robot.experience.journal import JournalRow, batch_of, layout_of, pack_observation

INITIAL_ROWS = 64


class Pictures(NamedTuple):
    """How pictures are compressed."""

    kind: FrameFormat = "png"
    quality: int = 90


PNG = Pictures()


class EpisodeRecorder:
    """The steps of one episode.

    Every control tick calls `observe` once; between two observations `complete` gives the outcome of the action, if
    it is known. `close` makes the last observation the closing step. `take` returns the steps that are complete.

    Raises (at use):
        ValueError: an array that does not fit the spec's shape.
    """

    def __init__(
        self,
        spec: StepSpec,
        episode: int,
        policy_version: int = 0,
        greedy: bool = False,
        pictures: Pictures = PNG,
    ) -> None:
        self._layout = layout_of(spec)
        self._specs = {array.name: array for array in spec.observation.images}
        self._format = pictures
        self._observations = np.zeros(INITIAL_ROWS, self._layout.observation)
        self._outcomes = np.zeros(INITIAL_ROWS, self._layout.outcome)
        self._pictures: list[dict[str, NDArray | bytes]] = []  # as they came until they are asked for
        self._facts = (episode, policy_version, greedy)
        self._rows = 0  # held, the open one included
        self._end: tuple[bool, bool] | None = None
        self._sent = False  # whether steps were taken before
        self.steps = 0  # that are complete
        self.discarded = 0  # of them without an executed action
        self.total_reward = 0.0
        self.bytes = 0  # of the compressed pictures held

    def observe(
        self, stamp_s: float, observation: Observation, success: bool, extra: Mapping[str, ArrayLike] | None = None
    ) -> None:
        """Open the next step: the named arrays at `stamp_s`, and whether the episode would be a success by now."""
        if self._rows == len(self._observations):
            self._observations = np.concatenate((self._observations, np.zeros_like(self._observations)))
            self._outcomes = np.concatenate((self._outcomes, np.zeros_like(self._outcomes)))
        record = self._observations[self._rows]
        for name in self._layout.vectors:
            record[f"observation.{name}"] = observation[name]
        for name in self._layout.extra:
            record[f"extra.{name}"] = (extra or {}).get(name, 0)
        record["episode"], record["policy_version"], record["greedy"] = self._facts
        record["step"], record["success"], record["stamp_s"] = self.steps, success, stamp_s
        self._outcomes[self._rows] = np.zeros((), self._layout.outcome)
        pictures: dict[str, NDArray | bytes] = {name: observation[name] for name in self._layout.images}
        for name in pictures:
            self._specs[name].validate(observation[name])
        self._pictures.append(pictures)
        self._rows += 1

    def is_no_evaluation(self) -> None:
        """The steps from the next observation on are not greedy: the policy alone does not act any more."""
        episode, policy_version, _ = self._facts
        self._facts = (episode, policy_version, False)

    def _compressed(self, rows: slice) -> list[dict[str, bytes]]:
        """The pictures of `rows`, compressed now unless they are already: that takes longer than a control tick may."""
        from naf_robot.core.images import encode_image

        found: list[dict[str, bytes]] = []
        for row in self._pictures[rows]:
            compressed: dict[str, bytes] = {}
            for name, picture in row.items():
                if not isinstance(picture, bytes):
                    picture = encode_image(picture, self._format.kind, self._format.quality)
                    self.bytes += len(picture)
                compressed[name] = picture
            row.update(compressed)
            found.append(compressed)
        return found

    def complete(
        self, requested: ArrayLike | None = None, executed: ArrayLike | None = None, terms: ArrayLike | None = None
    ) -> None:
        """What followed the open observation; without an executed action the step is discarded for learning.

        `requested` in [-1, 1] and `executed` have shape (A,), `terms` (K,) are the weighted reward terms.
        """
        self._compressed(slice(self._rows - 1, self._rows))  # if nobody asked for it: raw pictures do not pile up
        self.steps += 1
        if executed is None or requested is None or terms is None:
            self.discarded += 1
            return
        reward = float(np.sum(terms))
        record = self._outcomes[self._rows - 1]
        record["requested_action"], record["action"] = requested, executed
        record["reward_terms"], record["reward"], record["has_action"] = terms, reward, True
        self.total_reward += reward

    def close(self, terminated: bool = False, truncated: bool = True) -> None:
        """The open observation is the episode's last."""
        self._end = (terminated, truncated)

    @property
    def complete_rows(self) -> int:
        """Complete steps not yet taken."""
        return self._rows - 1

    def journal_row(self) -> JournalRow:
        """The newest observation, and the outcome of the step before if it has not been taken."""
        newest = self._rows - 1
        (pictures,) = self._compressed(slice(newest, newest + 1))
        observation = pack_observation(self._observations[newest], pictures, self._layout)
        return JournalRow(observation, self._outcomes[newest - 1].tobytes() if newest > 0 else None)

    def take(self) -> StepBatch | None:
        """Steps not yet taken: the complete ones, and the closing one after `close`; None without any to learn from.

        A closing step alone counts if steps before it were taken.
        """
        closed = self._end is not None
        count = self._rows if closed else self._rows - 1
        if count < (1 if self._sent or not closed else 2):
            return None
        pictures = self._compressed(slice(count))
        batch = batch_of(self._layout, self._observations[:count], self._outcomes[:count], pictures, self._end)
        if not closed:
            self._observations[0] = self._observations[count]
            self._outcomes[0] = self._outcomes[count]
        self._pictures = self._pictures[count:]
        self._rows -= count
        self.bytes -= sum(len(data) for row in pictures for data in row.values())
        self._sent = True
        return batch

    def newest_pair(self) -> StepBatch:
        """The newest complete step and the open one, as `take` will return them."""
        rows = slice(self._rows - 2, self._rows)
        pictures = self._compressed(rows)
        return batch_of(self._layout, self._observations[rows], self._outcomes[rows], pictures, self._end)
