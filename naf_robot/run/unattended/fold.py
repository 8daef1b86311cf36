"""The statistics of a run over days, folded as reports and episodes come; no ROS, clocks are passed in."""

from collections.abc import Iterable, Mapping

from naf_robot.run.robot_state import STATES, WORKING
from naf_robot.run.unattended.drift import QUANTITIES, Watching, watch
from naf_robot.run.unattended.records import HelpRequest, NodeRecord, RobotRecord, SensorRecord, Statistics, Watched
from naf_robot.run.unattended.series import Course

COLLECTOR, CONTROL = "collector", "velocity_control"
NODES = (COLLECTOR, CONTROL, "door_sensor", "camera")
SILENT_S = 5.0  # between two reports, which come once a second; what is longer counts as silence
COUNTED = ("interventions ", "faults ", "operator ")  # beginnings of counters' keys
COUNTERS = ("homing failures", "missed periods", "periods")  # other counters
KEPT_REQUESTS = 200
MAX_KINDS = 200  # of counters and of sensors of a robot: what comes from the network is bounded
MAX_TEXT = 400
LOST_SENSOR = "faults sensor lost"
SHUTDOWN = "stopped: shutdown"  # of an orderly end: no fault
COURSES = {"rate [Hz]": "rate", "noise": "noise", "mean": "mean"}  # of a sensor, by what it reports


