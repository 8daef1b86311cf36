"""One process of a system, described once for the runner and for `ros2 launch`."""

import sys
from dataclasses import dataclass, field

ParameterValue = str | bool | int | float


@dataclass(frozen=True)
class NodeSpec:
    """What to start, how it is named on the graph, and when it is stopped.

    Specs are stopped in ascending `stop_order`: whoever asks for motion first, the arm last.
    A spec that `decides` ends the whole system with its exit code.
    """

    name: str
    module: str
    namespace: str = ""
    parameters: dict[str, ParameterValue] = field(default_factory=dict)
    remappings: dict[str, str] = field(default_factory=dict)
    stop_order: int = 0
    stop_within_s: float = 1.0  # kept in reserve for it when everything must end
    decides: bool = False
    restarts: int = 0  # how often it may be started again after it died

    @property
    def label(self) -> str:
        """How people read of it: `robot_1/collector`, `trainer`."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def arguments(self) -> list[str]:
        """Everything behind the interpreter: `-m module --ros-args ...`."""
        arguments = ["-m", self.module, "--ros-args", "-r", f"__node:={self.name}"]
        if self.namespace:
            arguments += ["-r", f"__ns:=/{self.namespace}"]
        for name, value in self.parameters.items():
            arguments += ["-p", f"{name}:={_text(value)}"]
        for source, target in self.remappings.items():
            arguments += ["-r", f"{source}:={target}"]
        return arguments

    def command(self) -> list[str]:
        """The command line, the same under the runner and under launch."""
        return [sys.executable, *self.arguments()]


def _text(value: ParameterValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
