"""A robot's part in a comparison of two policy versions: which trial is next, with which goal and which policy."""

from typing import NamedTuple

from naf_robot.core.records import PolicyParameters
from naf_robot.core.seeding import stream
from naf_robot.run.comparison import Plan, Trial, trial
from naf_robot.sensing.signals import Signals
from naf_robot.tasks.task import Task


class Comparing(NamedTuple):
    """A plan on one robot, of which `done` trials have come to an orderly end; others are repeated."""

    plan: Plan
    policies: tuple[PolicyParameters, PolicyParameters]
    robot: str
    done: int = 0

    @property
    def next(self) -> Trial | None:
        """The next trial, None when the robot has done its part."""
        return trial(self.plan.seed, self.robot, self.done) if self.done < 2 * self.plan.pairs else None

    def goal(self, task: Task, pair: int) -> Signals:
        """The goal of both episodes of a pair."""
        return task.sample_goal(stream(self.plan.seed, "comparison", self.robot, pair))
