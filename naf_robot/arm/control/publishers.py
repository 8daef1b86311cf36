"""The publishers of an arm's command topic, checked by name: there must be one."""

from collections.abc import Sequence

from naf_robot.core.clock import Clock

CONFIRMED_S = 1.5  # another writer must be seen for so long: endpoints come and go while a system starts
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
