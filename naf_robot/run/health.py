"""The robots' diagnostics from `/diagnostics`, collected for one line per robot."""

from collections.abc import Mapping

COLLECTOR, VELOCITY_CONTROL = "collector", "velocity_control"


class FleetHealth:
    """The newest values of every robot's collector and velocity controller; of known robots only, so it is bounded."""

    def __init__(self, robots: tuple[str, ...]) -> None:
        self._values: dict[str, dict[str, Mapping[str, str]]] = {robot: {} for robot in robots}

    def take(self, node: str, message: str, values: Mapping[str, str]) -> None:
        """Record the report of the node with the full name `node`; other nodes are ignored."""
        robot, _, name = node.strip("/").rpartition("/")
        if robot in self._values and name in (COLLECTOR, VELOCITY_CONTROL):
            self._values[robot][name] = {**values, "message": message[:200]}

    def lines(self) -> list[str]:
        """One line per robot that has reported."""
        return [self._line(robot, nodes) for robot, nodes in self._values.items() if COLLECTOR in nodes]

    @staticmethod
    def _line(robot: str, nodes: Mapping[str, Mapping[str, str]]) -> str:
        values = nodes[COLLECTOR]
        control = nodes.get(VELOCITY_CONTROL, {})
        counts = [v for k, v in control.items() if k.startswith("interventions ")]
        interventions = sum(int(count) for count in counts if count.isascii() and count.isdigit())
        return (
            f"{robot}: {values['message']} | {values.get('rate [Hz]', '?')} Hz, "
            f"missed periods {values.get('missed periods', '?')}, "
            f"{values.get('episodes per hour', '?')} episodes/h, interventions {interventions}, "
            f"policy {values.get('policy version', '?')} of age {values.get('policy age [s]', '?')} s, "
            f"unsent batches {values.get('unsent batches', '?')}, "
            f"unacknowledged transitions {values.get('unacknowledged transitions', '?')}"
        )
