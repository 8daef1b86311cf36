"""A small run folder with stored steps, made without a simulation."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from naf_robot.core import run_files
from naf_robot.core.records import StepBatch
from naf_robot.experience.codec import ExperienceMessage, encode_experience
from naf_robot.experience.store import ExperienceStore
from naf_robot.run.config import RunConfig, resolve, save
from naf_robot.run.contract import contract_of

STEPS = 20  # of an episode
PERIOD_S = 0.05


def make_stored_run(folder: Path, task: str = "reach", **values: Any) -> RunConfig:
    """A folder of two robots, `left` and `right`, two episodes each; joint 1 of episode e is at e + step / 100 [rad].

    The right robot's episodes begin half an episode later.
    """
    config = resolve(task, overrides=[{"robots": "left,right", **values}])
    folder.mkdir(parents=True)
    save(config, folder / run_files.CONFIG)
    contract = contract_of(config, folder)
    store = ExperienceStore(folder / run_files.EXPERIENCE, contract)
    lines = []
    for late, robot in enumerate(config.robots):
        for episode in range(2):
            batch = _episode(config, episode, begin_s=10.0 + 2.0 * episode + 0.5 * STEPS * PERIOD_S * late)
            message = ExperienceMessage(robot, episode, episode * (STEPS + 1), batch)
            store.insert(message, encode_experience(message, contract))
            lines.append({"index": len(lines) + 1, "robot": robot, "greedy": episode == 1, "success": episode == 1})
            lines[-1] |= {"episode_return": -10.0 / (1 + episode), "episode": episode}
    store.close()
    (folder / run_files.EPISODES).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return config


def _episode(config: RunConfig, episode: int, begin_s: float) -> StepBatch:
    task, rows = config.make_task(), STEPS + 1
    spec, terms = task.observation_spec, len(task.reward_names)
    step = np.arange(rows)
    observation = {array.name: np.zeros((rows, *array.shape), array.dtype) for array in spec.arrays}
    if "joint_position" in observation:
        observation["joint_position"][:, 0] = episode + step / 100.0
    else:
        angle = 3.1 + step / 100.0  # passes half a turn
        observation["joint_sine"][:, 0], observation["joint_cosine"][:, 0] = np.sin(angle), np.cos(angle)
    if "target" in observation:
        observation["target"][:] = (0.5, 0.0, 0.4 + 0.1 * episode)
    acted = step < STEPS
    action = np.zeros((rows, len(next(iter(config.robots.values())).arm.joints)), np.float32)
    return StepBatch(
        observation=observation,
        action=action,
        requested_action=action,
        reward=np.zeros(rows, np.float32),
        reward_terms=np.zeros((rows, terms), np.float32),
        has_action=acted,
        closing=~acted,
        terminated=np.zeros(rows, bool),
        truncated=~acted,
        episode=np.full(rows, episode),
        step=step,
        policy_version=np.full(rows, 5 + episode),
        greedy=np.full(rows, episode == 1),
        success=np.full(rows, episode == 1),
        stamp_s=begin_s + PERIOD_S * step,
    )
