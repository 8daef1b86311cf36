"""The options of `naf-robot train`, `trainer` and `robot` and of the launch files, from one table.

None is an option that was not given.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from naf_robot.core.composition import COMMAND_LINE, Layer, assignments_layer, file_layers, split_assignments
from naf_robot.core.config import nested_record
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.core.field_descriptions import default_text
from naf_robot.core.resources import expanded
from naf_robot.run.config import RunConfig, algorithm_names, backend_names, task_names
from naf_robot.run.folder_system import ROBOT, SYSTEMS, TRAIN, TRAINER
from naf_robot.run.robot import DEFAULT_BACKEND, DEFAULT_PROFILE, REAL

LEARNING, MOVING = (TRAIN, TRAINER), (TRAIN, ROBOT)  # the systems that learn, and those that move arms
OTHER_DEFAULTS = {(ROBOT, "robots"): "none: they must be named"}  # in words
CHOICES = {
    "task": task_names,
    "algorithm": algorithm_names,
    "backend": backend_names,
}  # asked when they are needed: packages add to them
FLAGS = ("first_run", "record")  # options without a value on the command line
YES, NO = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


class Option(NamedTuple):
    """One option, and the value of the run's configuration that it sets ("" for those that set none)."""

    name: str
    path: str
    help: str
    default: str  # in words, where none is given
    choices: tuple[str, ...] = ()  # all that may be given, where there is such a list

    @property
    def flag(self) -> str:
        """Its name on the command line."""
        return f"--{self.name.replace('_', '-')}"


def option(path: str, text: str, default: str = "", systems: Sequence[str] = SYSTEMS) -> Any:
    """A field of `SystemOptions` that sets `path`, with its help text and the systems that have it."""
    return field(default=None, metadata={"path": path, "help": text, "default": default, "systems": systems})


@dataclass(frozen=True)
class SystemOptions:
    """What a user gave for a run, as text or values; None for an option that was not given."""

    task: str | None = option("task_name", "the task to learn")
    algorithm: str | None = option("algorithm_name", "the algorithm that learns it", systems=LEARNING)
    robots: str | int | None = option("robots", "number of robots, or their names separated by commas", "2")
    robot: str | None = option(
        "profile", "profile of every robot: a name below config/robots, or a YAML file", DEFAULT_PROFILE
    )
    seed: int | str | None = option("seed", "seed of all random numbers")
    run_dir: str | None = option("", "new run folder; it must not exist", "a folder below runs/")
    max_episodes: int | str | None = option(
        "max_episodes", "episodes of all robots after which the run ends without success", systems=LEARNING
    )
    target_success: float | str | None = option(
        "target_success",
        "evaluation success rate that ends the run; below 1: that of the newest trainer.evaluation_window episodes",
        systems=LEARNING,
    )
    real_time_factor: float | str | None = option(
        "simulation.real_time_factor",
        "speed of the simulation: 1 is real time, 0 is as fast as the machine allows",
        systems=MOVING,
    )
    backend: str | None = option("", "what moves the arms: a simulator, or ros2_control", DEFAULT_BACKEND, MOVING)
    simulated: bool | str | None = option(
        "", "true: a simulator; false: real arms, whose drivers are running, on wall time", "true", MOVING
    )
    first_run: bool | str | None = option(
        "first_run", "real arms move at a fraction of their speeds, to be watched", systems=MOVING
    )
    record: bool | str | None = option(
        "recording.enabled", "record each robot's topics to a bag in the run folder, RUN/bags", systems=MOVING
    )
    offline: str | Sequence[str] | None = option(
        "", "learn from the steps stored in these folders alone, without robots", "none", LEARNING
    )
    restarts: int | str | None = option("restarts", "how often each process that ended unexpectedly is started again")
    resume: str | None = option("", "continue the run of this folder", "a new run")
    run_id: str | None = option(
        "",
        "identity of the run to join, as the trainer prints it",
        "that of the first trainer heard that learns the same task",
        (ROBOT,),
    )
    config: str | Sequence[str] | None = option("", "YAML files over the task's own values; later files win", "none")
    settings: str | Sequence[str] | None = option(
        "", "single values over all others, such as collector.action_velocity=0.5", "none"
    )


def options(system: str = TRAIN) -> list[Option]:
    """Every option of `system`."""
    return [
        Option(
            f.name,
            f.metadata["path"],
            f.metadata["help"],
            _default(system, f.name, f.metadata),
            CHOICES[f.name]() if f.name in CHOICES else (),
        )
        for f in fields(SystemOptions)
        if system in f.metadata["systems"]
    ]


def refuse_options_of_others(given: SystemOptions, system: str) -> None:
    """Refuse what was given but is of another system.

    Raises:
        ConfigError: naming the option.
    """
    own = {each.name for each in options(system)}
    for f in fields(SystemOptions):
        if getattr(given, f.name) is not None and f.name not in own:
            raise ConfigError(f"system {system!r} has no option {f.name!r}; it is one of {list(f.metadata['systems'])}")


def given_layers(given: SystemOptions) -> list[Layer]:
    """What the user gave, as layers: the files, then the options, then the single settings."""
    layers = []
    for text in _several(given.config):
        path = expanded(text).resolve()
        layers += file_layers(path, str(path), path.parent)
    values: dict[str, Any] = {}
    for f in fields(SystemOptions):
        name, at, value = f.name, f.metadata["path"], getattr(given, f.name)
        if value is None or not at:
            continue
        *above, last = at.split(".")
        place = values
        for part in above:
            place = place.setdefault(part, {})
        place[last] = boolean(value, name) if name in FLAGS else value
    if given.simulated is not None:
        simulated = boolean(given.simulated, "simulated")
        values |= {"backend": DEFAULT_BACKEND if simulated else REAL, "simulated_time": simulated}
        if given.backend is not None and (given.backend == REAL) is simulated:
            raise ConfigError(f"simulated {given.simulated} and backend {given.backend!r} contradict one another")
    if given.backend is not None:
        if given.backend not in (known := backend_names()):
            raise UnknownNameError("backend", given.backend, known)
        values |= {"backend": given.backend, "simulated_time": given.backend != REAL}
    layers.append(Layer(COMMAND_LINE, values, folder=Path.cwd()))
    texts = split_assignments(given.settings) if isinstance(given.settings, str) else list(given.settings or ())
    layers.append(assignments_layer(texts))
    return layers


def folders_of(value: str | Sequence[str] | None) -> list[str]:
    """Several folders; as one text, as launch arguments are, they are separated by commas."""
    texts = value.split(",") if isinstance(value, str) else list(value or ())
    return [text.strip() for text in texts if text.strip()]


def boolean(value: object, name: str) -> bool:
    """`value` as true or false, in any of the usual words.

    Raises:
        ConfigError: another word; it never silently means false.
    """
    text = str(value).strip().lower()
    if text in YES | NO:
        return text in YES
    raise ConfigError(f"{name} must be true or false, got {value!r}")


def default_at(path: str) -> str:
    """The default of the value at a dotted path of the run's configuration, as text."""
    record: Any = RunConfig
    *above, last = path.split(".")
    for part in above:
        record = nested_record({f.name: f.type for f in msgspec.structs.fields(record)}[part])
    return default_text({f.name: f for f in msgspec.structs.fields(record)}[last])


def _default(system: str, name: str, metadata: Mapping[str, Any]) -> str:
    """The default of an option in words."""
    return OTHER_DEFAULTS.get((system, name)) or metadata["default"] or default_at(metadata["path"])


def _several(value: str | Sequence[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())
