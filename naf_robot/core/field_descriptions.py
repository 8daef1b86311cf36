"""What each field of a configuration record means, out of the record itself: type, range, default, unit and comment.

The comment behind a field, and comment lines below it up to the next field, are its documentation, as Sphinx reads
`#:` comments: one line per field stays readable, and the code, `naf-robot config` and the reference page say the same.
"""

import ast
import inspect
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from naf_robot.core.config import Config, holds_records_by_name, nested_record
from naf_robot.core.yaml_text import KeyPath

UNIT = re.compile(r"\s*\[([^\]]+)\](?!\()")
UNIT_OF_SUFFIX = {"_s": "s", "_hz": "Hz", "_bytes": "bytes", "_bytes_per_s": "bytes/s"}
BOUNDS = (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="), ("min_length", "at least {} of them"))
NAMED, LISTED = "NAME", "[]"  # stand in a path for the names of a mapping of records, and for the places of a list


@dataclass(frozen=True)
class FieldDescription:
    """One field of a record."""

    path: KeyPath
    record: str  # name of the record's class
    kind: str
    range: str
    default: str  # "" where there is none
    unit: str
    meaning: str

    @property
    def name(self) -> str:
        """Its dotted path."""
        return ".".join(self.path).replace(f".{LISTED}", LISTED)


def describe(record: type[Config], others: Mapping[KeyPath, type[Config]], place: KeyPath = ()) -> Iterator:
    """Every leaf field of `record`, those of nested records in their place.

    `others` are the records of fields that are declared as plain mappings (a task's own settings), by their path.
    """
    comments = comments_of(record)
    for field in msgspec.structs.fields(record):
        path = (*place, field.name)
        below = others.get(path) or nested_record(field.type)
        if below is not None:
            many = NAMED if holds_records_by_name(field.type) else LISTED if _is_list(field.type) else ""
            yield from describe(below, others, path if path in others or not many else (*path, many))
            continue
        yield describe_field(record, field, path, comments.get(field.name, ""))


def describe_field(record: type[Config], field: Any, path: KeyPath, comment: str) -> FieldDescription:
    """One field of `record` at `path`, with the comment behind it."""
    kind, bounds = _kind(field.type)
    unit = UNIT.search(comment)
    suffix = next((unit for end, unit in reversed(UNIT_OF_SUFFIX.items()) if field.name.endswith(end)), "")
    meaning = UNIT.sub("", comment, count=1).strip(" ,;") if unit else comment
    return FieldDescription(
        path, record.__name__, kind, bounds, default_text(field), unit.group(1) if unit else suffix, meaning
    )


@cache
def comments_of(record: type[Config]) -> dict[str, str]:
    """The comment of each field of `record`, those of the records that it is derived from included."""
    comments: dict[str, str] = {}
    for base in reversed(record.__mro__):
        if isinstance(base, type) and issubclass(base, Config) and base is not Config:
            comments |= {name: text for name, text in _own_comments(base).items() if text or name not in comments}
    return comments


def default_text(field: Any) -> str:
    """A field's default as YAML has it, "" where it must be given."""
    if field.default is not msgspec.NODEFAULT:
        return plain_text(field.default)
    if field.default_factory is not msgspec.NODEFAULT:
        return plain_text(field.default_factory())
    return ""


def plain_text(value: Any) -> str:
    """A value as one writes it in YAML, on one line."""
    if value == "":
        return '""'
    return msgspec.json.encode(value).decode().replace('"', "").replace(",", ", ").replace(":", ": ")


def _is_list(kind: Any) -> bool:
    return any(get_origin(each) is tuple for each in (kind, *get_args(kind)))


def _kind(kind: Any) -> tuple[str, str]:
    """A type in words, and its range."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        words, bounds = _kind(arguments[0])
        metas = [meta for meta in arguments[1:] if isinstance(meta, msgspec.Meta)]
        own = [
            text.format(value) if "{}" in text else f"{text} {value:g}"
            for meta in metas
            for name, text in BOUNDS
            if (value := getattr(meta, name)) is not None
        ]
        return words, ", ".join(part for part in (bounds, *own) if part)
    if origin is Literal:
        return "one of " + ", ".join(map(str, arguments)), ""
    if origin in (Union, UnionType):
        parts = [_kind(each) for each in arguments if each is not NoneType]
        words = " or ".join([*(word for word, _ in parts), *(["null"] if NoneType in arguments else [])])
        return words, ", ".join(filter(None, (bound for _, bound in parts)))
    if origin is tuple:
        words, bounds = _kind(arguments[0])
        count = "list of" if len(arguments) == 2 and arguments[1] is Ellipsis else f"{len(arguments)} of"
        return f"{count} {words}", bounds and f"each {bounds}"
    if origin is dict:
        words, bounds = _kind(arguments[1])
        return f"{words} by name", bounds
    return {"str": "text", "int": "integer", "float": "number", "bool": "true or false"}.get(
        getattr(kind, "__name__", ""), str(getattr(kind, "__name__", kind))
    ), ""


def _own_comments(record: type[Config]) -> dict[str, str]:
    """By field name, out of the source of `record` alone."""
    source = inspect.cleandoc("\n" + inspect.getsource(record))
    (tree,) = ast.parse(source).body
    assert isinstance(tree, ast.ClassDef)
    statements = tree.body
    found: dict[int, str] = {}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            found[token.start[0]] = token.string.lstrip("#: ").strip()
    comments = {}
    for index, statement in enumerate(statements):
        if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
            continue
        following = statements[index + 1] if index + 1 < len(statements) else None
        end = len(source.splitlines()) + 1 if following is None else _first_line(following)
        comments[statement.target.id] = " ".join(found[line] for line in range(statement.lineno, end) if line in found)
    return comments


def _first_line(statement: ast.stmt) -> int:
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(each.lineno for each in decorators)])
