"""What may be changed of a run that is resumed, and what it keeps."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from naf_robot.core import run_files
from naf_robot.core.composition import Layer
from naf_robot.core.errors import ConfigError
from naf_robot.core.yaml_text import KeyPath
from naf_robot.run.config import ComposedRun, compose_saved, load, names_of_robots

ANY = "*"
REPLACEABLE = ("safety", "velocity_control", "backend", "output", "driver", "first_run_speed")
CHANGEABLE: tuple[KeyPath, ...] = (
    ("max_episodes",),
    ("target_success",),
    ("restarts",),
    ("simulated_time",),
    ("first_run",),
    ("simulation",),
    ("real_time",),
    ("recording",),
    ("trainer",),
    ("collector",),
    ("algorithm",),
    ("sensors",),
    *(("robots", ANY, part) for part in REPLACEABLE),
)


def compose_resumed(run_dir: Path, given: Sequence[Layer]) -> ComposedRun:
    """The configuration of the run folder `run_dir` with the values of `given` over it.

    Raises:
        ConfigError: a value that differs from the run's and may not, with both.
    """
    saved = load(run_dir / run_files.CONFIG)
    for layer in given:
        for key in ("task_name", "algorithm_name"):
            asked, own = layer.values.get(key), getattr(saved, key)
            if asked is not None and asked != own:
                raise _refusal([((key,), own, asked)])
    names = names_of_robots([Layer("the run", {"robots": list(saved.robots)}), *given])
    if names != tuple(saved.robots):
        raise _refusal([(("robots",), list(saved.robots), list(names))])
    resumed = compose_saved(run_dir / run_files.CONFIG, given)
    changes = differences(msgspec.to_builtins(saved), msgspec.to_builtins(resumed.config))
    if wrong := [change for change in changes if not may_change(change[0])]:
        raise _refusal(wrong)
    return resumed


def may_change(path: KeyPath) -> bool:
    """Whether the value at `path` may be another one when a run is resumed."""
    return any(
        len(path) >= len(pattern) and all(part in (ANY, own) for part, own in zip(pattern, path, strict=False))
        for pattern in CHANGEABLE
    )


def differences(old: Any, new: Any, place: KeyPath = ()) -> Iterator[tuple[KeyPath, Any, Any]]:
    """Path, old and new value of every leaf in which two nested mappings differ."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            yield from differences(old.get(key), new.get(key), (*place, key))
    elif old != new:
        yield place, old, new


def _refusal(changes: Sequence[tuple[KeyPath, Any, Any]]) -> ConfigError:
    told = "; ".join(f"{'.'.join(path)} is {old!r} in the run, {new!r} was asked for" for path, old, new in changes)
    names = ", ".join(".".join(pattern) for pattern in CHANGEABLE)
    return ConfigError(f"a resumed run keeps its configuration: {told}; what may change: {names}")
