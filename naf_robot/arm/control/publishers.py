"""The publishers of an arm's commands and of its joint states, checked by name: each may have one."""

from collections.abc import Sequence

from naf_robot.core.clock import Clock

CONFIRMED_S = 1.5  # another writer must be seen for so long: endpoints come and go while a system starts
SETS_S = 10.0  # a set of joints that has not come for so long is no more published
MAX_SETS = 100  # that are remembered
LEASE_S = 30.0  # a process that was killed is listed until its lease has run out; one of our own name may be such


class SoleWriter:
    """Checks lists of the nodes that publish commands, `own` among them.

    Another node is a fault once it has been seen for `CONFIRMED_S`. A second node of our own name may be what is
    left of a predecessor; it is one after `LEASE_S`, which is longer than the middleware remembers.
    """

    def __init__(self, own: str, clock: Clock) -> None:
        self._own = own
        self._clock = clock
        self._since_s: dict[str, float] = {}

    def violation(self, writers: Sequence[str]) -> str | None:
        """Why the full node names `writers` are a fault, or None. Call it about once a second."""
        now_s = self._clock.now_s()
        others = {name for name in writers if name != self._own}
        if sum(name == self._own for name in writers) > 1:
            others.add(self._own)
        self._since_s = {name: self._since_s.get(name, now_s) for name in others}
        limits = {name: LEASE_S if name == self._own else CONFIRMED_S for name in others}
        found = sorted(name for name in others if now_s - self._since_s[name] >= limits[name])
        if not found:
            return None
        return f"velocity commands have another publisher: {', '.join(found)}; only {self._own} may write to the arm"


class StatePublishers:
    """Checks that each of the arm's `joints` is published by one node only.

    Joint states may come in parts: there may be as many publishers as there are different sets of joints, if no two
    sets have a joint of the arm in common. A publisher more sends the same joints as another one, or nothing yet.
    """

    def __init__(self, joints: Sequence[str], clock: Clock) -> None:
        self._joints = frozenset(joints)
        self._clock = clock
        self._sets: dict[tuple[str, ...], float] = {}  # names in a message: when they came last
        self._since_s: float | None = None

    def said(self, names: Sequence[str]) -> None:
        """A message of joint states came that names these joints."""
        key = tuple(names)
        if key in self._sets or len(self._sets) < MAX_SETS:
            self._sets[key] = self._clock.now_s()

    def violation(self, publishers: Sequence[str]) -> str | None:
        """Why the full node names `publishers` are a fault, or None. Call it about once a second."""
        now_s = self._clock.now_s()
        recent = [frozenset(names) for names, when in self._sets.items() if now_s - when <= SETS_S]
        shared = sorted(name for name in self._joints if sum(name in names for names in recent) > 1)
        if len(publishers) < 2 or (len(publishers) <= len(recent) and not shared):
            self._since_s = None
            return None
        self._since_s = now_s if self._since_s is None else self._since_s
        # A killed driver is listed beside its successor, which has the same name.
        confirmed_s = CONFIRMED_S if len(set(publishers)) > len(recent) or shared else LEASE_S
        if now_s - self._since_s < confirmed_s:
            return None
        what = f"of {', '.join(shared)} " if shared else ""
        return (
            f"joint states {what}have {len(publishers)} publishers: {', '.join(sorted(publishers))}; "
            f"each joint of the arm may have one"
        )
