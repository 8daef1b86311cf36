"""Typed configuration: `msgspec.Struct` records filled from plain values.

A record declares its fields, ranges (`msgspec.Meta`), defaults and, in the comment behind each, its meaning
(`core.field_descriptions`). Every error names the key by its dotted path and says what would be right.
"""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar, get_args, get_origin

import msgspec

from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.core.yaml_text import load_yaml, to_yaml

__all__ = [
    "Config",
    "build",
    "check_finite",
    "dump_yaml",
    "holds_records_by_name",
    "load_yaml",
    "merge",
    "nested_record",
]


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every configuration record: immutable, keyword-only, no unknown keys."""


ConfigT = TypeVar("ConfigT", bound=Config)


def build(record: type[ConfigT], values: Mapping[str, Any], where: str = "") -> ConfigT:
    """Make a `record` from plain values; numbers written as text are accepted where a number is declared.

    Raises:
        UnknownNameError: a key that the record does not declare, with the keys it does.
        ConfigError: a value of the wrong type, out of range or not finite, with its dotted path.
    """
    _check_keys(record, values, where)
    for name, kind in _fields(record).items():  # msgspec does not name the key of a mapping in its errors
        below = nested_record(kind)
        if below is not None and holds_records_by_name(kind) and isinstance(values.get(name), Mapping):
            for key, each in values[name].items():
                if isinstance(each, Mapping):
                    build(below, each, _join(where, name, str(key)))
    try:
        built = msgspec.convert(dict(values), record, strict=False)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        place = _join(where, path.strip(".`")) or "the top level"
        raise ConfigError(f"invalid configuration: {reason} at {place}") from None
    check_finite(built, where)
    return built


def check_finite(value: Any, where: str = "") -> None:
    """Refuse a number that is not finite, wherever below `value` it stands.

    Raises:
        ConfigError: naming it by its dotted path.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ConfigError(f"{where} must be a finite number, got {value}")
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            check_finite(getattr(value, name), _join(where, name))
    elif isinstance(value, Mapping):
        for name, below in value.items():
            check_finite(below, _join(where, str(name)))
    elif isinstance(value, (tuple, list)):
        for index, below in enumerate(value):
            check_finite(below, f"{where}[{index}]")


def nested_record(kind: Any) -> type[Config] | None:
    """The record that a field of type `kind` holds: itself, or None, or one by name; None if it holds no record."""
    for each in (kind, *get_args(kind), *(inner for outer in get_args(kind) for inner in get_args(outer))):
        if isinstance(each, type) and issubclass(each, Config):
            return each
    return None


def dump_yaml(config: Config | Mapping[str, Any]) -> str:
    """Write `config` as YAML that `load_yaml` and `build` read back to an equal record."""
    return to_yaml(msgspec.to_builtins(config))


def merge(base: Mapping[str, Any], *overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Merge nested mappings, later ones winning; nothing passed in is changed."""
    merged = dict(base)
    for override in overrides:
        for key, value in override.items():
            below = merged.get(key)
            merged[key] = merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged


@cache
def _fields(record: type[Config]) -> dict[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(record)}


def holds_records_by_name(kind: Any) -> bool:
    """Whether a field of type `kind` holds a mapping from names."""
    return any(get_origin(each) is dict for each in (kind, *get_args(kind)))


def _check_keys(record: type[Config], values: Mapping[str, Any], where: str) -> None:
    fields = _fields(record)
    for key, value in values.items():
        if key not in fields:
            raise UnknownNameError("configuration key", key, fields, where or "the top level")
        below = nested_record(fields[key])
        if below is None or not isinstance(value, Mapping):
            continue
        named = value.items() if holds_records_by_name(fields[key]) else [("", value)]
        for name, each in named:
            if isinstance(each, Mapping):
                _check_keys(below, each, _join(where, key, str(name)))


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)
