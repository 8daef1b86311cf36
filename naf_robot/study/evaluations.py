"""The evaluations of a study: greedy held-out episodes, by a fixed number or until a sequential test is decided."""

from dataclasses import asdict, dataclass
from typing import Any

import gymnasium

from naf_robot.core.seeding import derived_seed
from naf_robot.core.sequential import Curtailed, SequentialTest, interval
from naf_robot.study.config import StudyOptions
from naf_robot.study.gym_episodes import Acting, evaluate


@dataclass
class Evaluation:
    """Greedy episodes after `episodes` training episodes."""

    episodes: int
    env_steps: int
    updates: int
    success_rate: float | None  # None where the environment does not report success
    mean_return: float
    mean_final_distance: float | None
    confirmed_success_rate: float | None = None  # over the confirmation episodes, where they were run
    success_interval: list[float] | None = None  # Wilson's, of the success rate
    evaluated: int = 0  # greedy episodes of this evaluation, without those that confirm it
    passed: bool | None = None  # the sequential test, where that is the rule; None also where it stayed open
    evaluation_episodes: int = 0  # greedy episodes of all evaluations by now; training episodes do not count them


def evaluation_row(
    environment: gymnasium.Env,
    policy: Acting,
    options: StudyOptions,
    seed: int,
    progress: tuple[int, int, int],
    evaluated_before: int,
) -> dict[str, Any]:
    """Evaluate `policy` after `progress`: training episodes, transitions and updates; a row of a learning curve.

    What is good enough by the rule of `options` is confirmed, where they ask for that, by further episodes with goals
    of their own; they end early only where so many have failed that they cannot confirm it any more.

    Raises:
        EnvironmentFailedError: an exception inside the environment.
    """
    episodes, at = progress[0], options.success_at
    test = SequentialTest(options.sequential) if options.evaluation_rule == "sequential" else None
    goals = derived_seed(seed, "held-out", episodes)
    found = evaluate(environment, policy, options.evaluation_episodes, goals, success_at=at, test=test)
    row = Evaluation(*progress, found.success_rate, found.mean_return, found.mean_final_distance)
    row.evaluated, row.evaluation_episodes = found.episodes, evaluated_before + found.episodes
    row.passed = test.passed if test else None
    if found.successes is not None:
        row.success_interval = interval(found.successes, found.episodes)
    if options.confirmation_episodes > 0 and _is_good_before(row, options):
        count = options.confirmation_episodes
        enough = Curtailed(count, options.stop_at_success * count - 1e-9)
        goals = derived_seed(seed, "confirmation", episodes)
        confirmed = evaluate(environment, policy, count, goals, success_at=at, test=enough)
        row.confirmed_success_rate = confirmed.success_rate
        row.evaluation_episodes += confirmed.episodes
    return asdict(row)


def is_good(row: dict[str, Any], options: StudyOptions) -> bool:
    """Whether a row of a learning curve ends the training."""
    confirmed = row["confirmed_success_rate"]
    return _is_good_before(Evaluation(**row), options) and (
        options.confirmation_episodes == 0 or (confirmed is not None and confirmed >= options.stop_at_success)
    )


def _is_good_before(row: Evaluation, options: StudyOptions) -> bool:
    if options.evaluation_rule == "sequential":
        return row.passed is True and options.stop_at_success <= 1.0
    return row.success_rate is not None and row.success_rate >= options.stop_at_success
