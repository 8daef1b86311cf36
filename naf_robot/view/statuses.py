"""What every node says of itself on `/diagnostics`, and how long ago."""

from collections.abc import Mapping
from dataclasses import dataclass

MAX_NODES = 500  # others than ours may publish diagnostics too, under any number of names
MAX_TEXT = 400  # characters of a sentence that are shown
SILENT_S = 5.0  # without a report: nodes report once a second
LEVELS = ("ok", "warning", "error", "stale")
OK, WARNING, ERROR, STALE = range(len(LEVELS))
COLLECTOR, VELOCITY_CONTROL = "collector", "velocity_control"


@dataclass(frozen=True)
class NodeStatus:
    """The newest report of one node."""

    name: str  # full name
    level: int  # index into LEVELS
    sentence: str
    values: Mapping[str, str]
    received_s: float  # on a steady clock

    def level_at(self, now_s: float) -> int:
        """Its level; stale when nothing has come for `SILENT_S`."""
        return STALE if now_s - self.received_s > SILENT_S else self.level


class NodeStatuses:
    """The newest report of every node, by its full name."""

    def __init__(self) -> None:
        self._nodes: dict[str, NodeStatus] = {}

    def take(self, name: str, level: int, sentence: str, values: Mapping[str, str], now_s: float) -> None:
        """Record a report; of more than `MAX_NODES` nodes the further ones are left out."""
        if name in self._nodes or len(self._nodes) < MAX_NODES:
            known = level if 0 <= level < STALE else STALE
            self._nodes[name] = NodeStatus(name, known, sentence[:MAX_TEXT], values, now_s)

    def all(self) -> list[NodeStatus]:
        """All of them by name: what the fleet shares first, then robot after robot."""
        return sorted(self._nodes.values(), key=lambda status: (status.name.count("/"), status.name))

    def of(self, robot: str, node: str) -> NodeStatus | None:
        """The report of one robot's `node`, None before its first."""
        return self._nodes.get(f"/{robot}/{node}")