class RunStatistics:
    """Folds what the nodes of known robots report into `record`.

    `paced` says that time passes as on a clock, so that rates say something.
    """

    def __init__(self, robots: tuple[str, ...], record: Statistics, watching: Watching, paced: bool) -> None:
        self.record = record
        self._watching = watching
        self._paced = paced
        self._heard: dict[str, float] = {}  # of each robot's nodes by full name: steady time of the last report
        self._open: dict[str, HelpRequest] = {}  # by node
        self._calls: list[str] = []
        self._episodes: dict[tuple[str, str], str | None] = {}  # for which a value was taken last
        self._ticked_s: float | None = None
        for request in record.help:  # who needed help when the last session ended asks again if it still does
            request.open = False
        self.know(robots)
        record.sessions += 1

    def know(self, robots: Iterable[str]) -> None:
        """Robots whose reports are taken from now on."""
        for robot in robots:
            if robot not in self.record.robots:
                self.record.robots[robot] = RobotRecord()

    def take(
        self, node: str, message: str, values: Mapping[str, str], error: bool, steady_s: float, at_s: float
    ) -> None:
        """A report of the node with the full name `node`, at `steady_s` on a steady clock and `at_s` of Unix time."""
        robot, _, name = node.strip("/").rpartition("/")
        record = self.record.robots.get(robot)
        if record is None or name not in NODES:
            return
        since_s = steady_s - self._heard.get(node, steady_s)
        self._heard[node] = steady_s
        reporter = record.nodes.setdefault(name, NodeRecord())
        if (process := values.get("process", "")) != reporter.process or not reporter.starts:
            reporter.process, reporter.raw = process, {}
            reporter.starts += 1
        grown = self._grown(record, reporter, values)
        self._help(robot, node, message, error and SHUTDOWN not in message, since_s, at_s)
        if name == COLLECTOR:
            self._collector(robot, record, values, grown, since_s, at_s)
        elif name == CONTROL:
            self._control(robot, record, grown, since_s, at_s)
        self._sensors(robot, record, reporter, values, since_s, at_s)

    def episode(self, robot: str, episode_return: float, success: bool, greedy: bool, at_s: float) -> None:
        """A finished episode; greedy ones show whether the policy has become worse."""
        record = self.record.robots.get(robot)
        if record is not None and greedy:
            self._watch(robot, record, "return", "", float(episode_return), at_s)
            self._watch(robot, record, "success", "", float(success), at_s)

    def tick(self, steady_s: float, at_s: float) -> None:
        """Time passes, whoever reports; call it about once a second."""
        if self._ticked_s is not None:
            passed_s = min(max(steady_s - self._ticked_s, 0.0), 60.0)
            self.record.watched_s += passed_s
        self._ticked_s = steady_s
        if self.record.since_s == 0.0:
            self.record.since_s = at_s
        self.record.until_s = at_s

    def calls(self) -> list[str]:
        """Alarms since the last time, each a call for a person."""
        calls, self._calls = self._calls, []
        return calls

    def _grown(self, record: RobotRecord, node: NodeRecord, values: Mapping[str, str]) -> dict[str, int]:
        """By how much each counter has grown since the last report; a new process counts from zero."""
        grown: dict[str, int] = {}
        for key, text in values.items():
            if not (key.startswith(COUNTED) or key in COUNTERS) or not (text.isascii() and text.isdigit()):
                continue
            value, last = int(text), node.raw.get(key, 0)
            if key not in node.raw and len(node.raw) >= MAX_KINDS:
                continue
            node.raw[key] = value
            if (step := value - last if value >= last else value) > 0:
                grown[key] = step
                record.counts[key] = record.counts.get(key, 0) + step
        return grown

    def _collector(
        self,
        robot: str,
        record: RobotRecord,
        values: Mapping[str, str],
        grown: Mapping[str, int],
        since_s: float,
        at_s: float,
    ) -> None:
        state = values.get("state", "")
        state = state if state in STATES else "silent"
        if state == "sensor" and record.state in WORKING:
            record.counts[LOST_SENSOR] = record.counts.get(LOST_SENSOR, 0) + 1
        record.state = state
        spent = state if since_s <= SILENT_S else "silent"
        record.seconds[spent] = record.seconds.get(spent, 0.0) + since_s
        if (age_s := _number(values.get("policy age [s]"))) is not None:
            record.policy_age.take(age_s)
        if (pinned := values.get("pinned to version", "")) != record.pinned:
            record.pinned = pinned[:MAX_TEXT]
            for key in ("return", "success"):  # of another policy: not comparable
                record.watched.pop(key, None)
        if 0.0 < since_s <= SILENT_S and state in WORKING:
            if periods := grown.get("periods"):
                self._watch(robot, record, "period", "", since_s / periods, at_s)
            self._watch(robot, record, "missed", "", grown.get("missed periods", 0) / since_s, at_s)
        for key in ("home distance [rad]", "homing time [s]"):
            value = _number(values.get(key))
            if value is None:
                continue
            course = record.courses.setdefault(key, Course())
            if values.get("episodes") != self._episodes.get((robot, key)):  # once for each episode
                self._episodes[robot, key] = values.get("episodes")
                course.take(value, at_s)
                self._watch(robot, record, key, "", value, at_s)

    def _control(self, robot: str, record: RobotRecord, grown: Mapping[str, int], since_s: float, at_s: float) -> None:
        if not 0.0 < since_s <= SILENT_S or record.state not in WORKING:
            return
        count = sum(step for key, step in grown.items() if key.startswith("interventions "))
        record.courses.setdefault("interventions", Course()).take(3600.0 * count / max(since_s, 0.5), at_s)
        self._watch(robot, record, "interventions", "", float(count), at_s, weight=since_s)

    def _sensors(
        self,
        robot: str,
        record: RobotRecord,
        reporter: NodeRecord,
        values: Mapping[str, str],
        since_s: float,
        at_s: float,
    ) -> None:
        found: dict[str, dict[str, float]] = {}
        for key, text in values.items():
            if key.startswith("sensor ") and (value := _number(text)) is not None:
                _, name, quantity = key.split(" ", 2)
                found.setdefault(name, {})[quantity] = value
        for name, report in found.items():
            if name in record.sensors or len(record.sensors) < MAX_KINDS:
                self._sensor(robot, record, reporter, name, report, since_s, at_s)

    def _sensor(
        self,
        robot: str,
        record: RobotRecord,
        reporter: NodeRecord,
        name: str,
        report: Mapping[str, float],
        since_s: float,
        at_s: float,
    ) -> None:
        sensor = record.sensors.setdefault(name, SensorRecord())
        grown: dict[str, int] = {}
        for key in ("messages", "missing", "compared", "identical"):
            value, last = int(report.get(key, 0)), reporter.raw.get(f"{name} {key}", 0)
            grown[key] = value - last if value >= last else value
            reporter.raw[f"{name} {key}"] = value
            sensor.counts[key] = sensor.counts.get(key, 0) + grown[key]
        if "age [s]" in report:
            sensor.age.take(report["age [s]"])
        shown: dict[str, float] = {COURSES[key]: value for key, value in report.items() if key in COURSES}
        if grown["compared"] > 0:
            shown["identical"] = grown["identical"] / grown["compared"]
        if 0.0 < since_s <= SILENT_S:
            shown["missing"] = grown["missing"] / since_s
            if "rate [Hz]" not in report and not grown["messages"]:
                shown["rate"] = 0.0
        for quantity, shown_value in shown.items():
            sensor.courses.setdefault(quantity, Course()).take(shown_value, at_s)
            self._watch(robot, record, quantity, name, shown_value, at_s)

    def _help(self, robot: str, node: str, message: str, error: bool, since_s: float, at_s: float) -> None:
        request = self._open.get(node)
        if request is not None:
            request.waited_s += since_s
            if not error:
                request.open = False
                self.record.help_waited.take(request.waited_s)
                del self._open[node]
        elif error:
            request = self._open[node] = HelpRequest(robot, message[:MAX_TEXT], at_s)
            self.record.help_count += 1
            self._keep(request)

    def _keep(self, request: HelpRequest) -> None:
        self.record.help.append(request)
        del self.record.help[:-KEPT_REQUESTS]

    def _watch(
        self, robot: str, record: RobotRecord, name: str, of: str, value: float, at_s: float, weight: float = 1.0
    ) -> None:
        quantity = QUANTITIES[name]
        if quantity.paced and not self._paced:
            return
        watched = record.watched.setdefault(f"{of} {name}".strip(), Watched())
        text = watch(watched, quantity, of, value, at_s, self._watching, weight)
        if text is not None:
            self.record.alarms += 1
            self._calls.append(f"{robot}: {text}")
            self._keep(HelpRequest(robot, text, at_s, open=False, drift=True))


def _number(text: str | None) -> float | None:
    """A finite number of moderate size, else None."""
    try:
        value = float(text) if text else None
    except ValueError:
        return None
    return value if value is not None and abs(value) < 1e12 else None
