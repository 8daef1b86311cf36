"""Every seed of a study, one after the other: from its configuration to its rows, with or without a folder."""

import json
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import gymnasium
import torch
from tqdm import tqdm

from naf_robot.core.config import build
from naf_robot.core.files import ExclusiveLock, replace_file
from naf_robot.core.records import StepSpec
from naf_robot.experience.contract import Contract
from naf_robot.learning.registry import algorithm_config_type
from naf_robot.learning.sources import Source
from naf_robot.run.config import RunConfig, from_values
from naf_robot.run.environments import make_by_id, make_environment
from naf_robot.run.filling import Filled, fill_sources
from naf_robot.study.archive import StudyArchive
from naf_robot.study.config import StudyConfig, StudyOptions, save_study
from naf_robot.study.paper import PAPER
from naf_robot.study.study import Study

RESULTS = "results.json"  # of the folder


def run_seeds(config: StudyConfig, folder: Path | None, results: Path | None, checkpoint_period_s: float) -> None:
    """Run what is left of every seed of `config`; rows are printed, and seed by seed written to `results`.

    With a `folder` everything is kept there, and SIGINT or SIGTERM end the study after the running episode.

    Raises:
        LockedError: another process works in `folder`.
        CheckpointError, StoreError: what `folder` holds does not fit.
    """
    torch.set_num_threads(1)
    files = [path for path in (results, folder / RESULTS if folder else None) if path is not None]
    done: list[dict[str, Any]] = []
    with ExitStack() as stack:
        stop_requested: Callable[[], bool] = bool
        if folder is not None:
            lock = ExclusiveLock(folder / "study.lock", f"study {str(folder)!r}")
            stack.callback(lock.release)
            save_study(config, folder)
            stop_requested = stack.enter_context(_stop_requests())
        for seed in config.seeds:
            study, contract = make_study(config, seed)
            archive = None
            if folder is not None:
                archive = StudyArchive(folder / f"seed{seed}", contract, config.algorithm, checkpoint_period_s)
                stack.callback(archive.close)
                archive.take_up(study)
            _run(study, archive, stop_requested)
            if not study.is_over:
                print(f"seed {seed} stopped after {study.episodes} episodes; continue with --resume", flush=True)
                return
            done.append({"seed": seed, "rows": study.rows})
            for path in files:
                replace_file(path, _document(config, done))


def _run(study: Study, archive: StudyArchive | None, stop_requested: Callable[[], bool]) -> None:
    with tqdm(total=study.options.episodes, initial=study.episodes, unit="episode", disable=None) as bar:
        bar.set_description(f"seed {study.seed}")
        while not study.is_over and not stop_requested():
            steps = study.train()
            if archive is not None:
                archive.keep(study, steps)
            if study.evaluation_is_due:
                _show(study.seed, study.evaluate())
            if archive is not None and archive.checkpoint_is_due():
                archive.checkpoint(study)
            bar.update()
    if archive is not None:
        archive.checkpoint(study)


class StoredSources:
    """Fills the sources of a study of a task from the folders in its run's configuration; implements `Fill`."""

    def __init__(self, run: RunConfig, options: StudyOptions) -> None:
        self._run, self._options = run, options
        self.sources = tuple(run.trainer.filled.folders)

    def __call__(self, sources: Mapping[str, Source], steps: StepSpec) -> dict[str, Filled]:
        """Give each of `sources` what its folders hold."""
        return fill_sources(sources, Contract(self._run.task_name, steps), self._run, self._options)


def environments(config: StudyConfig) -> tuple[gymnasium.Env, gymnasium.Env]:
    """The environment of a study to learn in, and one to evaluate in."""
    if config.task is None:
        return make_by_id(config.subject), make_by_id(config.subject)
    run = from_values(config.run, "run")
    return make_environment(run), make_environment(run)


def make_study(config: StudyConfig, seed: int) -> tuple[Study, Contract]:
    """A study that has not begun, and what its steps are."""
    pair = environments(config)
    fill = StoredSources(from_values(config.run, "run"), config.options) if config.task is not None else None
    settings = build(algorithm_config_type(config.algorithm), config.algorithm_settings, "algorithm_settings")
    study = Study(*pair, config.algorithm, settings, config.options, seed, fill)
    return study, Contract(config.subject, study.steps)


@contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Whether SIGINT or SIGTERM was received; a second one acts as usual."""
    seen: list[int] = []
    before: dict[int, Any] = {}

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        signal.signal(number, before[number])

    for each in (signal.SIGINT, signal.SIGTERM):
        before[each] = signal.signal(each, note)
    try:
        yield lambda: bool(seen)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _document(config: StudyConfig, seeds: list[dict[str, Any]]) -> bytes:
    """The file of every seed that is complete."""
    document = {"command": config.command, "paper": PAPER.get(config.subject), "seeds": seeds}
    return (json.dumps(document, indent=1) + "\n").encode()


def _show(seed: int, row: dict[str, Any]) -> None:
    success = "   -" if row["success_rate"] is None else f"{row['success_rate']:.2f}"
    confirmed = row["confirmed_success_rate"]
    tqdm.write(
        f"seed {seed}  episodes {row['episodes']:5d}  steps {row['env_steps']:7d}  updates {row['updates']:7d}  "
        f"success {success} of {row['evaluated']:3d}  return {row['mean_return']:9.2f}"
        + ("" if confirmed is None else f"  confirmed {confirmed:.2f}")
    )
