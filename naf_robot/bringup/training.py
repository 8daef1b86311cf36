"""From a user's options to a run folder with its resolved configuration and its system."""

import re
import shutil
import time
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.system import training_system
from naf_robot.core.config import load_yaml, parse_overrides
from naf_robot.core.errors import ConfigError, RunFolderError
from naf_robot.core.files import ExclusiveLock, make_run_folder
from naf_robot.run.config import RunConfig, load, resolve, robot_names, save

RESUMABLE = {"resume", "max_episodes", "target_success", "real_time_factor", "restarts", "simulated", "settings"}


def option(default: Any, text: str) -> Any:
    """A field of `SystemOptions` with its help text."""
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True)
class SystemOptions:
    """What a user says about a run; command line and launch arguments are made from these fields."""

    task: str = option("reach", "the task to learn")
    algorithm: str = option("naf", "the algorithm that learns it")
    robots: str = option("2", "how many robots, or their names separated by commas")
    seed: int = option(0, "seed of everything random")
    run_dir: str = option("", "folder to write the run to; must not exist (default: below runs/)")
    max_episodes: int = option(400, "episodes of all robots after which the run ends without success")
    target_success: float = option(1.0, "evaluation success over the newest evaluation episodes that ends the run")
    real_time_factor: float = option(0.0, "speed of the simulation, 0 for as fast as the machine allows")
    simulated: bool = option(True, "start the simulator; false expects arm drivers and runs on wall time")
    restarts: int = option(0, "how often each process that ended unexpectedly is started again")
    resume: str = option("", "go on with the run of this folder; only limits and single values may be changed")
    config: str = option("", "a YAML file over the task's own configuration")
    settings: str = option("", "single values over all others: key.subkey=value, separated by spaces")


@dataclass(frozen=True)
class PreparedRun:
    """A run folder that holds its configuration, and the processes that work in it."""

    run_dir: Path
    config: RunConfig
    specs: list[NodeSpec]
    lock: ExclusiveLock  # held as long as this record is: two systems must not work in one folder


def prepare(options: SystemOptions) -> PreparedRun:
    """Check everything, then create the run folder, or take up that of `options.resume`.

    On any error nothing is written.

    Raises:
        NafRobotError: a mistake in the options, told in one sentence.
    """
    if options.restarts < 0:
        raise ConfigError(f"restarts must not be negative, got {options.restarts}")
    if options.resume:
        return _resume(options)
    config = resolve(options.task, options.algorithm, _overrides(options))
    run_dir = make_run_folder(options.run_dir or default_run_dir(options))
    save(config, run_dir / "config.yaml")
    return _prepared(run_dir, config, options, lock_run(run_dir))


def _resume(options: SystemOptions) -> PreparedRun:
    """The run of an existing folder again, with what may be changed of its configuration."""
    changed = {name for name, _, default, _ in option_fields() if getattr(options, name) != default}
    if wrong := sorted(changed - RESUMABLE):
        raise ConfigError(f"a resumed run keeps its {', '.join(wrong)}; with resume may be given: {sorted(RESUMABLE)}")
    run_dir = Path(options.resume).expanduser().resolve()
    lock = lock_run(run_dir)
    path = run_dir / "config.yaml"
    own: dict[str, Any] = {name: getattr(options, name) for name in ("max_episodes", "target_success")}
    own = {name: value for name, value in own.items() if name in changed}
    if "real_time_factor" in changed:
        own["simulation"] = {"real_time_factor": options.real_time_factor}
    config = load(path, [own, parse_overrides(options.settings.split())])
    save(config, path)
    (run_dir / "outcome").unlink(missing_ok=True)
    if options.simulated:  # another world, its arms at home; on real arms only an operator clears a latched fault
        shutil.rmtree(run_dir / "faults", ignore_errors=True)
    return _prepared(run_dir, config, options, lock)


def lock_run(run_dir: Path) -> ExclusiveLock:
    """The lock of whoever runs a system in `run_dir`.

    Raises:
        RunFolderError: it is no run folder.
        LockedError: a living one does.
    """
    if not (run_dir / "config.yaml").is_file():
        raise RunFolderError(f"{str(run_dir)!r} is not a run folder: it has no config.yaml")
    return ExclusiveLock(run_dir / "run.lock", f"run folder {str(run_dir)!r}")


def _prepared(run_dir: Path, config: RunConfig, options: SystemOptions, lock: ExclusiveLock) -> PreparedRun:
    door_imu = "door_orientation" in config.make_task().sensors
    specs = training_system(run_dir / "config.yaml", config.robots, options.simulated, door_imu, options.restarts)
    return PreparedRun(run_dir, config, specs, lock)


def default_run_dir(options: SystemOptions) -> str:
    """A folder below `runs/` named after what runs and when."""
    return f"runs/{options.task}-{options.algorithm}-seed{options.seed}-{time.strftime('%Y%m%d-%H%M%S')}"


def parse_robots(text: str) -> tuple[str, ...]:
    """`2` or `left,right` as robot names.

    Raises:
        ConfigError: neither a positive count nor names.
    """
    if text.isdigit() and int(text) > 0:
        return robot_names(int(text))
    names = tuple(name.strip() for name in text.split(","))
    bad = [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)]
    if bad:
        raise ConfigError(
            f"robots must be a count or names in lower case separated by commas, such as 2 or left,right; got {text!r}"
        )
    return names


def _overrides(options: SystemOptions) -> list[dict[str, Any]]:
    own = {
        "robots": list(parse_robots(str(options.robots))),
        "seed": options.seed,
        "max_episodes": options.max_episodes,
        "target_success": options.target_success,
        "simulation": {"real_time_factor": options.real_time_factor},
    }
    file = [load_yaml(options.config)] if options.config else []
    return [*file, own, parse_overrides(options.settings.split())]


def option_fields() -> list[tuple[str, type, Any, str]]:
    """Name, type, default and help of every option."""
    return [(f.name, type(f.default), f.default, f.metadata["help"]) for f in fields(SystemOptions)]
