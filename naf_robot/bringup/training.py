"""From a user's options to a run folder with its resolved configuration and its system."""

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from naf_robot.bringup.environment import describe_environment
from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.options import SystemOptions, folders_of, given_layers, options, refuse_options_of_others
from naf_robot.bringup.system import RobotNodes, offline_system, robot_machine_system, trainer_system, training_system
from naf_robot.core import run_files
from naf_robot.core.composition import Layer
from naf_robot.core.errors import ConfigError, NafRobotError, RunFolderError
from naf_robot.core.files import ExclusiveLock, make_run_folder
from naf_robot.core.resources import expanded
from naf_robot.core.run_identity import check_run_id, known_run_id, run_identity, write_run_id
from naf_robot.run.checks import check, check_trainer
from naf_robot.run.config import RunConfig, compose_run, save_composed
from naf_robot.run.contract import contract_of
from naf_robot.run.descriptions import describe_arms, refuse_other_descriptions, save_descriptions, settled
from naf_robot.run.filling import check_folders
from naf_robot.run.folder_system import ROBOT, TRAIN, TRAINER, save_system, system_of
from naf_robot.run.offline import is_offline, offline_layer
from naf_robot.run.resuming import compose_resumed
from naf_robot.run.robot_parts import camera_robots, sensor_nodes

__all__ = ["PreparedRun", "SystemOptions", "learns_alone", "lock_run", "options", "prepare"]


OF_ROBOTS = (  # options of runs in which robots move
    "real_time_factor",
    "simulated",
    "first_run",
    "record",
    "restarts",
    "max_episodes",
    "target_success",
)


@dataclass(frozen=True)
class PreparedRun:
    """A run folder that holds its configuration, and the processes that work in it."""

    run_dir: Path
    config: RunConfig
    specs: list[NodeSpec]
    lock: ExclusiveLock  # held as long as this record is: two systems must not work in one folder
    notes: list[str]  # what the arms' descriptions assume, in sentences
    system: str = TRAIN


def introduction(run: PreparedRun, environment: dict[str, str]) -> list[str]:
    """What a user must know of a run that begins, in lines."""
    lines = [f"run folder: {run.run_dir}"]
    if run_id := known_run_id(run.run_dir):
        lines.append(f"run id: {run_id}")
    if learns_alone(run.config, run.system):
        return [*lines, *(f"note: {note}" for note in run.notes)]
    lines.append(f"robots: {', '.join(run.config.robots)} | {describe_environment(environment)}")
    if run.config.first_run:
        speeds = [f"{name} {run.config.speed_factor(name):.0%}" for name in run.config.robots]
        lines.append(f"first run: robots move at a fraction of their speeds: {', '.join(speeds)}")
    return [*lines, *(f"note: {note}" for note in run.notes)]


def learns_alone(config: RunConfig, system: str) -> bool:
    """Whether `system` learns from stored steps in one process, without robots and without ROS."""
    return system != ROBOT and is_offline(config)


def prepare(given: SystemOptions, system: str = TRAIN) -> PreparedRun:
    """Check everything, then create the run folder of `system`, or load that of `given.resume`.

    With folders `given.offline` the run learns from what they hold, and no robot takes part.

    On any error nothing is written. A robot's folder gets the identity of its run from `given.run_id`, or later from
    the trainer that it hears.

    Raises:
        NafRobotError: a mistake in the options, in one sentence.
    """
    refuse_options_of_others(given, system)
    offline = folders_of(given.offline)
    if given.run_id is not None:
        check_run_id(given.run_id)
    if given.resume:
        if offline:
            raise ConfigError("a resumed run has its sources already: --offline and --resume exclude each other")
        return _resume(given, system)
    layers = [*_offline_layers(given, offline), *_layers(given, system)]
    if system == ROBOT and not any("robots" in layer.values for layer in layers):
        raise ConfigError("give the names of this machine's robots, such as --robots left: others have others")
    composed = compose_run(layers)
    notes = _checked(composed.config, system)
    if system != ROBOT:
        check_folders(contract_of(composed.config), composed.config)
    described = describe_arms(composed.config) if system != TRAINER else {}
    run_dir = make_run_folder(given.run_dir or default_run_dir(composed.config, system))
    composed = replace(composed, config=settled(composed.config, run_dir))
    save_composed(composed, run_dir)
    save_descriptions(described, run_dir)
    save_system(run_dir, system)
    _identify(run_dir, system, given.run_id)
    return run_in(run_dir, composed.config, lock_run(run_dir), notes, system)


