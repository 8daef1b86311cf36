"""From a user's options to a run folder with its resolved configuration and its system."""

import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.options import SystemOptions, given_layers, options
from naf_robot.bringup.system import training_system
from naf_robot.core import run_files
from naf_robot.core.errors import ConfigError, NafRobotError, RunFolderError
from naf_robot.core.files import ExclusiveLock, make_run_folder
from naf_robot.core.resources import expanded
from naf_robot.run.checks import check
from naf_robot.run.config import RunConfig, compose_run, save_composed
from naf_robot.run.descriptions import describe_arms, refuse_other_descriptions, save_descriptions, settled
from naf_robot.run.resuming import compose_resumed
from naf_robot.run.robot_parts import sensor_nodes

__all__ = ["PreparedRun", "SystemOptions", "lock_run", "options", "prepare"]


@dataclass(frozen=True)
class PreparedRun:
    """A run folder that holds its configuration, and the processes that work in it."""

    run_dir: Path
    config: RunConfig
    specs: list[NodeSpec]
    lock: ExclusiveLock  # held as long as this record is: two systems must not work in one folder
    notes: list[str]  # what the arms' descriptions assume, in sentences


def prepare(given: SystemOptions) -> PreparedRun:
    """Check everything, then create the run folder, or load that of `given.resume`.

    On any error nothing is written.

    Raises:
        NafRobotError: a mistake in the options, in one sentence.
    """
    if given.resume:
        return _resume(given)
    composed = compose_run(given_layers(given))
    notes = check(composed.config)
    described = describe_arms(composed.config)
    run_dir = make_run_folder(given.run_dir or default_run_dir(composed.config))
    composed = replace(composed, config=settled(composed.config, run_dir))
    save_composed(composed, run_dir)
    save_descriptions(described, run_dir)
    return _prepared(run_dir, composed.config, lock_run(run_dir), notes)


def _resume(given: SystemOptions) -> PreparedRun:
    """The run of an existing folder again, with what may be changed of its configuration."""
    if given.run_dir:
        raise ConfigError("a resumed run stays in its folder: run_dir and resume exclude each other")
    run_dir = expanded(str(given.resume)).resolve()
    lock = lock_run(run_dir)
    try:
        composed = compose_resumed(run_dir, given_layers(given))
        notes = check(composed.config)
        refuse_other_descriptions(describe_arms(composed.config), run_dir)
    except NafRobotError:
        lock.release()
        raise
    config = composed.config
    save_composed(composed, run_dir)
    (run_dir / run_files.OUTCOME).unlink(missing_ok=True)
    if config.simulated:  # a new simulation with its arms at home; on real arms only an operator clears a latched fault
        shutil.rmtree(run_dir / run_files.FAULTS, ignore_errors=True)
    return _prepared(run_dir, config, lock, notes)


def lock_run(run_dir: Path) -> ExclusiveLock:
    """The lock of the system that runs in `run_dir`.

    Raises:
        RunFolderError: it is no run folder.
        LockedError: another system is running in it.
    """
    if not (run_dir / run_files.CONFIG).is_file():
        raise RunFolderError(f"{str(run_dir)!r} is not a run folder: it has no {run_files.CONFIG}")
    return ExclusiveLock(run_dir / run_files.LOCK, f"run folder {str(run_dir)!r}")


def _prepared(run_dir: Path, config: RunConfig, lock: ExclusiveLock, notes: list[str]) -> PreparedRun:
    nodes = sensor_nodes(config, next(iter(config.robots)))
    specs = training_system(run_dir / run_files.CONFIG, tuple(config.robots), config.simulated, nodes, config.restarts)
    return PreparedRun(run_dir, config, [_as_configured(spec, config) for spec in specs], lock, notes)


def _as_configured(spec: NodeSpec, config: RunConfig) -> NodeSpec:
    """`spec` on the run's clock."""
    if "use_sim_time" in spec.parameters:
        spec = replace(spec, parameters=spec.parameters | {"use_sim_time": config.simulated_time})
    return spec


def default_run_dir(config: RunConfig) -> str:
    """A folder below `runs/` named after what runs and when."""
    begin = time.strftime("%Y%m%d-%H%M%S")
    return f"runs/{config.task_name}-{config.algorithm_name}-seed{config.seed}-{begin}"
