"""The robots' diagnostics from `/diagnostics`, collected for one line per robot."""

from collections.abc import Iterable, Mapping

MAX_MESSAGE = 400  # characters of a node's message that are shown
COLLECTOR, VELOCITY_CONTROL = "collector", "velocity_control"


class FleetHealth:
    """The newest values of every robot's collector and velocity controller; of known robots only, so it is bounded."""

    def __init__(self, robots: tuple[str, ...]) -> None:
        self._values: dict[str, dict[str, Mapping[str, str]]] = {robot: {} for robot in robots}
        self._errors: dict[str, str] = {}  # by node, "" without one
        self._calls: list[str] = []

    def know(self, robots: Iterable[str]) -> None:
        """Robots whose reports are taken from now on."""
        for robot in robots:
            self._values.setdefault(robot, {})

    def take(self, node: str, message: str, values: Mapping[str, str], error: bool = False) -> None:
        """Record the report of the node with the full name `node`; other nodes are ignored.

        A new `error` is a call for a person.
        """
        robot, _, name = node.strip("/").rpartition("/")
        if robot not in self._values or name not in (COLLECTOR, VELOCITY_CONTROL):
            return
        text = message[:MAX_MESSAGE]
        if error and self._errors.get(node) != text:
            self._calls.append(f"{robot}: {text}")
        self._errors[node] = text if error else ""
        self._values[robot][name] = {**values, "message": text}

    def call(self, text: str) -> None:
        """A call for a person from elsewhere."""
        self._calls.append(text)

    def calls(self) -> list[str]:
        """New calls for a person since the last time."""
        calls, self._calls = self._calls, []
        return calls

    def lines(self) -> list[str]:
        """One line per robot that has reported."""
        return [self._line(robot, nodes) for robot, nodes in self._values.items() if COLLECTOR in nodes]

    @staticmethod
    def _line(robot: str, nodes: Mapping[str, Mapping[str, str]]) -> str:
        values = nodes[COLLECTOR]
        control = nodes.get(VELOCITY_CONTROL, {})
        counts = [v for k, v in control.items() if k.startswith("interventions ")]
        reasons = control.get("reasons", "")[:MAX_MESSAGE]
        also = f" | velocity_control: {reasons}" if reasons and reasons not in values["message"] else ""
        interventions = sum(int(count) for count in counts if count.isascii() and count.isdigit())
        return (
            f"{robot}: {values['message']}{also} | {values.get('rate [Hz]', '?')} Hz, "
            f"missed periods {values.get('missed periods', '?')}, "
            f"{values.get('episodes per hour', '?')} episodes/h, interventions {interventions}, "
            f"policy {values.get('policy version', '?')} of age {values.get('policy age [s]', '?')} s, "
            f"unsent batches {values.get('unsent batches', '?')}, "
            f"unacknowledged transitions {values.get('unacknowledged transitions', '?')}"
        )
