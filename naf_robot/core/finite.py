"""Configuration records hold finite numbers only: a limit that is not a number limits nothing."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from naf_robot.core.errors import ConfigError


def require_finite(record: msgspec.Struct, where: str) -> None:
    """Refuse a record in which a number is not finite; for its `__post_init__`.

    `where` says which record it is, for people. Records within the record check themselves.

    Raises:
        ConfigError: with the path of the first such number.
    """
    for field in record.__struct_fields__:
        for path, value in _numbers(field, getattr(record, field)):
            if not math.isfinite(value):
                raise ConfigError(f"{where}: {path} must be a finite number, got {value}")


def _numbers(path: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, float):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(f"{path}.{key}", item)
    elif isinstance(value, tuple | list):
        for place, item in enumerate(value):
            yield from _numbers(f"{path}[{place}]", item)
