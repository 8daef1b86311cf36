"""The trainer without ROS: store every batch once, learn at the given ratio, hand out parameters, know the end."""

import json
import subprocess
from pathlib import Path
from typing import Any

from naf_robot.core.clock import Clock
from naf_robot.core.records import PolicyParameters
from naf_robot.core.resources import SOURCE_ROOT
from naf_robot.core.seeding import derived_seed
from naf_robot.experience.codec import (
    Acknowledgement,
    ExperienceMessage,
    decode_experience,
    encode_acknowledgement,
)
from naf_robot.experience.envelope import MAX_BYTES
from naf_robot.experience.store import ExperienceStore
from naf_robot.learning.registry import make_learner
from naf_robot.learning.replay_buffer import ReplayBuffer
from naf_robot.runtime.checkpoint import Checkpoint, write_checkpoint
from naf_robot.runtime.contract import contract_of
from naf_robot.runtime.episode_log import EpisodeLog, EpisodeRecord
from naf_robot.runtime.learned_action import as_learned
from naf_robot.runtime.run_config import RunConfig

SUCCEEDED, RAN_OUT = 0, 3  # exit codes of a training run


class Trainer:
    """One run's learner with its experience; driven by a loop that feeds it messages and time.

    Raises:
        StoreError: the run folder's store cannot be used.
    """

    def __init__(self, config: RunConfig, run_dir: Path, clock: Clock) -> None:
        self.config = config
        self.contract = contract_of(config)
        self._settings = config.trainer
        self._ratio = config.trainer.ratio()
        self._run_dir = run_dir
        self._clock = clock
        self._store = ExperienceStore(run_dir / "experience.sqlite", self.contract)
        size, actions = self.contract.observation_size, self.contract.action_size
        self._replay = ReplayBuffer(self._settings.replay_capacity, size, actions, self._settings.device)
        self._learner = make_learner(
            config.algorithm_name,
            config.algorithm_config(),
            size,
            actions,
            self._replay,
            derived_seed(config.seed, "learner"),
            self._settings.device,
        )
        self.episodes = EpisodeLog(
            run_dir / "episodes.jsonl", self.contract.reward_names, self._settings.evaluation_window
        )
        self._started_s = clock.now_s()
        self._learning_s = 0.0
        self._checkpointed_s = self._started_s
        self._version = 0
        self._published_updates = 0
        self.transitions = 0
        self.duplicates = 0
        self.metrics: dict[str, float] = {}
        self.paused = False

    @property
    def updates(self) -> int:
        """Gradient updates so far."""
        return self._learner.updates

    @property
    def version(self) -> int:
        """Version of the newest parameters."""
        return self._version

    @property
    def wall_s(self) -> float:
        """Wall time since the start [s]."""
        return self._clock.now_s() - self._started_s

    @property
    def updates_per_s(self) -> float:
        """Updates per second of wall time spent learning."""
        return self.updates / self._learning_s if self._learning_s > 0.0 else 0.0

    def receive(self, payload: bytes) -> tuple[bytes, list[EpisodeRecord]]:
        """Store one experience message; its acknowledgement and the episodes it ends.

        A batch that is held already is acknowledged again and changes nothing.

        Raises:
            CodecError: the message is refused and not acknowledged.
            StoreError: the disk refused it; it is not acknowledged.
        """
        message = decode_experience(payload, self.contract, MAX_BYTES)
        finished: list[EpisodeRecord] = []
        if self._store.insert(message, payload):
            finished = self._take(message)
        else:
            self.duplicates += 1
        acknowledgement = Acknowledgement(message.collector, (message.sequence,), self.updates, self.transitions)
        return encode_acknowledgement(acknowledgement), finished

    def _take(self, message: ExperienceMessage) -> list[EpisodeRecord]:
        self._replay.add(as_learned(message.batch, self._settings.learned_action))
        self.transitions += len(message.batch)
        return self.episodes.add(message, self.transitions, self.wall_s)

    def learn(self, at_most: int) -> int:
        """Do up to `at_most` updates as the ratio allows; how many were done."""
        if self.paused:
            return 0
        count = self._ratio.allowed_updates(self.transitions, self.updates, at_most)
        if count > 0:
            begin = self._clock.now_s()
            self.metrics = self._learner.update(count)
            self._learning_s += self._clock.now_s() - begin
        return count

    def parameters_are_due(self) -> bool:
        """Whether a new version should be published: at the start, then every so many updates."""
        if self._version == 0:
            return True
        return self.updates - self._published_updates >= self._settings.publish_period_updates

    def new_parameters(self) -> PolicyParameters:
        """The acting parameters now, under a new version number."""
        self._version += 1
        self._published_updates = self.updates
        return self.parameters()

    def parameters(self) -> PolicyParameters:
        """The acting parameters now, under the newest version number."""
        return PolicyParameters(
            arrays=self._learner.policy_arrays(),
            version=self._version,
            task=self.contract.task,
            observation_spec=self.contract.observation_spec,
            updates=self.updates,
            transitions=self.transitions,
        )

    def outcome(self) -> int | None:
        """The exit code once the run is decided, None before."""
        success = self.episodes.greedy_success
        if self.episodes.window_is_full and success >= self.config.target_success:
            return SUCCEEDED
        return RAN_OUT if self.episodes.episodes >= self.config.max_episodes else None

    def checkpoint_is_due(self) -> bool:
        """Whether the period between checkpoints is over."""
        return self._clock.now_s() - self._checkpointed_s >= self._settings.checkpoint_period_s

    def checkpoint(self) -> Path:
        """Write a checkpoint now; its folder."""
        counters = {
            "episodes": self.episodes.episodes,
            "transitions": self.transitions,
            "algorithm": self.config.algorithm_name,
        }
        self._checkpointed_s = self._clock.now_s()
        checkpoint = Checkpoint(self._learner.state(), self.parameters(), counters)
        return write_checkpoint(self._run_dir, checkpoint, self._settings.keep_checkpoints)

    def summary(self) -> dict[str, Any]:
        """What the run came to, for `summary.json`."""
        return {
            "task": self.config.task_name,
            "algorithm": self.config.algorithm_name,
            "robots": len(self.config.robots),
            "seed": self.config.seed,
            "episodes": self.episodes.episodes,
            "evaluation_episodes": self.episodes.evaluations,
            "env_steps": self.transitions,
            "updates": self.updates,
            "updates_per_s": round(self.updates_per_s, 1),
            "wall_s": round(self.wall_s, 2),
            "greedy_success": self.episodes.greedy_success,
            "transitions_received": self._store.transitions(),
            "transitions_lost": self._store.missing(),
            "transitions_resent": self.duplicates,
            "policy_versions": self._version,
            "git_commit": git_commit(),
        }

    def finish(self) -> dict[str, Any]:
        """Write the last checkpoint and the summary, and close the stores."""
        self.checkpoint()
        summary = self.summary()
        (self._run_dir / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        self.episodes.close()
        self._store.close()
        return summary


def git_commit() -> str | None:
    """The commit of the source tree the code runs from, None outside one."""
    try:
        run = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=SOURCE_ROOT, capture_output=True, text=True, timeout=5.0, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return run.stdout.strip()
