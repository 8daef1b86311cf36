"""The evaluation gate: which version is the best so far by greedy, held-out episodes."""

from typing import Any

from naf_robot.training.episode_log import EpisodeLog


class EvaluationGate:
    """Lets a version pass when the newest whole window of greedy episodes was better than every one before.

    Better is a higher success rate, or the same with a higher mean return. The score survives in the
    counters of the checkpoint that passed.
    """

    def __init__(self, counters: dict[str, Any] | None = None) -> None:
        self.success, self.mean_return = -1.0, float("-inf")
        self.version: int | None = None
        if counters is not None:
            self.success = float(counters.get("evaluation_success", -1.0))
            self.mean_return = float(counters.get("evaluation_return", "-inf"))
            self.version = int(counters["version"])

    def passes(self, log: EpisodeLog) -> bool:
        """Whether the window of `log` is full, has any success, and is better than the best so far."""
        score = (log.evaluation_success, log.evaluation_return)
        return log.window_is_full and score[0] > 0.0 and score > (self.success, self.mean_return)

    def keep(self, log: EpisodeLog, version: int) -> None:
        """Remember that `version` passed and is safely stored."""
        self.success, self.mean_return, self.version = log.evaluation_success, log.evaluation_return, version
