"""The robots in a configuration's layers: their names and profiles; what is meant for all is written out for each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import msgspec

from naf_robot.core.composition import COMMAND_LINE, Layer, compose, file_layers
from naf_robot.core.config import Config, nested_record
from naf_robot.core.errors import ConfigError, NafRobotError, UnknownNameError
from naf_robot.core.resources import absolute_path, share_directory
from naf_robot.core.yaml_text import KeyPath
from naf_robot.run.robot import DEFAULT_PROFILE, SHARED, check_name, parse_robots
from naf_robot.run.run_config import RunConfig

PACKAGE_LAYERS = "config"  # folder of the share folder
DEFAULT_ROBOTS = 2


def names_of_robots(layers: Iterable[Layer]) -> tuple[str, ...]:
    """Names of the robots: from the last count or list, or from the single robots that files configure.

    Raises:
        ConfigError: not a count, names or mapping.
        UnknownNameError: the command line names a robot that does not exist.
    """
    names, how = parse_robots(DEFAULT_ROBOTS), "default"
    for layer in layers:
        robots = layer.values.get("robots")
        if robots is None:
            continue
        if not isinstance(robots, Mapping):
            names, how = parse_robots(robots), "listed"
            continue
        own = tuple(check_name(name) for name in _robots_mapping(layer))
        if layer.name != COMMAND_LINE and how != "listed":
            before = names if how == "mapped" else ()
            names, how = (*before, *(name for name in own if name not in before)), "mapped"
        for name in own:
            if name not in names:
                raise UnknownNameError("robot", name, names, layer.name)
    if not names:
        raise ConfigError("robots must name at least one robot")
    return names


def for_robots(layer: Layer, names: Sequence[str]) -> Layer:
    """`layer` with what is meant for every robot written out for each of `names`, and absolute paths."""
    shared = {key: layer.values[key] for key in SHARED if key in layer.values}
    own = _robots_mapping(layer)
    values = {key: value for key, value in layer.values.items() if key not in (*SHARED, "robots")}
    lines: dict[KeyPath, int] = {path: line for path, line in layer.lines.items() if path[0] not in SHARED}
    robots: dict[str, Any] = {}
    for name in names:
        each = compose([Layer("", shared), Layer("", own.get(name) or {})]).values
        if isinstance(each.get("profile"), str):
            each["profile"] = _profile_path(each["profile"], layer.folder)
        if each:
            robots[name] = each
            of_all = {("robots", name, *path): line for path, line in layer.lines.items() if path[0] in SHARED}
            lines = of_all | lines
    if robots:
        values["robots"] = robots
    if layer.folder is not None:
        values = _with_absolute_paths(RunConfig, values, layer.folder, "")
    return replace(layer, values=values, lines=lines)


def profile_of(robot: str, layers: Iterable[Layer]) -> str:
    """The profile of `robot` that was given last; the path of a file becomes absolute."""
    found, folder = DEFAULT_PROFILE, None
    for layer in layers:
        own = (_robots_mapping(layer).get(robot) or {}).get("profile", layer.values.get("profile"))
        if own is not None:
            found, folder = own, layer.folder
    if not isinstance(found, str):
        raise ConfigError(f"profile of robot {robot!r} must be a name or the path of a YAML file, got {found!r}")
    return _profile_path(found, folder)


def profile_layers(profile: str) -> list[Layer]:
    """The layers of a profile: one of the package's by its name, or the file at an absolute path.

    Raises:
        UnknownNameError: no such profile; those of the package are listed.
    """
    if Path(profile).is_absolute():
        return file_layers(Path(profile), folder=Path(profile).parent)
    if profile not in profile_files():
        raise UnknownNameError("robot profile", profile, profile_files(), "config/robots, and no path of a YAML file")
    return package_layers("robots", profile, required=True)


def profile_files() -> list[str]:
    """Names of the robots' profiles that the package has."""
    return names_of_files("robots")


def package_layers(kind: str, name: str, required: bool) -> list[Layer]:
    """The layers of one of the package's own files, whatever lies in the working folder."""
    path = f"{PACKAGE_LAYERS}/{kind}/{name}.yaml"
    file = share_directory() / path
    if not required and not file.is_file():
        return []
    return file_layers(file, path)


def names_of_files(kind: str) -> list[str]:
    """Names of the package's own files of a kind: `tasks`, `robots` or `algorithms`."""
    return sorted(path.stem for path in (share_directory() / PACKAGE_LAYERS / kind).glob("*.yaml"))


def _profile_path(profile: str, folder: Path | None) -> str:
    if "/" not in profile and not profile.endswith((".yaml", ".yml")):
        return profile
    return absolute_path(profile, folder or share_directory())


def _robots_mapping(layer: Layer) -> Mapping[str, Any]:
    robots = layer.values.get("robots")
    if not isinstance(robots, Mapping):
        return {}
    for name, robot in robots.items():
        if robot is not None and not isinstance(robot, Mapping):
            raise ConfigError(f"robots.{name} must be a mapping of the robot's own values, got {robot!r}")
    return robots


def _with_absolute_paths(record: type[Config], values: Mapping[str, Any], folder: Path, place: str) -> dict[str, Any]:
    """`values` of `record` with each path of a file that is relative to `folder` made absolute."""
    kinds = {field.name: field.type for field in msgspec.structs.fields(record)}
    made = dict(values)
    for key, value in values.items():
        kind, where = kinds.get(key), f"{place}{key}"
        below = nested_record(kind)
        if _is_file(kind) and isinstance(value, str):
            made[key] = _absolute(value, folder, where)
        elif _is_file(kind) and isinstance(value, list | tuple):
            made[key] = [
                _absolute(each, folder, f"{where}[{number}]") if isinstance(each, str) else each
                for number, each in enumerate(value)
            ]
        elif below is not None and isinstance(value, Mapping):
            if key == "robots":
                made[key] = {
                    name: _with_absolute_paths(below, each, folder, f"{where}.{name}.") for name, each in value.items()
                }
            else:
                made[key] = _with_absolute_paths(below, value, folder, f"{where}.")
    return made


def _absolute(path: str, folder: Path, where: str) -> str:
    """`path` made absolute, where it is one; `package://` and the like mean the same everywhere."""
    if "://" in path or path.startswith("file:/"):
        return path
    try:
        return absolute_path(path, folder)
    except NafRobotError as error:
        raise ConfigError(f"{where}: {error}") from None


def _is_file(kind: Any) -> bool:
    """Whether values of type `kind` are `FilePath`."""
    if isinstance(kind, msgspec.Meta):
        return bool((kind.extra or {}).get("file"))
    return any(_is_file(each) for each in (*getattr(kind, "__metadata__", ()), *get_args(kind)))
