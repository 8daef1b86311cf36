"""Definitions of message types as a bag keeps them, so that whoever reads it needs no installation of theirs."""

import os
import re
import sys
from functools import cache
from pathlib import Path

SEPARATOR = "=" * 80
FIELD = re.compile(r"^\s*([A-Za-z]\w*(?:/\w+)*)(?:<=\d+)?(?:\[[^\]]*\])?\s+[a-zA-Z]\w*", re.MULTILINE)
NUMBERS = (f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64))
PRIMITIVE = {"bool", "byte", "char", "float32", "float64", "string", "wstring", *NUMBERS}


@cache
def definition_of(type_name: str) -> str:
    """The text of `package/msg/Type` and, behind separators, of every type in it; "" where a file is not installed.

    This is the form of rosbag2, schema encoding `ros2msg`.
    """
    own = _text(type_name)
    if own is None:
        return ""
    texts: dict[str, str] = {}
    waiting = _types_in(own, type_name)
    while waiting:
        name = waiting.pop(0)
        if name in texts or name == type_name:
            continue
        if (text := _text(name)) is None:
            return ""
        texts[name] = text
        waiting += _types_in(text, name)
    parts = [f"{SEPARATOR}\nMSG: {name.replace('/msg/', '/')}\n{text}" for name, text in texts.items()]
    return "\n".join([own, *parts])


def _types_in(text: str, of: str) -> list[str]:
    """Full names of the types of the fields in `text`, primitive ones left out."""
    found = []
    for kind in FIELD.findall(text):
        if kind in PRIMITIVE:
            continue
        *package, name = kind.split("/")
        found.append(f"{package[0] if package else of.split('/')[0]}/msg/{name}")
    return list(dict.fromkeys(found))


def _text(type_name: str) -> str | None:
    package, _, name = type_name.split("/")
    prefixes = [*filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)), sys.prefix]
    for prefix in prefixes:
        path = Path(prefix) / "share" / package / "msg" / f"{name}.msg"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return None
