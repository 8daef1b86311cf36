"""The durable state of a study: every episode in a store, and checkpoints to resume from.

The store and the checkpoints are those of a training run (`experience.store`, `checkpoint`), with
the study as the only collector and one batch per episode. An episode is stored before it counts in
a checkpoint. Episodes after the newest checkpoint are repeated and must equal the stored ones.
"""

import time
from pathlib import Path
from typing import Any

from naf_robot.core import run_files
from naf_robot.core.errors import CheckpointError, ConflictError
from naf_robot.core.records import PolicyParameters, StepBatch
from naf_robot.experience.codec import ExperienceMessage, encode_experience
from naf_robot.experience.contract import Contract
from naf_robot.experience.store import ExperienceStore
from naf_robot.run.checkpoint import (
    Checkpoint,
    check_identity,
    has_checkpoint,
    read_checkpoint,
    roll_back,
    write_checkpoint,
)
from naf_robot.study.study import Study

COLLECTOR = "study"
KEEP = 2  # checkpoints


class StudyArchive:
    """The folder of one seed of a study, for one process at a time.

    Raises:
        LockedError: another process works in it.
        StoreError: what it holds is of another task, observation or schema, or damaged.
    """

    def __init__(self, folder: Path, contract: Contract, algorithm: str, period_s: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._contract, self._algorithm = folder, contract, algorithm
        self._period_s = period_s
        self._written_s = time.monotonic()
        self._steps = 0  # of the episodes before the next one
        self._store = ExperienceStore(folder / run_files.EXPERIENCE, contract)

    def take_up(self, study: Study) -> None:
        """Restore a new `study` from the newest complete checkpoint; without one it begins at the start.

        Raises:
            CheckpointError: checkpoints of another algorithm, configuration or seed, or none that is whole.
        """
        if not has_checkpoint(self._folder):
            return
        checkpoint = read_checkpoint(self._folder)
        check_identity(checkpoint, self._contract, self._algorithm)
        counters = checkpoint.counters
        if counters.get("seed") != study.seed:
            raise CheckpointError(f"the checkpoint is of seed {counters.get('seed')}, this study's is {study.seed}")
        if counters.get("filled", {}) != study.counters()["filled"]:
            raise CheckpointError(
                f"the folders that fill the sources hold {_told(study.counters()['filled'])}, and held "
                f"{_told(counters.get('filled', {}))} when the study in {str(self._folder)!r} began"
            )
        for message in self._store.batches():
            if message.sequence < checkpoint.policy.version:
                study.add(message.batch)
                self._steps += len(message.batch)
        if study.env_steps != checkpoint.policy.transitions:
            raise CheckpointError(
                f"the store holds {study.env_steps} transitions of the checkpoint's {checkpoint.policy.transitions}"
            )
        try:
            study.go_on_from(checkpoint.learner_state, counters)
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"the checkpoint in {str(self._folder)!r} is not of a study: {error!r}") from None
        roll_back(self._folder, checkpoint)  # newer incomplete ones must not be read later

    def keep(self, study: Study, episode: StepBatch) -> None:
        """Store the newest `episode` of `study` durably.

        Raises:
            CheckpointError: it was stored before, before a restart, and differs.
            StoreError: the write failed.
        """
        message = ExperienceMessage(COLLECTOR, study.episodes - 1, self._steps, episode)
        self._steps += len(episode)
        try:
            self._store.insert(message, encode_experience(message, self._contract))
        except ConflictError:
            raise CheckpointError(
                f"episode {study.episodes}, repeated after a restart, differs from the one in {str(self._folder)!r}: "
                "code, libraries, processor or environment have changed since the study began"
            ) from None

    def checkpoint_is_due(self) -> bool:
        """Whether the period between checkpoints is over."""
        return time.monotonic() - self._written_s >= self._period_s

    def checkpoint(self, study: Study) -> None:
        """Write a complete checkpoint of `study`, which is between two episodes.

        Raises:
            OSError: the write failed; older checkpoints stay.
        """
        current = study.current_policy()
        policy = PolicyParameters(
            arrays=current.arrays,
            version=study.episodes,
            task=self._contract.task,
            observation_spec=self._contract.observation_spec,
            updates=study.algorithm.updates,
            transitions=study.env_steps,
            kind=current.kind,
        )
        counters = study.counters() | {"algorithm": self._algorithm}
        write_checkpoint(self._folder, Checkpoint(study.algorithm.state(), policy, counters), KEEP)
        self._written_s = time.monotonic()

    def close(self) -> None:
        """Allow other processes to use the folder."""
        self._store.close()


def _told(filled: dict[str, Any]) -> str:
    """What sources were filled with, in words."""
    parts = [f"{part['transitions']} transitions {part['sha256'][:12]} of {name}" for name, part in filled.items()]
    return ", ".join(parts) or "nothing"
