"""YAML as it is written: the core schema of YAML 1.2, no key twice, UTF-8, and the line that each value stands on.

PyYAML reads the rules of YAML 1.1, where `010` is eight, `1:30` is ninety, `on` is true and `1e-3` is text, and of a
key that is given twice it keeps the last one without a word.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import yaml

from naf_robot.core.errors import ConfigError

KeyPath = tuple[str, ...]
MERGE, TEXT = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:str"
RESOLVERS = (  # tag, pattern, first characters: YAML 1.2.2, section 10.3.2
    ("tag:yaml.org,2002:null", r"(?:null|Null|NULL|~|)$", ["n", "N", "~", ""]),
    ("tag:yaml.org,2002:bool", r"(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("tag:yaml.org,2002:int", r"(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$", list("-+0123456789")),
    (
        "tag:yaml.org,2002:float",
        r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        list("-+.0123456789"),
    ),
    (MERGE, r"<<$", ["<"]),
)


class CoreLoader(yaml.SafeLoader):
    """Plain scalars by the core schema; every mapping's keys are text, and each stands there once."""

    yaml_implicit_resolvers: ClassVar[dict[str, list]] = {}  # type: ignore[misc]

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Refuse a key that is no text or that was given before; `<<` may still bring in others' keys."""
        node = super().compose_mapping_node(anchor)
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line, problem = key.start_mark.line + 1, ""
            if key.tag == MERGE:
                continue
            if key.tag != TEXT:
                name = key.value if isinstance(key, yaml.ScalarNode) else "of a list or mapping"
                problem = f"key {name!r} must be text; quote it"
            elif key.value in seen:
                problem = f"key {key.value!r} is given twice, in lines {seen[key.value]} and {line}; keep one of them"
            if problem:
                raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key.start_mark)
            seen[key.value] = line
        return node


def _construct_int(loader: CoreLoader, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text[2:] if base != 10 else text, base)


def _construct_float(loader: CoreLoader, node: yaml.ScalarNode) -> float:
    text = loader.construct_scalar(node).lower()
    return float(text.replace(".inf", "inf").replace(".nan", "nan"))


for tag, pattern, first in RESOLVERS:
    CoreLoader.add_implicit_resolver(tag, re.compile(pattern), first)
CoreLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)
CoreLoader.add_constructor("tag:yaml.org,2002:float", _construct_float)


class BothDumper(yaml.SafeDumper):
    """Quotes text that either version of YAML would read as something else."""


for tag, pattern, first in RESOLVERS:
    BothDumper.add_implicit_resolver(tag, re.compile(pattern), first)


def parse_yaml(text: str, what: str) -> Any:
    """The value of a YAML document; `what` names it in errors.

    Raises:
        ConfigError: it is not YAML, or a key stands there twice; one sentence with the line.
    """
    return _parse(text, what)[0]


def parse_scalar(text: str, what: str) -> Any:
    """The value of a command-line word: a list, mapping or quoted text as in YAML, anything else one plain scalar.

    So `run #3` and `run: second` stay what they are.

    Raises:
        ConfigError: brackets or quotes that do not match.
    """
    text = text.strip()
    if text[:1] in ("[", "{", '"', "'"):
        return parse_yaml(text, what)
    loader = CoreLoader("")
    tag = loader.resolve(yaml.ScalarNode, text, (True, False))
    return loader.construct_object(yaml.ScalarNode(tag, text))


def read_text(path: str | Path, what: str) -> str:
    """The text of a UTF-8 file, with or without a byte order mark; `what` names it in errors.

    Raises:
        ConfigError: it is missing or is not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"cannot read {what} {str(path)!r}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{what} {str(path)!r} is not UTF-8 text (byte 0x{error.object[error.start]:02x} at position "
            f"{error.start}); save it as UTF-8"
        ) from None


def load_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping from `path`; an empty file is an empty mapping.

    Raises:
        ConfigError: the file is missing, not UTF-8, not YAML, has a key twice, or is not a mapping.
    """
    return _load(path)[0]


def load_with_lines(path: str | Path) -> tuple[dict[str, Any], dict[KeyPath, int]]:
    """The same, and the line of each key by its path; keys that are merged by `<<` are left out."""
    values, node = _load(path)
    lines: dict[KeyPath, int] = {}

    def walk(node: yaml.Node | None, place: KeyPath) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                path = (*place, key.value)
                lines[path] = key.start_mark.line + 1
                walk(value, path)

    walk(node, ())
    return values, lines


def _load(path: str | Path) -> tuple[dict[str, Any], yaml.Node | None]:
    what = "configuration file"
    values, node = _parse(read_text(path, what), f"{what} {str(path)!r}")
    if values is None:
        return {}, None
    if not isinstance(values, dict):
        raise ConfigError(f"{what} {str(path)!r} must hold a mapping, not {type(values).__name__}")
    return values, node


def _parse(text: str, what: str) -> tuple[Any, yaml.Node | None]:
    try:
        loader = CoreLoader(text)
        node = loader.get_single_node()
        return None if node is None else loader.construct_document(node), node
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = " ".join(str(part) for part in (error.problem, error.context) if part)
        raise ConfigError(f"{what} is not valid YAML{place}: {problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{what} is not valid YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ConfigError(f"{what} is nested too deeply") from None


def to_yaml(values: Mapping[str, Any] | Sequence[Any]) -> str:
    """`values` as YAML that this module, and any reader of YAML 1.1, reads back as they are."""
    return yaml.dump(values, Dumper=BothDumper, sort_keys=False, allow_unicode=True)
