"""What every algorithm offers to the loops that drive it. Loads no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.array_spec import ArraySpec
from naf_robot.learning.policies.registry import MLP
from naf_robot.learning.source_shares import SourceShares

if TYPE_CHECKING:
    from naf_robot.learning.sources import Source

ONLINE = "online"  # the source of what this run's robots send


@dataclass(frozen=True)
class Budget:
    """How much an algorithm may do in one call: the first bound that is reached ends it.

    The time is checked between the algorithm's smallest steps, so a call may be late by one of them.
    """

    updates: int
    seconds: float | None = None  # of wall time; None: no bound


@dataclass(frozen=True)
class NewPolicy:
    """One policy that an algorithm has made."""

    arrays: dict[str, NDArray[np.float32]]
    kind: str = MLP
    addressee: str = ""  # the robot that it is for; "" all


@dataclass(frozen=True)
class AlgorithmSetup:
    """What an algorithm is made for."""

    observation_size: int
    action_size: int
    seed: int
    robots: tuple[str, ...]
    device: str = "cpu"
    replay_capacity: int = 1_000_000  # transitions of each source
    success_fraction: float = 0.0  # fraction of each batch from successful episodes, as soon as there are any
    sources: SourceShares = field(default_factory=SourceShares)
    images: tuple[ArraySpec, ...] = ()  # pictures of an observation, beside its flat vector
    frame_bytes: int = 1 << 62  # of compressed pictures that each source holds at most
    decoded_bytes: int = 256 << 20  # of decoded pictures that each source keeps besides


class Algorithm(Protocol):
    """Learns policies from the transitions in its sources; what one update is, the algorithm defines.

    The loop around it uses nothing else of it::

        algorithm = make_algorithm("naf", config, setup)
        while training:
            algorithm.sources["online"].add(batch, collector)
            metrics = algorithm.work(Budget(updates))
            publish(algorithm.policies())
    """

    @property
    def sources(self) -> Mapping[str, Source]:
        """Named sources that can be added to; `online` is always among them."""
        ...

    @property
    def updates(self) -> int:
        """Updates so far: what the ratio to transitions and the period of publication count."""
        ...

    def work(self, budget: Budget) -> dict[str, float]:
        """Learn within `budget`; metrics of this call.

        Raises:
            NafRobotError: there is nothing to learn from yet.
        """
        ...

    def policies(self) -> Sequence[NewPolicy]:
        """The current policies, at least one at any time: for all robots, or one for each addressed robot."""
        ...

    def counters(self) -> dict[str, int]:
        """Further progress counters by name, for display."""
        ...

    def state(self) -> dict[str, NDArray]:
        """Everything needed to go on bit for bit, but for what the sources hold; copies."""
        ...

    def load_state(self, state: dict[str, NDArray]) -> None:
        """Go on from what `state` returned.

        Raises:
            CheckpointError: arrays that are missing or of another shape; nothing was changed.
        """
        ...


def policy_for(policies: Sequence[NewPolicy], robot: str) -> NewPolicy:
    """The policy that `robot` acts with: the one addressed to it, else the one for all."""
    for addressee in (robot, ""):
        for policy in policies:
            if policy.addressee == addressee:
                return policy
    raise LookupError(f"no policy for {robot!r}; there are some for {[policy.addressee for policy in policies]}")
