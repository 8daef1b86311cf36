"""What the two ends of a byte message must agree on: run, task, observation spec and the arrays of a step."""

from dataclasses import dataclass
from functools import cached_property

from naf_robot.core.errors import SpecMismatchError
from naf_robot.core.frames import FrameFormat
from naf_robot.core.records import StepSpec
from naf_robot.experience.envelope import Envelope
from naf_robot.experience.step_arrays import StepArrays


class RunMismatchError(SpecMismatchError):
    """A message of another run that uses the same ROS domain."""


@dataclass(frozen=True)
class Contract:
    """The identity that stands in every message, and the arrays of a step."""

    task: str
    steps: StepSpec
    run_id: str = ""  # of the run folder; empty where there is none
    frame_format: FrameFormat = "png"
    jpeg_quality: int = 90

    @cached_property
    def arrays(self) -> StepArrays:
        """How steps lie in a message."""
        return StepArrays(self.steps)

    @property
    def observation_spec(self) -> str:
        """Hash of the observation spec."""
        return self.steps.observation.hash

    @property
    def observation_size(self) -> int:
        """Length of the flat observation vector."""
        return self.steps.observation.size

    @property
    def action_size(self) -> int:
        """Length of an action."""
        return self.steps.action_size

    @property
    def reward_names(self) -> tuple[str, ...]:
        """Names of the reward terms."""
        return self.steps.reward_names

    def check(self, envelope: Envelope) -> None:
        """Reject an envelope of another run, or made for another task or observation spec.

        Raises:
            RunMismatchError, SpecMismatchError: naming both sides.
        """
        check_run(envelope, self.run_id)
        for key, own in (("task", self.task), ("observation_spec", self.observation_spec)):
            theirs = envelope.text(key)
            if theirs != own:
                raise SpecMismatchError(f"{envelope.kind} message is of {key} {theirs!r}; this process has {own!r}")


def check_run(envelope: Envelope, run_id: str) -> None:
    """Reject an envelope of another run than `run_id`.

    Raises:
        RunMismatchError: naming both.
    """
    theirs = envelope.text("run")
    if theirs != run_id:
        raise RunMismatchError(
            f"{envelope.kind} message is of run {theirs[:40]!r}, this process belongs to run {run_id!r}: two runs "
            "share this ROS domain"
        )
