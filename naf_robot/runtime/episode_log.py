"""What the trainer sees of episodes: finished ones as records, greedy success over a window."""

import json
from collections import deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from naf_robot.experience.codec import ExperienceMessage


@dataclass(frozen=True)
class EpisodeRecord:
    """One finished episode as its transitions tell it."""

    index: int  # order of arrival at the trainer, from 1
    robot: str
    episode: int
    greedy: bool
    success: bool  # at the last transition
    steps: int
    episode_return: float
    reward_terms: dict[str, float]  # sums over the episode
    policy_version: int
    env_steps: int  # transitions the trainer held by then
    wall_s: float


@dataclass
class _Open:
    steps: int = 0
    terms: np.ndarray | None = None


class EpisodeLog:
    """Follows every robot's episodes through their transitions and writes one JSON line per finished one."""

    def __init__(self, path: Path | None, reward_names: tuple[str, ...], window: int) -> None:
        self._reward_names = reward_names
        self._open: dict[tuple[str, int], _Open] = {}
        self._window: deque[bool] = deque(maxlen=window)
        self._file: TextIO | None = path.open("a", encoding="utf-8") if path else None
        self.episodes = 0
        self.evaluations = 0

    def add(self, message: ExperienceMessage, env_steps: int, wall_s: float) -> list[EpisodeRecord]:
        """Take one batch; the episodes that end in it."""
        batch, finished = message.batch, []
        ends = batch.terminated | batch.truncated
        for row in range(len(batch)):
            key = (message.collector, int(batch.episode[row]))
            episode = self._open.setdefault(key, _Open())
            episode.steps += 1
            terms = batch.reward_terms[row].astype(np.float64)
            episode.terms = terms if episode.terms is None else episode.terms + terms
            if ends[row]:
                finished.append(self._finish(message, row, env_steps, wall_s))
        return finished

    def _finish(self, message: ExperienceMessage, row: int, env_steps: int, wall_s: float) -> EpisodeRecord:
        batch = message.batch
        key = (message.collector, int(batch.episode[row]))
        episode = self._open.pop(key)
        terms = episode.terms if episode.terms is not None else np.zeros(len(self._reward_names))
        self.episodes += 1
        record = EpisodeRecord(
            index=self.episodes,
            robot=message.collector,
            episode=key[1],
            greedy=bool(batch.greedy[row]),
            success=bool(batch.success[row]),
            steps=episode.steps,
            episode_return=float(terms.sum()),
            reward_terms=dict(zip(self._reward_names, terms.tolist(), strict=True)),
            policy_version=int(batch.policy_version[row]),
            env_steps=env_steps,
            wall_s=wall_s,
        )
        if record.greedy:
            self.evaluations += 1
            self._window.append(record.success)
        if self._file is not None:
            self._file.write(json.dumps(asdict(record)) + "\n")
            self._file.flush()
        return record

    @property
    def greedy_success(self) -> float:
        """Success rate of the newest greedy episodes, 0 before the first."""
        return float(np.mean(self._window)) if self._window else 0.0

    @property
    def window_is_full(self) -> bool:
        """Whether the success rate is over a whole window."""
        return len(self._window) == self._window.maxlen

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
