"""Episodes at the trainer: records of finished ones, and the evaluation success over a window."""

import json
from collections import Counter, deque
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from naf_robot.core.files import replace_file
from naf_robot.core.sequential import RepeatedTest, SequentialConfig
from naf_robot.experience.compacted import EpisodePart


@dataclass(frozen=True)
class EpisodeRecord:
    """One finished episode, computed from its steps."""

    index: int  # order of arrival at the trainer, from 1
    robot: str
    episode: int
    greedy: bool
    success: bool  # at the last observation
    steps: int  # transitions
    episode_return: float
    reward_terms: dict[str, float]  # sums over the episode
    policy_version: int
    env_steps: int  # transitions the trainer held by then
    wall_s: float


class EvaluationWindow:
    """Success and return of the newest greedy episodes, up to `size` of them.

    The trainer asks in every turn of its loop, so that the sums are kept, whatever the window's size.
    """

    def __init__(self, size: int) -> None:
        self._episodes: deque[tuple[bool, float]] = deque(maxlen=size)
        self._successes, self._returns = 0, 0.0

    def add(self, record: EpisodeRecord) -> None:
        """Take the newest; the oldest leaves a full window."""
        if self.is_full:
            success, episode_return = self._episodes[0]
            self._successes -= success
            self._returns -= episode_return
        self._episodes.append((record.success, record.episode_return))
        self._successes += record.success
        self._returns += record.episode_return

    @property
    def is_full(self) -> bool:
        """Whether it holds as many as it can."""
        return len(self._episodes) == self._episodes.maxlen

    @property
    def success_rate(self) -> float:
        """Fraction of successes, 0 before the first episode."""
        return self._successes / len(self._episodes) if self._episodes else 0.0

    @property
    def mean_return(self) -> float:
        """Mean of the returns, 0 before the first episode."""
        return self._returns / len(self._episodes) if self._episodes else 0.0


@dataclass
class _Open:
    episode: int
    steps: int = 0
    terms: np.ndarray | None = None
    greedy: bool = False
    success: bool = False
    policy_version: int = 0


class EpisodeLog:
    """Follows every robot's episodes through their batches, which come in order; one JSON line per finished one.

    An episode without a transition does not count. Until `start` nothing is written, so that the log of a run can be
    made again from its store.
    """

    def __init__(
        self,
        path: Path | None,
        reward_names: tuple[str, ...],
        window: int,
        sequential: SequentialConfig | None = None,
    ) -> None:
        self._path = path
        self._reward_names = reward_names
        self._open: dict[str, _Open] = {}
        self._window = EvaluationWindow(window)
        self.test = RepeatedTest(sequential) if sequential else None  # of the policies in the newest greedy episodes
        self._known_wall_s = _wall_times(path) if path else {}
        self._before_start: list[str] | None = []
        self._file: TextIO | None = None
        self.trouble: str | None = None  # why lines could not be written; the next start writes them
        self.episodes = 0
        self.evaluations = 0
        self.by_robot: Counter[str] = Counter()  # finished episodes
        self.wall_s = 0.0  # of the newest episode

    def start(self) -> None:
        """Write what was gathered so far in place of the file, and every further line at once.

        Raises:
            OSError: the write failed; the old file stays.
        """
        lines, self._before_start = self._before_start or [], None
        self._known_wall_s = {}
        if self._path is not None:
            replace_file(self._path, "".join(lines).encode())
            self._file = self._path.open("a", encoding="utf-8")

    def add(self, robot: str, parts: list[EpisodePart], env_steps: int, wall_s: float) -> list[EpisodeRecord]:
        """Take the next batch of `robot`; the episodes that end in it."""
        finished: list[EpisodeRecord] = []
        for part in parts:
            episode = self._open.get(robot)
            if episode is not None and episode.episode != part.episode:  # it was cut off between two batches
                finished += self._finish(robot, env_steps, wall_s)
                episode = None
            if episode is None:
                episode = self._open[robot] = _Open(part.episode)
            episode.steps += part.steps
            terms = np.array(part.terms)
            episode.terms = terms if episode.terms is None else episode.terms + terms
            episode.greedy, episode.success = part.greedy, part.success
            episode.policy_version = part.policy_version
            if part.ended:
                finished += self._finish(robot, env_steps, wall_s)
        return finished

    def _finish(self, robot: str, env_steps: int, wall_s: float) -> list[EpisodeRecord]:
        episode = self._open.pop(robot)
        if episode.steps == 0:
            return []
        terms = episode.terms if episode.terms is not None else np.zeros(len(self._reward_names))
        self.episodes += 1
        self.by_robot[robot] += 1
        if self._before_start is not None:
            wall_s = self._known_wall_s.get((robot, episode.episode), self.wall_s)
        self.wall_s = wall_s
        record = EpisodeRecord(
            index=self.episodes,
            robot=robot,
            episode=episode.episode,
            greedy=episode.greedy,
            success=episode.success,
            steps=episode.steps,
            episode_return=float(terms.sum()),
            reward_terms=dict(zip(self._reward_names, terms.tolist(), strict=True)),
            policy_version=episode.policy_version,
            env_steps=env_steps,
            wall_s=wall_s,
        )
        if record.greedy:
            self.evaluations += 1
            self._window.add(record)
            if self.test is not None:
                self.test.add(record.success)
        self._write(json.dumps(asdict(record)) + "\n")
        return [record]

    def _write(self, line: str) -> None:
        if self._before_start is not None:
            self._before_start.append(line)
        elif self._file is not None:
            try:
                self._file.write(line)
                self._file.flush()
            except OSError as error:
                self.trouble = f"episodes.jsonl not written: {error}"

    @property
    def evaluation_success(self) -> float:
        """Success rate of the newest greedy episodes, 0 before the first."""
        return self._window.success_rate

    @property
    def evaluation_return(self) -> float:
        """Mean return of the newest greedy episodes, 0 before the first."""
        return self._window.mean_return

    @property
    def test_is_passed(self) -> bool:
        """Whether a sequential test has passed; never where none was asked for."""
        return self.test is not None and self.test.passed

    @property
    def window_is_full(self) -> bool:
        """Whether the success rate is over a whole window."""
        return self._window.is_full

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _wall_times(path: Path) -> dict[tuple[str, int], float]:
    """When which episode ended, as far as the file of an earlier process says; an incomplete line is ignored."""
    times: dict[tuple[str, int], float] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else ():
        try:
            entry = json.loads(line)
            times[str(entry["robot"]), int(entry["episode"])] = float(entry["wall_s"])
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
    return times
