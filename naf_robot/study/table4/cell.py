"""The training of one cell: ours by the study's own loop, another library's by its own."""

from pathlib import Path
from typing import Any

import torch

from naf_robot.core.config import build
from naf_robot.core.seeding import derived_seed
from naf_robot.experience.contract import Contract
from naf_robot.learning.policies.registry import make_policy
from naf_robot.study.archive import StudyArchive
from naf_robot.study.config import StudyConfig, StudyOptions
from naf_robot.study.evaluations import is_good
from naf_robot.study.grid.cells import Cell
from naf_robot.study.grid.worker import Workplace
from naf_robot.study.gym_episodes import Acting, box_environment, evaluate
from naf_robot.study.seeds import environments, make_study
from naf_robot.study.study import Study
from naf_robot.study.table4.foreign import ForeignStudy
from naf_robot.study.table4.protocol import Table4Cell

CHECKPOINT_PERIOD_S = 60.0


def train_cell(cell: Cell, place: Workplace) -> dict[str, Any]:
    """Train until the evaluation passes and is confirmed, or all episodes are done; the row.

    Raises:
        NafRobotError: an environment whose spaces do not fit, or that fails.
    """
    torch.set_num_threads(1)
    settings = Table4Cell(**cell.settings)
    config = build(StudyConfig, settings.study, "cell")
    seed = int(cell.labels["seed"])
    if settings.class_name:
        foreign = ForeignStudy(config, settings, cell.labels["library"], seed)
        foreign.run(place.check)
        return row_of(foreign.rows, config, foreign, seed)
    study, contract = make_study(config, seed)
    _run(study, contract, config.algorithm, place.folder / "archive", place)
    return row_of(study.rows, config, Ours(study), seed)


class Ours:
    """The policy of our study, in the same words as another library's."""

    def __init__(self, study: Study) -> None:
        self.episodes, self.env_steps, self.updates = study.episodes, study.env_steps, study.algorithm.updates
        current = study.current_policy()
        self.policy: Acting = make_policy(current.kind, current.arrays)
        self.version = ""


def _run(study: Study, contract: Contract, algorithm: str, folder: Path, place: Workplace) -> None:
    """The loop of `study`, continued from what another process has left of it."""
    archive = StudyArchive(folder, contract, algorithm, CHECKPOINT_PERIOD_S)
    try:
        archive.take_up(study)
        while not study.is_over:
            place.check()
            archive.keep(study, study.train())
            if study.evaluation_is_due:
                study.evaluate()
            if archive.checkpoint_is_due():
                archive.checkpoint(study)
    finally:
        archive.close()


def row_of(rows: list[dict[str, Any]], config: StudyConfig, trained: Ours | ForeignStudy, seed: int) -> dict[str, Any]:
    """The row of a training that is over."""
    options = config.options
    last = rows[-1] if rows and is_good(rows[-1], options) else None
    held_out = last["confirmed_success_rate"] if last else _final(config, trained.policy, seed, options)
    pair = environments(config)
    period_s = getattr(getattr(pair[0].unwrapped, "task", None), "control_period_s", None)
    return {
        "episodes_to_95": last["episodes"] if last else None,
        "held_out_success": held_out,
        "env_steps": last["env_steps"] if last else None,
        "updates": last["updates"] if last else None,
        "evaluation_episodes": rows[-1]["evaluation_episodes"] if rows else 0,
        "robot_minutes": round(last["env_steps"] * period_s / 60.0, 2) if last and period_s else None,
        "trained_episodes": trained.episodes,
        "trained_env_steps": trained.env_steps,
        "version": trained.version,
        "curve": [
            {"episodes": row["episodes"], "success": row["success_rate"], "evaluated": row["evaluated"]} for row in rows
        ],
    }


def _final(config: StudyConfig, policy: Acting, seed: int, options: StudyOptions) -> float | None:
    held_out = box_environment(environments(config)[1])
    goals = derived_seed(seed, "final")
    return evaluate(held_out, policy, options.confirmation_episodes, goals, success_at=options.success_at).success_rate
