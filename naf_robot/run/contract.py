"""What every process of a run must agree on; apart from the trainer, so that collectors load no torch."""

from naf_robot.experience.codec import Contract
from naf_robot.run.config import RunConfig


def contract_of(config: RunConfig) -> Contract:
    """The contract that `config` implies."""
    task = config.make_task()
    spec = task.observation_spec
    return Contract(task.name, spec.hash, spec.size, config.joint_count, task.reward_names)
