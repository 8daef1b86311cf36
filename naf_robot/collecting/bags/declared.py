"""Borders and goal that the user names for a recording that holds no topic `episode`."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from naf_robot.core.errors import ConfigError
from naf_robot.core.records import FloatArray
from naf_robot.experience.episode_event import EpisodeEvent
from naf_robot.tasks.task import Task

BORDERS = ("whole", "gaps")
RUN_ID = "declared"  # of steps that no run of ours recorded
POLICY_VERSION = 0


class Declared(NamedTuple):
    """What holds for every episode of such a recording."""

    gaps: bool  # whether a gap in the requests ends an episode and the next request begins one; else there is one
    goal: dict[str, list[float]]

    def begin(
        self, task: Task, spec_hash: str, stamp_ns: int, episode: int, joints: Sequence[str], scale: FloatArray
    ) -> EpisodeEvent:
        """The begin of episode number `episode` with the request of `stamp_ns`."""
        return EpisodeEvent(
            event="begin",
            stamp_ns=stamp_ns,
            episode=episode,
            run_id=RUN_ID,
            task=task.name,
            observation_spec=spec_hash,
            greedy=False,
            policy_version=POLICY_VERSION,
            goal=self.goal,
            joints=list(joints),
            max_joint_velocity=scale.tolist(),
            control_period_s=task.control_period_s,
        )


def declared(borders: str | None, goal: Sequence[str], task: Task) -> Declared | None:
    """What the options say, None where they name no borders; `goal` are texts NAME=NUMBER,NUMBER.

    Raises:
        ConfigError: the goal is not one of `task`, or there is one without borders.
    """
    if borders is None:
        if goal:
            raise ConfigError("--goal needs --borders: recorded episodes say their goal themselves")
        return None
    wanted = {name: np.shape(value) for name, value in task.sample_goal(np.random.default_rng(0)).items()}
    given: dict[str, list[float]] = {}
    for text in goal:
        name, _, numbers = text.partition("=")
        try:
            given[name] = [float(number) for number in numbers.split(",")]
        except ValueError:
            raise ConfigError(f"--goal {text!r} must be NAME=NUMBER,NUMBER,...") from None
    sizes = {name: int(np.prod(shape)) for name, shape in wanted.items()}
    fits = {name: len(values) for name, values in given.items()} == sizes
    if not fits or not all(np.isfinite(values).all() for values in given.values()):
        needed = " ".join(f"{name}={','.join('X' * size)}" for name, size in sizes.items())
        got = " ".join(goal) or "none"
        raise ConfigError(f"a goal of task {task.name!r} is --goal {needed or '(nothing)'}, got {got}")
    return Declared(borders == "gaps", given)
