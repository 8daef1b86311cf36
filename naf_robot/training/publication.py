"""The versions of a run's policies: numbered upwards without end, their arrays never changed.

There is one policy for all robots, or one for each of them; every version has a number of its own.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from naf_robot.core.errors import NafRobotError, UnknownNameError
from naf_robot.core.records import PolicyParameters
from naf_robot.core.reserved_counter import ReservedCounter
from naf_robot.experience.codec import Contract
from naf_robot.learning.algorithm import NewPolicy

RECENT = 64  # versions of each addressee kept in memory: an episode ends some versions after its own came out
ASKED_FOR = 64  # versions kept beyond that: candidates under evaluation, at most one of each robot


class Publication:
    """Numbers an algorithm's policies as versions, above those of any process before.

    Raises:
        StoreError: the file at `counter` holds no number.
    """

    def __init__(self, counter: Path, contract: Contract, period_updates: int, robots: Sequence[str]) -> None:
        self._numbers = ReservedCounter(counter)
        self._contract = contract
        self._period_updates = period_updates
        self._robots = tuple(robots)
        self._recent: OrderedDict[int, PolicyParameters] = OrderedDict()
        self._asked_for: OrderedDict[int, PolicyParameters] = OrderedDict()
        self._newest: dict[str, PolicyParameters] = {}  # by addressee

    @property
    def newest(self) -> PolicyParameters | None:
        """The newest version for all robots, or of the first addressee where there is none; None before the first."""
        return self._newest.get("") or next(iter(self._newest.values()), None)

    @property
    def version(self) -> int:
        """Highest number given out, 0 before the first."""
        return max((parameters.version for parameters in self._newest.values()), default=0)

    def is_due(self, updates: int) -> bool:
        """Whether new versions should come out: at the start, then every so many updates."""
        return self.newest is None or updates - self.newest.updates >= self._period_updates

    def new(self, policies: Sequence[NewPolicy], updates: int, transitions: int) -> list[PolicyParameters]:
        """Each of `policies` under a number higher than any before in this run, the one for all robots first.

        Raises:
            UnknownNameError: a policy is addressed to a robot that the run has not.
            NafRobotError: there is none, or two have one addressee.
            OSError: a number cannot be made durable.
        """
        addressees = [policy.addressee for policy in policies]
        if not policies or len(set(addressees)) != len(policies):
            raise NafRobotError(f"an algorithm hands out one policy for each addressee, got {addressees}")
        for addressee in addressees:
            if addressee and addressee not in self._robots:
                raise UnknownNameError("addressee", addressee, self._robots, "the policies of the algorithm")
        made = [self._version(p, updates, transitions) for p in sorted(policies, key=lambda p: p.addressee != "")]
        while len(self._recent) > RECENT * len(self._newest):
            self._recent.popitem(last=False)
        return made

    def _version(self, policy: NewPolicy, updates: int, transitions: int) -> PolicyParameters:
        parameters = PolicyParameters(
            arrays=policy.arrays,
            version=self._numbers.next(),
            task=self._contract.task,
            observation_spec=self._contract.observation_spec,
            updates=updates,
            transitions=transitions,
            kind=policy.kind,
            addressee=policy.addressee,
            run_id=self._contract.run_id,
        )
        self._newest[policy.addressee] = self._recent[parameters.version] = parameters
        return parameters

    def again(self, updates: int, transitions: int) -> list[PolicyParameters]:
        """The newest version of each addressee, oldest first, with how far the trainer is by now."""
        newest = sorted(self._newest.values(), key=lambda parameters: parameters.version)
        return [replace(parameters, updates=updates, transitions=transitions) for parameters in newest]

    def recent(self, version: int) -> PolicyParameters | None:
        """A version by its number, if it is new or was requested recently; it is kept for the next request."""
        found = self._recent.get(version) or self._asked_for.get(version)
        if found is not None:
            self._asked_for[version] = found
            self._asked_for.move_to_end(version)
            while len(self._asked_for) > ASKED_FOR:
                self._asked_for.popitem(last=False)
        return found
