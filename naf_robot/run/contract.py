"""What every process of a run must agree on; apart from the trainer, so that collectors load no torch."""

from pathlib import Path

from naf_robot.core.records import ColumnSpec, StepSpec
from naf_robot.core.run_identity import run_identity
from naf_robot.experience.contract import Contract
from naf_robot.run.config import RunConfig
from naf_robot.run.robot_parts import action_size

INTERVENTION = "intervention"  # extra column: whether a person asked for the step's action


def steps_of(config: RunConfig) -> StepSpec:
    """What the arrays of a run's steps are."""
    task = config.make_task()
    extra = (ColumnSpec(INTERVENTION, "bool"),) if config.intervention.enabled else ()
    return StepSpec(task.observation_spec, action_size(config), task.reward_names, extra)


def contract_of(config: RunConfig, run_dir: Path | None = None) -> Contract:
    """The contract that `config` implies, of the run in `run_dir`.

    Raises:
        RunFolderError: the folder's identity cannot be read or written.
    """
    settings = config.collector
    return Contract(
        config.make_task().name,
        steps_of(config),
        run_identity(run_dir) if run_dir is not None else "",
        settings.frame_format,
        settings.jpeg_quality,
    )
