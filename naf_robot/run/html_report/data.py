"""What a run folder holds for its report, read as it is now: finished, under way or aborted."""

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from naf_robot.core import run_files
from naf_robot.core.errors import NafRobotError, RunFolderError
from naf_robot.core.yaml_text import load_yaml
from naf_robot.run.checkpoint import versions
from naf_robot.run.config import compose_saved
from naf_robot.run.process_log import read_process_exits
from naf_robot.run.provenance import Entry, entries
from naf_robot.run.report import read_episodes
from naf_robot.run.unattended.file import read_statistics
from naf_robot.run.unattended.records import Statistics
from naf_robot.run.unattended.results import run_results

OUTCOMES = {"0": "reached its target", "3": "ran out of episodes"}
SCALARS = 1000  # of each TensorBoard curve that are drawn


@dataclass(frozen=True)
class RunData:
    """One run folder."""

    folder: Path
    values: Mapping[str, Any]  # its configuration as written
    configuration: Sequence[Entry]  # with origins; empty where it cannot be composed on this machine
    trouble: Sequence[str]  # what could not be read, in sentences
    state: str
    summary: Mapping[str, Any]
    episodes: Sequence[Mapping[str, Any]]
    statistics: Statistics | None
    results: Mapping[str, Any] | None  # of the statistics
    exits: Sequence[Mapping[str, Any]]
    scalars: Mapping[str, Sequence[tuple[float, float]]]  # TensorBoard's, by tag: step and value
    versions: Sequence[int]  # of the policy, that have a checkpoint

    @property
    def name(self) -> str:
        """How the page calls it."""
        return self.folder.name

    @property
    def robots(self) -> list[str]:
        """Its robots: those of the configuration, then others that sent episodes."""
        known = self.values.get("robots", {})
        sent = {str(record["robot"]) for record in self.episodes}
        return [*known, *sorted(sent - set(known))]


def read_run(folder: Path) -> RunData:
    """Read the run folder `folder`.

    Raises:
        RunFolderError: it is no run folder, or no episode has finished yet.
        ConfigError: its configuration cannot be read.
    """
    folder = folder.resolve()
    path = folder / run_files.CONFIG
    if not path.is_file():
        raise RunFolderError(f"{str(folder)!r} is not a run folder: it has no {run_files.CONFIG}")
    episodes = read_episodes(folder) if (folder / run_files.EPISODES).is_file() else []
    if not episodes:
        raise RunFolderError(f"run {str(folder)!r} has no finished episode yet: there is nothing to report")
    trouble: list[str] = []
    configuration: list[Entry] = []
    statistics = None
    try:
        configuration = entries(compose_saved(path))
    except NafRobotError as error:
        trouble.append(f"The configuration cannot be composed on this machine: {error}.")
    try:
        statistics = read_statistics(folder)
    except NafRobotError as error:
        trouble.append(f"There are no statistics: {error}.")
    exits = read_process_exits(folder)
    trials: dict[str, int] = {}
    for record in episodes:
        trials[record["robot"]] = trials.get(record["robot"], 0) + 1
    return RunData(
        folder=folder,
        values=load_yaml(path),
        configuration=configuration,
        trouble=trouble,
        state=state_of(folder),
        summary=_summary(folder, trouble),
        episodes=episodes,
        statistics=statistics,
        results=run_results(statistics, trials, exits) if statistics else None,
        exits=exits,
        scalars=_scalars(folder / run_files.EVENTS, trouble),
        versions=versions(folder),
    )


def state_of(folder: Path) -> str:
    """Whether the run is under way, and else how it ended."""
    if _is_locked(folder / run_files.LOCK):
        return "running"
    try:
        return OUTCOMES.get((folder / run_files.OUTCOME).read_text(encoding="utf-8").strip(), "ended")
    except OSError:
        return "stopped before a decision"


def _is_locked(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def _summary(folder: Path, trouble: list[str]) -> Mapping[str, Any]:
    path = folder / run_files.SUMMARY
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError) as error:
        trouble.append(f"The summary cannot be read: {error}.")
        return {}
    return found if isinstance(found, dict) else {}


def _scalars(folder: Path, trouble: list[str]) -> dict[str, list[tuple[float, float]]]:
    """TensorBoard's curves of the learner; the robots' are drawn from the episodes."""
    if not folder.is_dir():
        return {}
    try:
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        events = EventAccumulator(str(folder), size_guidance={"scalars": SCALARS})
        events.Reload()
        tags = [tag for tag in events.Tags()["scalars"] if tag.startswith("learner/")]
        return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in sorted(tags)}
    except Exception as error:  # noqa: BLE001  of another package's reader, on files that may be half written
        trouble.append(f"The TensorBoard events cannot be read: {type(error).__name__}: {error}.")
        return {}
