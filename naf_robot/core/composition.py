"""Configuration composed from layers: a value given later wins, and each knows where it was given."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from naf_robot.core.config import merge
from naf_robot.core.errors import ConfigError
from naf_robot.core.yaml_text import KeyPath, load_with_lines, parse_scalar

COMMAND_LINE = "command line"
EXTENDS = "extends"  # a file's key that names the one beside it that it is written over
ASSIGNMENT = re.compile(r"(?:^|\s)\s*([A-Za-z_][\w-]*(?:\.[\w-]+)*)=")
QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'")


@dataclass(frozen=True)
class Layer:
    """Nested values that were given in one place.

    Relative paths among them start at `folder`; None stands for the folder of the package's own files.
    """

    name: str  # of the place, for people
    values: Mapping[str, Any]
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    folder: Path | None = None

    def origin(self, path: KeyPath) -> str:
        """Where the value at `path` was given: the place, with the line where that is known."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.name}:{self.lines[path]}" if path else self.name


@dataclass
class Composition:
    """Nested `values`, and the origin of each leaf that was given."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)

    def add(self, layer: Layer) -> None:
        """Put the values of `layer` over those that are there."""
        self._note(layer, layer.values, self.values, ())
        self.values = merge(self.values, layer.values)

    def origin(self, path: KeyPath) -> str | None:
        """Where the value at `path`, or a mapping or list that holds it, was given; None: nowhere."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
        return None

    def _note(self, layer: Layer, values: Mapping[str, Any], before: Any, place: KeyPath) -> None:
        for key, value in values.items():
            path = (*place, str(key))
            old = before.get(key) if isinstance(before, Mapping) else None
            if isinstance(value, Mapping) and value:
                self.origins.pop(path, None)
                self._note(layer, value, old, path)
                continue
            if isinstance(old, Mapping) and not isinstance(value, Mapping):
                for below in [known for known in self.origins if known[: len(path)] == path]:
                    del self.origins[below]
            self.origins[path] = layer.origin(path)


def compose(layers: Iterable[Layer]) -> Composition:
    """All `layers`, the first one lowest."""
    composition = Composition()
    for layer in layers:
        composition.add(layer)
    return composition


def file_layers(path: Path, name: str = "", folder: Path | None = None, seen: tuple[Path, ...] = ()) -> list[Layer]:
    """The layers of the YAML file at `path`: those of the file that it extends, then its own.

    `name` is what people know it by; `folder` is where its relative paths start, None the package.

    Raises:
        ConfigError: it cannot be read, or extends itself.
    """
    path = path.resolve()
    if path in seen:
        raise ConfigError(f"configuration file {str(path)!r} extends itself, by way of {', '.join(map(str, seen))}")
    values, lines = load_with_lines(path)
    layer = Layer(name or str(path), values, lines, folder)
    if EXTENDS not in values:
        return [layer]
    below = values.pop(EXTENDS)
    if not isinstance(below, str):
        raise ConfigError(f"configuration file {str(path)!r}: {EXTENDS} must name a file, got {below!r}")
    other = path.parent / below
    below_name = str(Path(name).parent / below) if name else ""
    return [*file_layers(other, below_name, folder if folder is None else other.parent, (*seen, path)), layer]


def assignments_layer(assignments: Iterable[str], folder: Path | None = None) -> Layer:
    """`a.b=value` assignments as one layer of the command line; of two for one key the later counts.

    Raises:
        ConfigError: an assignment without `=` or with an empty key, or a value with unmatched brackets or quotes.
    """
    values: dict[str, Any] = {}
    for assignment in assignments:
        key, separator, text = assignment.partition("=")
        if not separator or not all(key.split(".")):
            raise ConfigError(f"setting {assignment!r} must have the form key.subkey=value")
        nested: Any = parse_scalar(text, f"the value in setting {assignment!r}")
        for part in reversed(key.split(".")):
            nested = {part: nested}
        values = merge(values, nested)
    return Layer(COMMAND_LINE, values, folder=folder or Path.cwd())


def refuse_unused(layer: Layer, used: Sequence[KeyPath], what: str) -> None:
    """Refuse a value that `what` has no use for; `used` are the paths of those, and what is below them, that it has.

    Raises:
        ConfigError: naming the first one, its place, and the ones that are used.
    """
    for path in _leaves(layer.values):
        if not any(path[: len(known)] == known or known[: len(path)] == path for known in used):
            names = ", ".join(".".join(known) for known in used)
            raise ConfigError(f"{what} does not use {'.'.join(path)} ({layer.name}); it uses {names}")


def _leaves(values: Mapping[str, Any], place: KeyPath = ()) -> Iterator[KeyPath]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*place, key))
        else:
            yield (*place, key)


def split_assignments(text: str) -> list[str]:
    """The assignments in one text, separated by spaces; a value may hold spaces as long as no `key=` follows one.

    Raises:
        ConfigError: something stands before the first assignment.
    """
    hidden = QUOTED.sub(lambda quoted: "_" * len(quoted.group()), text)
    starts = [match.start(1) for match in ASSIGNMENT.finditer(hidden)]
    if text[: starts[0] if starts else None].strip():
        raise ConfigError(f"settings {text!r} must have the form key.subkey=value, separated by spaces")
    ends = [*starts[1:], len(text)]
    return [text[start:end].strip() for start, end in zip(starts, ends[: len(starts)], strict=True)]
