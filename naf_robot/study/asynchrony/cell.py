"""The training of one cell of the asynchrony study, and its row."""

import json
from typing import Any

import gymnasium
import torch

from naf_robot.core.config import build
from naf_robot.core.seeding import derived_seed
from naf_robot.learning.policies.registry import make_policy
from naf_robot.learning.registry import algorithm_config_type
from naf_robot.run.config import from_values
from naf_robot.run.environments import make_environment
from naf_robot.study.asynchrony.history import History
from naf_robot.study.asynchrony.loop import LockedStudy
from naf_robot.study.asynchrony.variants import AsynchronyCell
from naf_robot.study.config import StudyConfig
from naf_robot.study.grid.cells import Cell
from naf_robot.study.grid.worker import Workplace
from naf_robot.study.gym_episodes import box_environment, evaluate

CURVE = "curve.jsonl"  # what there is of the row before it is complete
GOOD = 0.95  # success rate whose first evaluation is named in the row


def train_cell(cell: Cell, place: Workplace) -> dict[str, Any]:
    """Train for the cell's updates, evaluated in between; the row.

    Raises:
        NafRobotError: an environment whose spaces do not fit, or that fails.
    """
    torch.set_num_threads(1)
    settings = build(AsynchronyCell, cell.settings, "cell")
    config = build(StudyConfig, settings.study, "cell.study")
    seed = int(cell.labels["seed"])
    robots = [_environment(config, settings) for _ in range(settings.collectors)]
    held_out = box_environment(_environment(config, settings))
    learns = build(algorithm_config_type(config.algorithm), config.algorithm_settings, "algorithm_settings")
    study = LockedStudy(robots, config.algorithm, learns, config.options, settings.variant, seed)
    period_s = robots[0].unwrapped.task.control_period_s
    curve: list[dict[str, Any]] = []
    (place.folder / CURVE).unlink(missing_ok=True)  # of a process that was ended
    while study.updates < settings.updates:
        place.check()
        while study.updates < min((len(curve) + 1) * settings.evaluate_every, settings.updates):
            study.period()
        current = study.current_policy()
        goals = derived_seed(seed, "held-out", len(curve))
        found = evaluate(
            held_out,
            make_policy(current.kind, current.arrays),
            config.options.evaluation_episodes,
            goals,
            success_at=config.options.success_at,
        )
        curve.append(
            {
                "updates": study.updates,
                "env_steps": study.env_steps,
                "robot_s": round(study.periods * period_s, 2),
                "success": found.success_rate,
                "return": round(found.mean_return, 4),
            }
        )
        with (place.folder / CURVE).open("a", encoding="utf-8") as file:
            file.write(json.dumps(curve[-1]) + "\n")
    return _row(curve, study)


def _environment(config: StudyConfig, settings: AsynchronyCell) -> gymnasium.Env:
    made = make_environment(from_values(config.run, "run"))
    return History(made, settings.variant.history_periods) if settings.variant.history_periods else made


def _row(curve: list[dict[str, Any]], study: LockedStudy) -> dict[str, Any]:
    good = next((point for point in curve if point["success"] is not None and point["success"] >= GOOD), None)
    ages = study.loaded_ages
    return {
        "updates_to_95": good["updates"] if good else None,
        "robot_s_to_95": good["robot_s"] if good else None,
        "final_success": curve[-1]["success"],
        "env_steps": study.env_steps,
        "updates": study.updates,
        "episodes": study.episodes,
        "mean_policy_age": round(sum(ages) / len(ages), 1),
        "curve": curve,
    }
