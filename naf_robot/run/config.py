"""From layers of values to a run's configuration: package files below, then a user's files, then the command line.

From the lowest to the highest: the defaults of the records, the profile of each robot (`config/robots`), the task's
file (`config/tasks`), what the profile says of that task, the algorithm's file (`config/algorithms`), and what the
user gives. What stands at the top level and belongs to a robot (`arm`, `safety`, ...) is meant for every robot.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from msgspec.structs import replace as replace_record

from naf_robot.core import run_files
from naf_robot.core.composition import Composition, Layer, compose, file_layers
from naf_robot.core.errors import ConfigError
from naf_robot.core.files import replace_file
from naf_robot.core.yaml_text import KeyPath, load_yaml
from naf_robot.learning.registry import ALGORITHMS, algorithm_config_type
from naf_robot.run.old_settings import refuse_old_settings
from naf_robot.run.records import CollectorConfig, RealTimeConfig, SimulationConfig, TrainerConfig
from naf_robot.run.robot import REAL, SHARED, RobotConfig, parse_robots, robot_names
from naf_robot.run.robot_layers import (
    for_robots,
    names_of_files,
    names_of_robots,
    package_layers,
    profile_files,
    profile_layers,
    profile_of,
)
from naf_robot.run.run_config import DEFAULT_TASK, RunConfig, check_robot, record_of, save
from naf_robot.sim.registry import SIMULATORS
from naf_robot.tasks.registry import TASKS

__all__ = [
    "USED_BY_ENVIRONMENTS",
    "CollectorConfig",
    "ComposedRun",
    "RealTimeConfig",
    "RobotConfig",
    "RunConfig",
    "SimulationConfig",
    "TrainerConfig",
    "algorithm_layers",
    "algorithm_names",
    "check_robot",
    "compose_run",
    "compose_saved",
    "from_values",
    "load",
    "names_of_robots",
    "parse_robots",
    "profile_files",
    "resolve",
    "robot_names",
    "save",
    "save_composed",
    "task_files",
    "task_names",
]
USED_BY_ENVIRONMENTS: tuple[KeyPath, ...] = (  # what of a run's configuration decides its simulated world
    ("task",),
    ("seed",),
    ("simulator",),
    ("robots",),
    ("residual",),
    ("collector", "action_velocity"),
    *((name,) for name in SHARED),
)
OF_ONE_ARM: tuple[KeyPath, ...] = (
    ("arm", "joints"),
    ("arm", "tool_frame"),
    ("arm", "home"),
    ("arm", "srdf"),
    ("arm", "fallback_urdf"),
    ("safety", "sphere", "centre"),
    ("safety", "sphere", "radius"),
)


@dataclass(frozen=True)
class ComposedRun:
    """A run's configuration, and where each of its values was given."""

    config: RunConfig
    composition: Composition


def task_names() -> tuple[str, ...]:
    """The tasks there are."""
    return tuple(TASKS)


def backend_names() -> tuple[str, ...]:
    """What may move the arms: the simulators there are, and real arms' drivers."""
    return (*SIMULATORS, REAL)


def algorithm_names() -> tuple[str, ...]:
    """The algorithms there are."""
    return tuple(ALGORITHMS)


def resolve(task: str = "", algorithm: str = "", overrides: Sequence[Mapping[str, Any]] = ()) -> RunConfig:
    """The configuration of a run of `task`, with `overrides` in the caller's own hand, later ones winning."""
    layers = [Layer("overrides", values, folder=Path.cwd()) for values in overrides]
    names = {"task_name": task, "algorithm_name": algorithm}
    layers.append(Layer("overrides", {name: value for name, value in names.items() if value}))
    return compose_run(layers).config


def load(path: Path, given: Sequence[Layer] = ()) -> RunConfig:
    """A configuration that `save` wrote, with the values of `given` over it, later ones winning."""
    if not given:
        values = load_yaml(path)
        refuse_old_settings(values, path)
        if isinstance(values.get("robots"), Mapping):  # else of an older version
            return record_of(values, arms=False)
    return compose_saved(path, given).config


def compose_run(given: Sequence[Layer]) -> ComposedRun:
    """The configuration of a new run, from the layers that the user gave.

    Raises:
        UnknownNameError: unknown task, algorithm, profile or configuration key, with the valid ones.
        ConfigError: a value of the wrong type or range, or values that contradict.
        RobotModelError: the URDF lacks what the arm's description names.
    """
    task = str(_last(given, "task_name", DEFAULT_TASK))
    task_layers = layers_of_task(task)
    algorithm = str(_last([*task_layers, *given], "algorithm_name", "naf"))
    algorithm_config_type(algorithm)
    written = [*task_layers, *algorithm_layers(algorithm), *given]
    names = names_of_robots(written)
    chosen = {name: profile_of(name, written) for name in names}
    of_profile = {profile: profile_layers(profile) for profile in dict.fromkeys(chosen.values())}
    profiles: list[Layer] = []
    of_task: list[Layer] = []
    for name in names:
        for layer in of_profile[chosen[name]]:
            values = {key: value for key, value in layer.values.items() if key != "tasks"}
            profiles.append(for_robots(replace(layer, values=values), [name]))
            if task in (sections := layer.values.get("tasks") or {}):
                lines = {
                    path[2:]: line
                    for path, line in layer.lines.items()
                    if path[:2] == ("tasks", task) and len(path) > 2
                }
                of_task.append(for_robots(replace(layer, values=sections[task] or {}, lines=lines), [name]))
    count = len(task_layers)
    expanded = [for_robots(layer, names) for layer in written]
    composition = compose([*profiles, *expanded[:count], *of_task, *expanded[count:]])
    composition.values |= {"task_name": task, "algorithm_name": algorithm}
    _refuse_values_of_another_arm(composition, names, {layer.name for layer in [*profiles, *of_task]})
    return _composed(composition)


