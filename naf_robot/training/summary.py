"""The results of a training run in numbers, for `summary.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from naf_robot.core.sequential import described
from naf_robot.core.source_commit import source_commit
from naf_robot.run.unattended.results import brief

if TYPE_CHECKING:
    from naf_robot.training.trainer import Trainer


def evaluation_test(trainer: Trainer) -> dict[str, Any] | None:
    """The sequential test that passed or is under way, None where the rule is another."""
    test = trainer.episodes.test
    if test is None:
        return None
    return {"passed": test.passed, "failed_before": test.failed, **described(test.successes, test.episodes)}


def summary_of(trainer: Trainer) -> dict[str, Any]:
    """What `trainer` has come to; it must have taken everything that it received."""
    return {
        "task": trainer.config.task_name,
        "algorithm": trainer.config.algorithm_name,
        "robots": len(trainer.robots.names),
        "seed": trainer.config.seed,
        "episodes": trainer.episodes.episodes,
        "learning_episodes": trainer.episodes.episodes - trainer.episodes.evaluations,
        "evaluation_episodes": trainer.episodes.evaluations,
        "env_steps": trainer.transitions,
        "filled": trainer.filled,
        "updates": trainer.updates,
        "updates_per_s": round(trainer.updates_per_s, 1),
        "wall_s": round(trainer.wall_s, 2),
        "evaluation_success": trainer.episodes.evaluation_success,
        "evaluation_test": evaluation_test(trainer),
        "transitions_received": trainer.store.transitions(),
        "steps_lost": trainer.store.missing(),
        "batches_resent": trainer.receiver.duplicates,
        "policy_versions": trainer.publication.version,
        "best_version": trainer.gate.version,
        "best_success": trainer.gate.success if trainer.gate.version is not None else None,
        "git_commit": source_commit(),
        **brief(trainer.unattended.results(trainer.episodes.by_robot)),
    }