def _resume(given: SystemOptions, system: str) -> PreparedRun:
    """The run of an existing folder again, with what may be changed of its configuration."""
    if given.run_dir:
        raise ConfigError("a resumed run stays in its folder: run_dir and resume exclude each other")
    run_dir = expanded(str(given.resume)).resolve()
    lock = lock_run(run_dir)
    try:
        _refuse_folder_of_other(run_dir, system)
        composed = compose_resumed(run_dir, given_layers(given))
        notes = _checked(composed.config, system)
        if system != TRAINER:
            refuse_other_descriptions(describe_arms(composed.config), run_dir)
        _identify(run_dir, system, given.run_id)
    except NafRobotError:
        lock.release()
        raise
    config = composed.config
    save_composed(composed, run_dir)
    save_system(run_dir, system)
    (run_dir / run_files.OUTCOME).unlink(missing_ok=True)
    if not any(map(config.is_real, config.robots)):  # a new simulation; on real arms only an operator clears a fault
        shutil.rmtree(run_dir / run_files.FAULTS, ignore_errors=True)
    return run_in(run_dir, config, lock, notes, system)


def _layers(given: SystemOptions, system: str) -> list[Layer]:
    """What the user gave, above what is another default for `system`: robots of other machines may join a trainer."""
    own = Layer(f"naf-robot {system}", {"trainer": {"other_robots": "accept"}})
    return [*([own] if system == TRAINER else []), *given_layers(given)]


def _offline_layers(given: SystemOptions, folders: Sequence[str]) -> list[Layer]:
    """What `--offline` stands for, below what the user gave besides.

    Raises:
        ConfigError: an option that has no meaning without robots, or a folder that is none.
    """
    if not folders:
        return []
    for name in OF_ROBOTS:
        if getattr(given, name) is not None:
            raise ConfigError(f"--offline learns without robots: --{name.replace('_', '-')} has no meaning there")
    paths = [expanded(folder).resolve() for folder in folders]
    for path in paths:
        if not (path / run_files.EXPERIENCE).is_file():
            raise ConfigError(f"--offline {str(path)!r} holds no stored steps: it has no {run_files.EXPERIENCE}")
    return [offline_layer(paths, given_layers(given))]


def _checked(config: RunConfig, system: str) -> list[str]:
    """The notes of the checks that concern `system`: a trainer's machine has neither arms nor a simulator."""
    return check_trainer(config) if system == TRAINER else check(config)


def _identify(run_dir: Path, system: str, run_id: str | None) -> None:
    """Give the folder its run's identity; a robot's waits for the trainer's, unless it is given.

    Raises:
        RunFolderError: it belongs to another run than the one given.
    """
    if run_id is not None:
        write_run_id(run_dir, run_id)
    elif system != ROBOT:
        run_identity(run_dir)


def _refuse_folder_of_other(run_dir: Path, system: str) -> None:
    """A robot's folder holds no trainer, and a trainer's no robot."""
    found = system_of(run_dir)
    if (found == ROBOT) != (system == ROBOT):
        raise RunFolderError(f"{str(run_dir)!r} is a folder of `naf-robot {found}`: resume it with that command")


def lock_run(run_dir: Path) -> ExclusiveLock:
    """The lock of the system that runs in `run_dir`.

    Raises:
        RunFolderError: it is no run folder.
        LockedError: another system is running in it.
    """
    if not (run_dir / run_files.CONFIG).is_file():
        raise RunFolderError(f"{str(run_dir)!r} is not a run folder: it has no {run_files.CONFIG}")
    return ExclusiveLock(run_dir / run_files.LOCK, f"run folder {str(run_dir)!r}")


def run_in(run_dir: Path, config: RunConfig, lock: ExclusiveLock, notes: list[str], system: str) -> PreparedRun:
    """The run whose folder is written: the processes of its `system`."""
    path = run_dir / run_files.CONFIG
    if learns_alone(config, system):
        specs = offline_system(path)
    elif system == TRAINER:
        specs = trainer_system(path, config.restarts)
    else:
        nodes = sensor_nodes(config, next(iter(config.robots)))
        of_system = robot_machine_system if system == ROBOT else training_system
        record, cameras = config.recording.enabled, camera_robots(config)
        names = tuple(config.robots)
        specs = of_system(path, RobotNodes(names, config.simulated, nodes, config.restarts, record, cameras))
    return PreparedRun(run_dir, config, [_as_configured(spec, config) for spec in specs], lock, notes, system)


def _as_configured(spec: NodeSpec, config: RunConfig) -> NodeSpec:
    """`spec` on the run's clock."""
    if "use_sim_time" in spec.parameters:
        spec = replace(spec, parameters=spec.parameters | {"use_sim_time": config.simulated_time})
    return spec


def default_run_dir(config: RunConfig, system: str = TRAIN) -> str:
    """A folder below `runs/` named after what runs and when."""
    begin = time.strftime("%Y%m%d-%H%M%S")
    if system == ROBOT:
        return f"runs/{config.task_name}-{'-'.join(list(config.robots)[:3])}-{begin}"
    return f"runs/{config.task_name}-{config.algorithm_name}-seed{config.seed}-{begin}"
