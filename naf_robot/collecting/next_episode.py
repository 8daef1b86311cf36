"""Which episode comes next: exploring or greedy, with which goal, and for which trial of a comparison."""

from typing import NamedTuple

from naf_robot.collecting.comparing import Comparing
from naf_robot.core.records import PolicyParameters
from naf_robot.core.seeding import stream
from naf_robot.run.comparison import Trial
from naf_robot.sensing.signals import Signals
from naf_robot.tasks.task import Task


class Prepared(NamedTuple):
    """An episode that has not begun."""

    greedy: bool
    goal: Signals
    trial: Trial | None  # of a comparison


class NextEpisode:
    """Prepares one robot's episodes, each `evaluation_period`-th of them greedy, with goals of its own seed."""

    def __init__(self, task: Task, robot: str, seed: int, first_episode: int, evaluation_period: int) -> None:
        self._task, self._period = task, evaluation_period
        self._goals = {kind: stream(seed, "goal", robot, kind, first_episode) for kind in ("train", "evaluate")}
        self.comparing: Comparing | None = None  # the comparison under way
        self.prepared: Prepared | None = None

    def compare(self, comparing: Comparing | None) -> None:
        """From the next episode on, run the trials of a comparison until they are done; None: as usual."""
        self.comparing, self.prepared = comparing, None

    def prepare(self, number: int, candidate: bool) -> Prepared:
        """Episode `number`; a `candidate` for the best policy is tried in greedy episodes."""
        trial = self.comparing.next if self.comparing is not None else None
        if self.comparing is not None and trial is not None:
            self.prepared = Prepared(True, self.comparing.goal(self._task, trial.pair), trial)
        else:
            greedy = candidate or number % self._period == self._period - 1
            goal = self._task.sample_goal(self._goals["evaluate" if greedy else "train"])
            self.prepared = Prepared(greedy, goal, None)
        return self.prepared

    def take(self) -> tuple[Prepared, PolicyParameters | None]:
        """The prepared episode, which begins, and the policy that its trial compares, None without one.

        Raises:
            RuntimeError: none is prepared.
        """
        if self.prepared is None:
            raise RuntimeError("no episode is prepared")
        prepared, self.prepared = self.prepared, None
        if self.comparing is None or prepared.trial is None:
            return prepared, None
        return prepared, self.comparing.policies[prepared.trial.side]

    def ended(self, trial: Trial | None, orderly: bool) -> bool:
        """An episode has ended; whether it was one of the comparison's trials, of which orderly ones count."""
        if self.comparing is None or trial is None:
            return False
        self.comparing = self.comparing._replace(done=self.comparing.done + orderly)
        return True
