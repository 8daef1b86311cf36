"""What the nodes of a graph report of themselves, and what is wrong with the graph; for `naf-robot status`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

LEVELS = ("ok", "warning", "ERROR", "stale")
TRAINER, COLLECTOR, CONTROL = "trainer", "collector", "velocity_control"
OF_ROBOT = (CONTROL, COLLECTOR)
OURS = (*OF_ROBOT, TRAINER, "simulator", "door_sensor", "camera", "recorder", "lifecycle", "scene_markers")
RECENT_S = 2.5  # nodes report once a second: two processes within it run at the same time


@dataclass(frozen=True)
class Report:
    """One status of one node."""

    node: str  # full name
    process: str  # host and process id, "" where it does not say
    level: int  # index into LEVELS
    message: str
    values: Mapping[str, str] = field(default_factory=dict)
    received_s: float = 0.0


class GraphStatus:
    """Collects reports. `where` says which part of the network is looked at, in ROS's own words."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.present: frozenset[str] = frozenset()  # full names of our nodes
        self._reports: dict[str, dict[str, Report]] = {}  # by node, by process

    def seen(self, names: Iterable[str]) -> bool:
        """Take the full names of the nodes that may report; whether ours among them have changed."""
        before = self.present
        self.present = frozenset(name for name in names if name.rpartition("/")[2] in OURS)
        return self.present != before

    def take(self, report: Report) -> None:
        """The newest report of a process; nodes of other packages do not give their full name."""
        if not report.node.startswith("/"):
            return
        self._reports.setdefault(report.node, {})[report.process] = report

    def message_of(self, node: str) -> str:
        """What a node says, newest first; "" if nothing."""
        reports = sorted(self._reports.get(node, {}).values(), key=lambda report: -report.received_s)
        return reports[0].message if reports else ""

    @property
    def reported(self) -> frozenset[str]:
        """Full names of the nodes that have reported."""
        return frozenset(self._reports)

    @property
    def robots(self) -> tuple[str, ...]:
        """Names of the robots that have a node of ours."""
        names = {robot_of(node) for node in self.present | self.reported if node.rpartition("/")[2] in OF_ROBOT}
        return tuple(sorted(name for name in names if name))

    def absent(self, robots: Iterable[str]) -> list[str]:
        """A sentence for each of `robots` that is not on the graph."""
        there = f"there are {', '.join(self.robots)}" if self.robots else "there is none"
        return [f"no robot {name!r} on {self.where}; {there}" for name in robots if name not in self.robots]

    def problems(self, robots: Sequence[str], now_s: float) -> list[str]:
        """What is wrong, a sentence each; with `robots` only what matters to these."""
        if not self.present and not self._reports:
            return [
                f"no node of naf_robot on {self.where}: is anything running, and there? "
                "(naf-robot status --run-dir DIR looks where that run is)"
            ]
        found = self.absent(robots)
        names = self.present | self.reported
        for robot in robots or self.robots:
            if robot in self.robots:
                found += [f"{robot}: no {kind} is running" for kind in OF_ROBOT if f"/{robot}/{kind}" not in names]
        shown = [node for node in sorted(names) if self._concerns(node, robots)]
        for node in shown:
            running = self._running(node, now_s)
            if len(running) > 1:
                found.append(f"{node} runs {len(running)} times ({', '.join(sorted(running))}): end all but one")
            elif not running:
                found.append(f"{node} does not report: it hangs, or it was killed less than half a minute ago")
        trainers = [node for node in names if node.rpartition("/")[2] == TRAINER]
        if not trainers and any(node.endswith(f"/{COLLECTOR}") for node in shown):
            found.append(f"no trainer on {self.where}: robots keep their experience, and their policy is not renewed")
        if len(trainers) > 1:
            found.append(f"{len(trainers)} trainers: {', '.join(sorted(trainers))}; robots need exactly one")
        return found

    def lines(self, robots: Sequence[str], now_s: float) -> list[str]:
        """One line for each node, robots first, then the problems."""
        names = [node for node in self.present | self.reported if self._concerns(node, robots)]
        lines = []
        for node in sorted(names, key=lambda node: (robot_of(node) == "", node)):
            reports = sorted(self._running(node, now_s).values(), key=lambda report: report.process)
            lines += [f"{node}: {self._state(report)}{LEVELS[report.level]}: {report.message}" for report in reports]
        return lines + [f"problem: {text}" for text in self.problems(robots, now_s)]

    def document(self, robots: Sequence[str], now_s: float) -> dict[str, object]:
        """Everything, as plain values."""
        nodes = [
            {
                "node": report.node,
                "process": report.process,
                "level": LEVELS[report.level],
                "message": report.message,
                "values": dict(report.values),
            }
            for node in sorted(self.reported)
            if self._concerns(node, robots)
            for report in self._running(node, now_s).values()
        ]
        return {
            "where": self.where,
            "robots": list(self.robots),
            "nodes": nodes,
            "problems": self.problems(robots, now_s),
        }

    def _concerns(self, node: str, robots: Sequence[str]) -> bool:
        return not robots or robot_of(node) in ("", *robots)

    def _running(self, node: str, now_s: float) -> dict[str, Report]:
        reports = self._reports.get(node, {})
        return {process: report for process, report in reports.items() if now_s - report.received_s <= RECENT_S}

    @staticmethod
    def _state(report: Report) -> str:
        """Of a managed node that is not active."""
        state = report.values.get("lifecycle state", "active")
        return "" if state == "active" else f"{state}, "


def robot_of(node: str) -> str:
    """The namespace of a node's full name, without its first slash; "" for those of the whole fleet."""
    return node.rpartition("/")[0].strip("/")
