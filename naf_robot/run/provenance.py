"""A composed configuration for people: every value with its origin, its default and what it means."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from naf_robot.core.config import Config, holds_records_by_name, nested_record
from naf_robot.core.field_descriptions import FieldDescription, comments_of, describe_field, plain_text
from naf_robot.core.yaml_text import KeyPath
from naf_robot.learning.registry import algorithm_config_type
from naf_robot.run.config import ComposedRun, RunConfig
from naf_robot.sensing.registry import SENSORS
from naf_robot.sim.scenes.registry import SCENES
from naf_robot.tasks.registry import TASKS


class Entry(NamedTuple):
    """One value of a composed configuration."""

    field: FieldDescription
    value: Any  # as plain values
    origin: str

    def document(self) -> dict[str, Any]:
        """The entry as JSON can hold it."""
        field = self.field
        return {
            "value": self.value,
            "origin": self.origin,
            "type": field.kind,
            "range": field.range,
            "default": field.default,
            "unit": field.unit,
            "meaning": field.meaning,
        }


def records_of(config: RunConfig) -> dict[KeyPath, type[Config]]:
    """The records of what a run's configuration holds as plain mappings, by path."""
    records: dict[KeyPath, type[Config]] = {
        ("task",): TASKS[config.task_name].config,
        ("algorithm",): algorithm_config_type(config.algorithm_name),
    }
    records[("simulator", "scene")] = SCENES[config.make_task().scene]
    return records | {("sensors", name): SENSORS[name].config for name in config.sensors}


def entries(composed: ComposedRun) -> list[Entry]:
    """Every value of a composed configuration, in the order of the records."""
    values = msgspec.to_builtins(composed.config)
    return list(_walk(RunConfig, values, composed, records_of(composed.config), ()))


def text(found: list[Entry]) -> str:
    """Entries as lines: path, value, unit, origin and meaning."""
    lines = []
    for entry in found:
        unit = f" {entry.field.unit}" if entry.field.unit and entry.value is not None else ""
        lines.append(f"{entry.field.name}: {plain_text(entry.value)}{unit}  ({entry.origin})")
        told = [entry.field.kind, entry.field.range, f"default {entry.field.default}" if entry.field.default else ""]
        lines.append("    " + "; ".join(filter(None, [", ".join(filter(None, told)), entry.field.meaning])))
    return "\n".join(lines)


def _walk(
    record: type[Config],
    values: Mapping[str, Any],
    composed: ComposedRun,
    others: Mapping[KeyPath, type[Config]],
    place: KeyPath,
) -> Iterator[Entry]:
    comments = comments_of(record)
    for field in msgspec.structs.fields(record):
        path = (*place, field.name)
        below = others.get(path) or nested_record(field.type)
        value = values.get(field.name)
        by_name = path not in others and holds_records_by_name(field.type)
        if below is not None and isinstance(value, Mapping) and (value or not by_name):
            if by_name:
                for name, each in value.items():
                    yield from _walk(below, each, composed, others, (*path, name))
            else:
                yield from _walk(below, _filled(below, value), composed, others, path)
            continue
        origin = composed.composition.origin(path) or f"default of {record.__name__}"
        yield Entry(describe_field(record, field, path, comments.get(field.name, "")), value, origin)


def _filled(record: type[Config], values: Mapping[str, Any]) -> Mapping[str, Any]:
    """`values` with the record's defaults, where it can be made of them."""
    try:
        return msgspec.to_builtins(msgspec.convert(dict(values), record, strict=False))
    except msgspec.ValidationError:
        return values
