"""What every process of a run must agree on; apart from the trainer, so that collectors load no torch."""

from pathlib import Path

from naf_robot.core.records import StepSpec
from naf_robot.core.run_identity import run_identity
from naf_robot.experience.contract import Contract
from naf_robot.run.config import RunConfig
from naf_robot.run.robot_parts import action_size


def contract_of(config: RunConfig, run_dir: Path | None = None) -> Contract:
    """The contract that `config` implies, of the run in `run_dir`.

    Raises:
        RunFolderError: the folder's identity cannot be read or written.
    """
    task, settings = config.make_task(), config.collector
    return Contract(
        task.name,
        StepSpec(task.observation_spec, action_size(config), task.reward_names),
        run_identity(run_dir) if run_dir is not None else "",
        settings.frame_format,
        settings.jpeg_quality,
    )
