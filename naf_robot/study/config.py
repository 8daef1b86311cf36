"""The configuration of a study, and its file `study.yaml`. Loads no torch: the command line reads it."""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from naf_robot.core.config import Config, build, dump_yaml, load_yaml
from naf_robot.core.errors import ConfigError, RunFolderError
from naf_robot.core.files import replace_file
from naf_robot.core.sequential import SequentialConfig
from naf_robot.core.types import FractionBelowOne, NonNegativeInt, PositiveFloat, PositiveInt
from naf_robot.learning.exploration import ExplorationConfig
from naf_robot.learning.learner_batch import ActionSource
from naf_robot.learning.source_shares import SourceShares

DEFAULT_ALGORITHM = "naf"
FILE = "study.yaml"
SCHEMA_VERSION = 1


class StudyOptions(Config, frozen=True):
    """Options of one synchronous run."""

    episodes: PositiveInt = 200  # of training
    updates_per_transition: PositiveFloat = 1.0  # gradient updates per environment step
    learning_starts: PositiveInt = 300  # transitions before the first update
    replay_capacity: PositiveInt = 1_000_000  # newest transitions that batches are drawn from
    evaluate_every: PositiveInt = 20  # episodes
    evaluation_episodes: PositiveInt = 20  # greedy held-out episodes of an evaluation, at most
    evaluation_rule: Literal["fixed", "sequential"] = "fixed"  # fixed: all of them are run; sequential: until a test
    # of the policy is decided, and it is good if that is passed
    sequential: SequentialConfig = SequentialConfig()
    stop_at_success: float = 2.0  # end after an evaluation this good; above 1 never
    confirmation_episodes: NonNegativeInt = 0  # of other seeds that must be as good; 0: none
    action_source: ActionSource = "requested"  # action that is learned from: requested or executed
    reward_scale: PositiveFloat = 1.0  # the learner's reward is the environment's times this
    success_fraction: FractionBelowOne = 0.0  # of each batch from episodes that ended in success
    sources: SourceShares = SourceShares()  # shares of each batch by the name of its source
    success_at: Literal["end", "any"] = "end"  # an episode's last step decides, or one step with success is enough
    exploration: ExplorationConfig = msgspec.field(default_factory=ExplorationConfig)


class StudyConfig(Config, frozen=True, kw_only=True):
    """Everything that determines a study: subject, algorithm, options, seeds."""

    schema_version: int = SCHEMA_VERSION  # of the file
    command: str  # as it was first given
    task: str | None = None  # one of ours,
    env: str | None = None  # or the id of any Gymnasium environment
    algorithm: str = DEFAULT_ALGORITHM  # that learns
    seeds: Annotated[tuple[NonNegativeInt, ...], msgspec.Meta(min_length=1)] = (0,)  # one training each
    options: StudyOptions = msgspec.field(default_factory=StudyOptions)
    run: dict[str, Any] = msgspec.field(default_factory=dict)  # of a task of ours: its resolved run configuration
    algorithm_settings: dict[str, Any] = msgspec.field(default_factory=dict)  # resolved

    @property
    def subject(self) -> str:
        """What is learned."""
        return self.task or self.env or ""


def save_study(config: StudyConfig, folder: Path) -> None:
    """Write `study.yaml`."""
    replace_file(folder / FILE, dump_yaml(config).encode())


def load_study(folder: Path) -> StudyConfig:
    """Read `study.yaml`.

    Raises:
        RunFolderError: there is none.
        ConfigError: it is of another schema, or no valid configuration.
    """
    path = folder / FILE
    if not path.is_file():
        raise RunFolderError(f"{str(folder)!r} is not the folder of a study: it has no {FILE}")
    values = load_yaml(path)
    if values.get("schema_version") != SCHEMA_VERSION:
        raise ConfigError(
            f"{str(path)!r} has schema version {values.get('schema_version')!r}; this version reads {SCHEMA_VERSION}"
        )
    return build(StudyConfig, values, str(path))
