"""Which run a robot's machine joins: that of the one trainer which learns the same; else it says what it waits for."""

from collections.abc import Mapping
from typing import NamedTuple

from naf_robot.core.presence import Presence
from naf_robot.run.agreement import disagreement
from naf_robot.run.introduction import Announcement

LISTEN_S = (
    2.5  # from the first word of a trainer to joining: a second one, which says so once a second, is heard by then
)
MAX_TRAINERS = 16  # that are remembered


class Decision(NamedTuple):
    """The trainer to join, or None and what is waited for, in one sentence."""

    trainer: Announcement | None
    waits_for: str


class Joining:
    """Decides from the announcements of trainers; `own` is `agreement_of` the robot's configuration.

    `run_id` is the run that the robot's folder belongs to, "" while it belongs to none.
    """

    def __init__(self, own: Mapping[str, str], run_id: str = "") -> None:
        self._own, self._run_id = own, run_id
        self._presence = Presence()
        self._said: dict[str, Announcement] = {}
        self._first_s: dict[str, float] = {}

    def hear(self, said: Announcement, now_s: float) -> None:
        """A trainer has announced itself; `now_s` by a steady clock."""
        self._presence.hear(said.instance, now_s)
        self._said[said.instance] = said
        self._first_s.setdefault(said.instance, now_s)
        there = self._presence.there(now_s)[-MAX_TRAINERS:]
        self._said = {key: value for key, value in self._said.items() if key in there}
        self._first_s = {key: value for key, value in self._first_s.items() if key in there}

    def decide(self, now_s: float) -> Decision:
        """The trainer to join now, if that is clear."""
        there = [self._said[key] for key in self._presence.there(now_s) if key in self._said]
        task = self._own["task_name"]
        if not there:
            return _wait(
                f"no trainer is heard: waiting for one that learns {task!r}"
                + (f" in run {self._run_id}" if self._run_id else "")
                + ", in the same ROS domain and within its discovery range"
            )
        if self._run_id and not (there_ := [said for said in there if said.run_id == self._run_id]):
            heard = ", ".join(f"{said.run_id} ({said.task}, {said.host})" for said in there)
            return _wait(
                f"this robot's folder belongs to run {self._run_id}, which no trainer works in; heard: {heard}"
            )
        if self._run_id:
            there = there_
        fitting = [said for said in there if not disagreement(self._own, said.agreement)]
        if not fitting:
            said = next((s for s in there if s.task == task), there[0])
            difference = disagreement(self._own, said.agreement)
            return _wait(f"the trainer of run {said.run_id} on {said.host} learns something else: {difference}")
        if len(fitting) > 1:
            return self._several(fitting, now_s)
        if now_s - self._first_s[fitting[0].instance] < LISTEN_S:
            return _wait(f"listening whether another trainer learns {task!r} too")
        return Decision(fitting[0], "")

    def rivals(self, now_s: float) -> str:
        """A sentence if two trainers work in the robot's run at the same time, "" otherwise."""
        found = [self._said[key] for key in self._presence.rivals(now_s) if key in self._said]
        hosts = [said.host for said in found if said.run_id == self._run_id]
        return _same_run(self._run_id, hosts) if len(hosts) > 1 else ""

    def _several(self, fitting: list[Announcement], now_s: float) -> Decision:
        runs = list(dict.fromkeys(said.run_id for said in fitting))
        if len(runs) == 1:  # restarted, perhaps: the first is forgotten soon
            return _wait(_same_run(runs[0], [said.host for said in fitting]))
        told = " and ".join(f"{said.run_id} on {said.host}" for said in fitting)
        return _wait(
            f"{len(fitting)} trainers learn {self._own['task_name']!r}, {told}: "
            "end all but one, or name the run with --run-id"
        )


def _wait(sentence: str) -> Decision:
    return Decision(None, sentence)


def _same_run(run_id: str, hosts: list[str]) -> str:
    return (
        f"{len(hosts)} trainers work in run {run_id}, on {' and '.join(hosts)}, and experience would be divided "
        "between them: end all but one"
    )
