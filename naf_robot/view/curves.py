"""Learning curves of a run folder, as far as they have grown."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from naf_robot.core import run_files
from naf_robot.core.errors import RunFolderError
from naf_robot.core.records import FloatArray
from naf_robot.run.report import WINDOW, read_episodes

MEAN_OF = 10  # exploring episodes of one robot
MAX_POINTS = 600  # of a curve: more than a page has room for


class Curves(NamedTuple):
    """Curves over the episodes of all robots; a value that is not there yet is NaN."""

    episode: FloatArray  # (k,) its number
    returns: dict[str, FloatArray]  # (k,) by robot: mean return of its newest `MEAN_OF` exploring episodes
    success: FloatArray  # (k,) success rate of the newest `WINDOW` greedy episodes


def curves_of(episodes: Sequence[dict[str, Any]], robots: Sequence[str]) -> Curves:
    """The curves of `episodes`, as `run.report.read_episodes` gives them, at `MAX_POINTS` of them at most."""
    shown = np.unique(np.linspace(0, len(episodes) - 1, MAX_POINTS).astype(int)) if episodes else np.zeros(0, int)
    greedy = np.array([bool(episode["greedy"]) for episode in episodes], dtype=bool)
    success = np.array([float(episode["success"]) for episode in episodes])
    values = np.array([float(episode["episode_return"]) for episode in episodes])
    robot = np.array([str(episode["robot"]) for episode in episodes])
    index = np.array([float(episode["index"]) for episode in episodes])
    returns = {name: _running_mean(values, ~greedy & (robot == name), MEAN_OF)[shown] for name in robots}
    return Curves(index[shown], returns, _running_mean(success, greedy, WINDOW)[shown])


def _running_mean(values: FloatArray, counted: np.ndarray, window: int) -> FloatArray:
    """At each place the mean of the newest `window` of `values` that are `counted` (k,), NaN before the first."""
    mean = np.full(len(values), np.nan)
    places = np.flatnonzero(counted)
    if len(places) == 0:
        return mean
    sums = np.concatenate(([0.0], np.cumsum(values[places])))
    ends = np.arange(1, len(places) + 1)
    begins = np.maximum(ends - window, 0)
    means = (sums[ends] - sums[begins]) / (ends - begins)
    newest = np.searchsorted(places, np.arange(len(values)), side="right") - 1
    mean[newest >= 0] = means[newest[newest >= 0]]
    return mean


class CurveFile:
    """The curves of the run in `run_dir`, read again when its episode log has grown."""

    def __init__(self, run_dir: Path, robots: Sequence[str]) -> None:
        self._run_dir, self._robots = run_dir, tuple(robots)
        self._seen: tuple[int, int] | None = None
        self.episodes: list[dict[str, Any]] = []

    def read(self) -> Curves | None:
        """New curves; None where nothing has changed, or nothing can be read."""
        try:
            status = (self._run_dir / run_files.EPISODES).stat()
            if (seen := (status.st_mtime_ns, status.st_size)) == self._seen:
                return None
            episodes = read_episodes(self._run_dir)
            curves = curves_of(episodes, self._robots)
        except (OSError, RunFolderError, ValueError, KeyError, TypeError):  # a line that is being written, too
            return None
        self._seen, self.episodes = seen, episodes
        return curves
