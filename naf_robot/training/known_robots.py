"""Whose experience a trainer takes: the robots of its configuration, and those that join if it accepts others."""

from collections.abc import Iterable, Sequence

from naf_robot.core.presence import Presence
from naf_robot.run.robot import MAX_ROBOTS


class KnownRobots:
    """The robots of a run, as far as the trainer knows them.

    A robot that is not of the configuration is taken if `accepts_others`, unless policies are addressed to single
    robots: an algorithm makes those for the robots of its configuration. With `accepts_others` the names of the
    configuration are no robots until they are heard of.
    """

    def __init__(self, declared: Sequence[str], accepts_others: bool, addressed: bool) -> None:
        self._declared = tuple(declared)
        self._accepts_others, self._addressed = accepts_others, addressed
        self._heard: dict[str, Presence] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The robots that take part: those of the configuration, or with `accepts_others` those that were heard of."""
        return tuple(self._heard) if self._accepts_others and not self._addressed else self._declared

    def refusal(self, robot: str) -> str:
        """Why the experience of `robot` is not taken, "" if it is; it is known from then on."""
        if robot not in self._declared:
            if not self._accepts_others:
                return f"robot {robot[:40]!r} is not of this run, which takes {self._listed()} alone"
            if self._addressed:
                return (
                    f"robot {robot[:40]!r} is not of this run, whose algorithm makes a policy for each robot of its "
                    f"configuration: {self._listed()}"
                )
            if robot not in self._heard and len(self._heard) >= MAX_ROBOTS:
                return f"robot {robot[:40]!r} is one too many: the run has {MAX_ROBOTS} robots"
        self._heard.setdefault(robot, Presence())
        return ""

    def note(self, robots: Iterable[str]) -> None:
        """Robots whose experience is stored already."""
        for robot in robots:
            self._heard.setdefault(robot, Presence())

    def hear(self, robot: str, instance: str, now_s: float) -> str:
        """A collector of `robot` was heard; the sentence if another one has the same name, "" otherwise."""
        if refusal := self.refusal(robot):
            return refusal
        presence = self._heard[robot]
        presence.hear(instance, now_s)
        if len(presence.rivals(now_s)) > 1:
            return f"two collectors are called {robot!r}: end one, or give robots of two machines different names"
        return ""

    def _listed(self) -> str:
        shown = ", ".join(map(repr, self._declared[:8]))
        return shown + (f" and {len(self._declared) - 8} more" if len(self._declared) > 8 else "")
