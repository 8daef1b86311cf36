"""What launch would execute, and what a command line says to ROS."""

import shlex
from collections.abc import Iterable
from typing import NamedTuple

import pytest
import yaml
from launch import LaunchContext
from launch.actions import ExecuteProcess
from launch.utilities import perform_substitutions


class RosCommand(NamedTuple):
    """A command line, read as rcl does: of several rules for one name the later one wins."""

    program: list[str]
    node: str
    namespace: str
    enclave: str
    parameters: dict[str, object]
    files: list[str]
    remappings: list[tuple[str, str]]


def read_command(words: list[str]) -> RosCommand:
    """`words` as what they mean."""
    begin = words.index("--ros-args")
    rules: dict[str, str] = {}
    parameters: dict[str, object] = {}
    enclave, files, remappings = "", [], []
    rest = iter(word for word in words[begin:] if word != "--ros-args")
    for flag in rest:
        value = next(rest)
        name, _, text = value.partition(":=")
        if flag == "--enclave":
            enclave = value
        elif flag == "--params-file":
            files.append(value)
        elif flag == "-p":
            parameters[name] = yaml.safe_load(text)
        elif name in ("__node", "__ns"):
            rules[name] = text
        else:
            assert flag == "-r", words
            remappings.append((name, text))
    return RosCommand(words[:begin], rules["__node"], rules.get("__ns", "/"), enclave, parameters, files, remappings)


def launched(
    monkeypatch: pytest.MonkeyPatch, context: LaunchContext, actions: Iterable[ExecuteProcess]
) -> list[RosCommand]:
    """The command lines that launch would execute for `actions`, without its prefix."""
    found: list[RosCommand] = []

    def record(action: ExecuteProcess, context: LaunchContext) -> None:
        prefix = shlex.split(perform_substitutions(context, action.process_description.prefix))
        assert prefix[-1] == "setsid"
        found.append(read_command([perform_substitutions(context, word) for word in action.cmd]))

    monkeypatch.setattr(ExecuteProcess, "execute", record)
    for action in actions:
        action.execute(context)
    return found
