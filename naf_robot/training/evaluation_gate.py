"""The evaluation gate: which version is the best so far by greedy, held-out episodes, and when one is good enough."""

from typing import Any

from naf_robot.run.config import RunConfig
from naf_robot.training.episode_log import EpisodeLog


class EvaluationGate:
    """Lets a version pass when the newest whole window of greedy episodes was better than every one before.

    Better is a higher success rate, or the same with a higher mean return. The version with which a sequential test
    passes does so too, whatever the window holds of versions before. The score survives in the counters of the
    checkpoint that passed.
    """

    def __init__(self, counters: dict[str, Any] | None = None) -> None:
        self.success, self.mean_return = -1.0, float("-inf")
        self.version: int | None = None
        self._tested = False  # whether the best version is the one that passed the sequential test
        if counters is not None:
            self.success = float(counters.get("evaluation_success", -1.0))
            self.mean_return = float(counters.get("evaluation_return", "-inf"))
            self.version = int(counters["version"])
            self._tested = bool(counters.get("evaluation_test_passed", False))

    def passes(self, log: EpisodeLog) -> bool:
        """Whether the window of `log` is full, has any success, and is better than the best so far; or its test has."""
        if log.test_is_passed and not self._tested:
            return True
        score = (log.evaluation_success, log.evaluation_return)
        return log.window_is_full and score[0] > 0.0 and score > (self.success, self.mean_return)

    def keep(self, log: EpisodeLog, version: int) -> None:
        """Remember that `version` passed and is safely stored."""
        self.success, self.mean_return, self.version = log.evaluation_success, log.evaluation_return, version
        self._tested = log.test_is_passed


def is_good(log: EpisodeLog, config: RunConfig) -> bool:
    """Whether the policies of the newest greedy episodes are as good as the rule of `config` asks."""
    if config.trainer.evaluation_rule == "sequential":
        return log.test_is_passed
    return log.window_is_full and log.evaluation_success >= config.target_success