def compose_saved(path: Path, given: Sequence[Layer] = ()) -> ComposedRun:
    """The configuration in the run folder's file at `path`, with the values of `given` over it.

    The origin of a value of the run is read from the run folder.
    """
    path = path.resolve()
    saved = file_layers(path)
    for layer in saved:
        refuse_old_settings(layer.values, path)
    composed = _over_saved(saved, given)
    said = _saved_origins(path.with_name(run_files.ORIGINS))
    if said is not None:
        kept = {key: origin for key, origin in composed.composition.origins.items() if origin.startswith(str(path))}
        for key in kept:
            del composed.composition.origins[key]
        composed.composition.origins = said | composed.composition.origins
    return composed


def save_composed(composed: ComposedRun, run_dir: Path) -> None:
    """Write a run's configuration to its folder, with every default spelled out, and where each value was given."""
    save(composed.config, run_dir / run_files.CONFIG)
    rows = [[list(path), origin] for path, origin in composed.composition.origins.items()]
    replace_file(run_dir / run_files.ORIGINS, json.dumps(rows, indent=0).encode())


def from_values(values: Mapping[str, Any], where: str = "", given: Sequence[Layer] = ()) -> RunConfig:
    """A configuration out of the resolved values of another file, such as a study's, with `given` over them."""
    return _over_saved([Layer(where, values)], given).config


def algorithm_layers(algorithm: str) -> list[Layer]:
    """The layers of the package's own file for `algorithm`, where it has one."""
    return package_layers("algorithms", algorithm, required=False)


def layers_of_task(task: str) -> list[Layer]:
    """The layers of the file that `task` was registered with, else of the package's own; there may be none."""
    registered = TASKS[task].file
    return (
        file_layers(registered, folder=registered.parent)
        if registered is not None
        else package_layers("tasks", task, required=False)
    )


def task_files() -> list[str]:
    """Names of the tasks that have a configuration file."""
    return names_of_files("tasks")


def _saved_origins(path: Path) -> dict[KeyPath, str] | None:
    """Origins by path out of a run folder, None where it has none that can be read."""
    try:
        return {tuple(map(str, key)): str(origin) for key, origin in json.loads(path.read_bytes())}
    except (OSError, ValueError, TypeError):
        return None


def _over_saved(saved: Sequence[Layer], given: Sequence[Layer]) -> ComposedRun:
    layers = [*map(_as_named_today, saved), *given]
    names = names_of_robots(layers)
    return _composed(compose(for_robots(layer, names) for layer in layers))


def _as_named_today(layer: Layer) -> Layer:
    """`layer` of an older run folder under the names of today."""
    if "door_sensor" not in layer.values:
        return layer
    values = dict(layer.values)
    sensors = dict(values.get("sensors") or {})
    sensors.setdefault("door_imu", values.pop("door_sensor"))
    return replace(layer, values=values | {"sensors": sensors})


def _refuse_values_of_another_arm(composition: Composition, names: Sequence[str], profiles: set[str]) -> None:
    """An arm that a user gives needs a home and a sphere of its own: those of a profile are another arm's."""
    for name in names:
        given = _place(composition, ("robots", name, "arm", "urdf"))
        if given is None or given in profiles:
            continue
        for key in OF_ONE_ARM:
            if (place := _place(composition, ("robots", name, *key))) in profiles:
                raise ConfigError(
                    f"robots.{name}.arm.urdf is given by {given}, but {'.'.join(key)} is still the one of {place}, "
                    f"for another arm; give {'.'.join(key)} too"
                )


def _place(composition: Composition, path: KeyPath) -> str | None:
    """The place, without its line, where the value at `path` was given."""
    origin = composition.origin(path)
    place, _, line = (origin or "").rpartition(":")
    return place if line.isdigit() else origin


def _composed(composition: Composition) -> ComposedRun:
    values = composition.values
    if "simulated_time" not in values and isinstance(values.get("robots"), Mapping):
        backends = {robot.get("backend") for robot in values["robots"].values() if isinstance(robot, Mapping)}
        values["simulated_time"] = backends != {REAL}
    found = record_of(values)
    rule = (values.get("trainer") or {}).get("evaluation_rule")
    if rule is None and found.target_success < 1.0:  # a success rate that is asked for is one over a window
        found = replace_record(found, trainer=replace_record(found.trainer, evaluation_rule="window"))
    return ComposedRun(found, composition)


def _last(layers: Sequence[Layer], key: str, default: Any) -> Any:
    return next((layer.values[key] for layer in reversed(layers) if layer.values.get(key) is not None), default)
