"""One process of a system, described once for the runner and for `ros2 launch`."""

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from naf_robot.core.errors import ConfigError

ParameterValue = str | bool | int | float | tuple[str, ...] | tuple[int, ...]
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")  # of a node or a token of its namespace


@dataclass(frozen=True)
class NodeSpec:
    """What to start, how it is named on the graph, and when it is stopped.

    A node of ours is a Python module. A foreign node is an executable of a ROS package, searched below
    `AMENT_PREFIX_PATH` as `ros2 run` does. Specs are stopped in ascending `stop_order`: whoever asks for motion
    first, the arm last. A spec that `decides` ends the whole system with its exit code; the exit of one
    that is not `required` ends nothing, and neither does exit code 0 of one whose work is done `once`.

    Raises:
        ConfigError: neither a module nor a package with its executable, or a name that ROS does not allow.
    """

    name: str
    module: str = ""
    namespace: str = ""
    parameters: dict[str, ParameterValue] = field(default_factory=dict)
    remappings: dict[str, str] = field(default_factory=dict)
    stop_order: int = 0
    stop_within_s: float = 1.0  # kept in reserve for it when everything must end
    decides: bool = False
    restarts: int = 0  # how often it may be started again after it ended unexpectedly
    package: str = ""
    executable: str = ""
    extra_arguments: tuple[str, ...] = ()  # before `--ros-args`
    parameter_files: tuple[str, ...] = ()  # the values in `parameters` win over theirs
    enclave: str = ""  # of SROS 2; without effect unless ROS_SECURITY_ENABLE is true
    lifecycle: bool = False  # a managed node: configured and activated once it is there (bringup/lifecycle.py)
    required: bool = True
    once: bool = False

    def __post_init__(self) -> None:
        if bool(self.module) == bool(self.package) or bool(self.package) != bool(self.executable):
            raise ConfigError(f"node {self.label!r} needs either a Python module or a package and its executable")
        for word in (self.name, *filter(None, self.namespace.split("/"))):
            if not NAME.fullmatch(word) or "__" in word:
                raise ConfigError(
                    f"node {self.label!r}: {word!r} is no ROS name; letters, digits and single underscores are"
                )

    @property
    def label(self) -> str:
        """How people read of it: `robot_1/collector`, `trainer`."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def is_foreign(self) -> bool:
        """Whether it comes from another package than this one."""
        return bool(self.package)

    def own_arguments(self) -> list[str]:
        """The program's own arguments: `[-m module] [extra]`."""
        return [*(["-m", self.module] if self.module else []), *self.extra_arguments]

    def arguments(self) -> list[str]:
        """Everything behind the program: its own arguments, then `--ros-args ...`.

        Texts are written as quoted YAML, which is how rcl reads the values of `-p`: a robot named `no` stays a text.
        """
        arguments = [*self.own_arguments(), "--ros-args", "-r", f"__node:={self.name}"]
        if self.namespace:
            arguments += ["-r", f"__ns:=/{self.namespace}"]
        if self.enclave:
            arguments += ["--enclave", self.enclave]
        for path in self.parameter_files:
            arguments += ["--params-file", path]
        for name, value in self.parameters.items():
            arguments += ["-p", f"{name}:={yaml_text(value)}"]
        for source, target in self.remappings.items():
            arguments += ["-r", f"{source}:={target}"]
        return arguments

    def program(self) -> str:
        """The file that is executed.

        Raises:
            ConfigError: the executable of a foreign node is below no prefix of `AMENT_PREFIX_PATH`.
        """
        if not self.is_foreign:
            return sys.executable
        path = find_executable(self.package, self.executable, os.environ)
        if path is None:
            raise ConfigError(self.missing())
        return str(path)

    def command(self) -> list[str]:
        """The command line of the process runner; under launch, launch_ros makes one of the same meaning.

        Raises:
            ConfigError: as `program`.
        """
        return [self.program(), *self.arguments()]

    def missing(self) -> str:
        """The sentence for a foreign node that is not on this machine."""
        return (
            f"node {self.label!r} needs a ROS installation: executable {self.executable!r} of package "
            f"{self.package!r} is below no prefix of AMENT_PREFIX_PATH={os.environ.get('AMENT_PREFIX_PATH', '')!r}"
        )


def yaml_text(value: ParameterValue) -> str:
    """`value` as one line of YAML that is read back as exactly that value, and with its type.

    A JSON text in double quotes is one of YAML too; numbers keep the point that tells a double from an integer.
    """
    if isinstance(value, float):
        text = repr(value)
        mantissa, e, exponent = text.partition("e")
        special = {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}
        return special.get(text, f"{mantissa if '.' in mantissa else mantissa + '.0'}{e}{exponent}")
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def find_executable(package: str, executable: str, environment: Mapping[str, str]) -> Path | None:
    """The file `lib/<package>/<executable>` below the first prefix that has it, None if there is none."""
    for prefix in environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        path = Path(prefix) / "lib" / package / executable
        if prefix and path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def check_executables(specs: Iterable[NodeSpec], system: str) -> None:
    """Make sure that every foreign node of `specs` is on this machine, before anything of `system` is started.

    Raises:
        ConfigError: one is missing.
    """
    for spec in specs:
        if spec.is_foreign and find_executable(spec.package, spec.executable, os.environ) is None:
            raise ConfigError(f"system {system!r} cannot start here: {spec.missing()}")
