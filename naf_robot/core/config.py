"""Typed configuration: `msgspec.Struct` records filled from YAML and command-line overrides.

A record declares its fields, ranges (`msgspec.Meta`) and defaults; this module reads
YAML into it. Every error names the key by its dotted path and says what would be right.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import msgspec
import yaml

from naf_robot.core.errors import ConfigError, UnknownNameError


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every configuration record: immutable, keyword-only, no unknown keys."""


ConfigT = TypeVar("ConfigT", bound=Config)


def build(record: type[ConfigT], values: Mapping[str, Any], where: str = "") -> ConfigT:
    """Make a `record` from plain values.

    Numbers written as text (PyYAML reads `1e-3` as a string) are accepted where a number
    is declared.

    Raises:
        UnknownNameError: a key that the record does not declare, with the keys it does.
        ConfigError: a value of the wrong type or out of range, with its dotted path.
    """
    _check_keys(record, values, where)
    try:
        return msgspec.convert(dict(values), record, strict=False)
    except msgspec.ValidationError as error:
        place = f" ({where})" if where else ""
        raise ConfigError(f"invalid configuration{place}: {error}") from None


def load_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping from `path`; an empty file is an empty mapping.

    Raises:
        ConfigError: the file is missing, is not YAML, or is not a mapping.
    """
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read configuration file {str(path)!r}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"configuration file {str(path)!r} is not valid YAML: {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"configuration file {str(path)!r} must hold a mapping, not {type(values).__name__}")
    return values


def dump_yaml(config: Config | Mapping[str, Any]) -> str:
    """Write `config` as YAML that `load_yaml` and `build` read back to an equal record."""
    return yaml.safe_dump(msgspec.to_builtins(config), sort_keys=False)


def merge(base: Mapping[str, Any], *overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Merge nested mappings, later ones winning; nothing passed in is changed."""
    merged = dict(base)
    for override in overrides:
        for key, value in override.items():
            below = merged.get(key)
            merged[key] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


def parse_overrides(assignments: Iterable[str]) -> dict[str, Any]:
    """Turn `a.b=value` command-line assignments into a nested mapping; values are YAML.

    Raises:
        ConfigError: an assignment without `=` or with an empty key.
    """
    values: dict[str, Any] = {}
    for assignment in assignments:
        key, separator, text = assignment.partition("=")
        if not separator or not all(key.split(".")):
            raise ConfigError(f"override {assignment!r} must have the form key.subkey=value")
        nested: Any = yaml.safe_load(text)
        for part in reversed(key.split(".")):
            nested = {part: nested}
        values = merge(values, nested)
    return values


def _check_keys(record: type[Config], values: Mapping[str, Any], where: str) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(record)}
    for key, value in values.items():
        if key not in fields:
            raise UnknownNameError("configuration key", key, fields, where or "the top level")
        place = f"{where}.{key}" if where else key
        kind = fields[key].type
        for nested in (kind, *get_args(kind)):
            if not (isinstance(nested, type) and issubclass(nested, Config) and isinstance(value, Mapping)):
                continue
            named = value.items() if get_origin(kind) is dict else [("", value)]
            for name, below in named:
                if isinstance(below, Mapping):
                    _check_keys(nested, below, f"{place}.{name}" if name else place)
