"""The statistics of a run over days on the trainer's side: its clocks, its file, its alarms."""

import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from naf_robot.core.clock import Clock
from naf_robot.core.drift import threshold_of
from naf_robot.core.software import software_versions
from naf_robot.core.source_commit import source_commit
from naf_robot.run.config import RunConfig
from naf_robot.run.process_log import read_process_exits
from naf_robot.run.unattended.drift import Watching
from naf_robot.run.unattended.file import StatisticsFile, opened
from naf_robot.run.unattended.fold import RunStatistics
from naf_robot.run.unattended.results import brief, run_results
from naf_robot.training.episode_log import EpisodeRecord

ALARM_SHOWN_S = 3600.0  # for which the diagnostics repeat an alarm
DAY_S = 86400.0
BRIEF_PERIOD_S = 10.0


class Unattended:
    """Folds reports and episodes into the run folder's statistics; continues those of an earlier process."""

    def __init__(self, config: RunConfig, run_dir: Path, clock: Clock) -> None:
        settings = config.trainer
        record, self._notice = opened(run_dir)
        record.software = {"python": platform.python_version(), **software_versions()}
        if (commit := source_commit()) is not None:
            record.software["commit"] = commit
        values_between = max(2.0, settings.false_alarm_days * DAY_S / settings.drift_window_s)
        watching = Watching(settings.drift_window_s, threshold_of(values_between))
        paced = not config.simulated or config.simulation.real_time_factor > 0.0
        self._statistics = RunStatistics((), record, watching, paced)
        self._file = StatisticsFile(run_dir)
        self._run_dir = run_dir
        self._clock = clock
        self._alarm: tuple[str, float] | None = None
        self._closed = False
        self._brief: dict[str, Any] = {}
        self._brief_due_s = 0.0

    def know(self, robots: Iterable[str]) -> None:
        """Robots whose reports are taken from now on."""
        self._statistics.know(robots)

    def report(self, node: str, message: str, values: Mapping[str, str], error: bool) -> None:
        """A node's report on `/diagnostics`."""
        self._statistics.take(node, message, values, error, self._clock.now_s(), time.time())

    def episodes(self, finished: Sequence[EpisodeRecord]) -> None:
        """Episodes that have just ended."""
        for each in finished:
            self._statistics.episode(each.robot, each.episode_return, each.success, each.greedy, time.time())

    def tick(self) -> list[str]:
        """To be called about once a second: write what is due; new alarms, each a call for a person."""
        now_s = self._clock.now_s()
        self._statistics.tick(now_s, time.time())
        self._file.write_if_due(self._statistics.record, now_s)
        calls = self._statistics.calls()
        if calls:
            self._alarm = (calls[-1], now_s)
        return calls

    def results(self, trials: Mapping[str, int]) -> dict[str, Any]:
        """What they come to; `trials` are finished episodes by robot."""
        return run_results(self._statistics.record, trials, read_process_exits(self._run_dir))

    def brief(self, trials: Mapping[str, int]) -> dict[str, Any]:
        """The same in few plain values, computed every ten seconds at most."""
        now_s = self._clock.now_s()
        if now_s >= self._brief_due_s:
            self._brief, self._brief_due_s = brief(self.results(trials)), now_s + BRIEF_PERIOD_S
        return self._brief

    @property
    def alarm(self) -> str | None:
        """The newest alarm while it is recent."""
        if self._alarm is None or self._clock.now_s() - self._alarm[1] > ALARM_SHOWN_S:
            return None
        return self._alarm[0]

    @property
    def trouble(self) -> str | None:
        """Why the statistics could not be read or written, if so."""
        return self._file.trouble or self._notice

    def close(self) -> None:
        """Write a last time."""
        if not self._closed:
            self._closed = True
            self._file.close(self._statistics.record)
