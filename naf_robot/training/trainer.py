"""The trainer without ROS: store every batch once, learn at the given ratio, publish parameters, decide the end."""

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from naf_robot.core import run_files
from naf_robot.core.clock import Clock
from naf_robot.core.errors import CheckpointError
from naf_robot.core.files import replace_file
from naf_robot.core.records import PolicyParameters
from naf_robot.core.seeding import derived_seed
from naf_robot.experience.codec import ExperienceMessage
from naf_robot.experience.envelope import MAX_HEADER_BYTES
from naf_robot.experience.store import ExperienceStore, held_of
from naf_robot.learning.algorithm import ONLINE, AlgorithmSetup, Budget
from naf_robot.learning.cloning import DEMONSTRATION
from naf_robot.learning.registry import make_algorithm
from naf_robot.learning.source_shares import check_filled
from naf_robot.run.checkpoint import (
    BEST,
    Checkpoint,
    check_identity,
    has_checkpoint,
    read_best,
    read_checkpoint,
    roll_back,
    write_checkpoint,
)
from naf_robot.run.config import RunConfig
from naf_robot.run.contract import contract_of
from naf_robot.run.filling import fill_sources, filled_sources
from naf_robot.run.replay_feed import ReplayFeed
from naf_robot.run.sequencing import Next, Sequencer
from naf_robot.training.episode_log import EpisodeLog, EpisodeRecord
from naf_robot.training.evaluation_gate import EvaluationGate, is_good
from naf_robot.training.interventions import InterventionFeed
from naf_robot.training.known_robots import KnownRobots
from naf_robot.training.publication import Publication
from naf_robot.training.receiver import Progress, Receiver
from naf_robot.training.summary import summary_of
from naf_robot.training.unattended import Unattended

SUCCEEDED, RAN_OUT = 0, 3  # exit codes of a training run


class Trainer:
    """One run's algorithm with its experience; driven by a loop that feeds it messages and time.

    A run folder that holds experience is resumed: replay and episodes come from the
    store, the algorithm from the newest whole checkpoint. `between` is called before each batch that sources are
    filled with; what it raises ends that.

    Raises:
        LockedError: another trainer works in the run folder.
        StoreError: the run folder's store cannot be used.
        CheckpointError: there are checkpoints, but none is whole or fits this configuration.
    """

    def __init__(
        self, config: RunConfig, run_dir: Path, clock: Clock, between: Callable[[], None] = lambda: None
    ) -> None:
        self.config = config
        self.contract = contract_of(config, run_dir)
        self._settings = config.trainer
        self._ratio = config.trainer.ratio()
        self._run_dir = run_dir
        self._clock = clock
        settings = self._settings
        check_filled(settings.sources, filled_sources(config))
        setup = AlgorithmSetup(
            self.contract.observation_size,
            self.contract.action_size,
            derived_seed(config.seed, "learner"),
            tuple(config.robots),
            settings.device,
            settings.replay_capacity,
            settings.success_fraction,
            settings.sources,
            self.contract.steps.observation.images,
            settings.replay_frame_bytes,
            settings.replay_decoded_bytes,
        )
        self.algorithm = make_algorithm(config.algorithm_name, config.algorithm_config(), setup)
        filled = fill_sources(self.algorithm.sources, self.contract, config, settings, between)
        self.filled = {name: part.transitions for name, part in filled.items()}  # transitions by source
        addressed = any(policy.addressee for policy in self.algorithm.policies())
        accepts_others = settings.other_robots == "accept"
        self.robots = KnownRobots(tuple(config.robots), accepts_others, addressed)
        self.store = ExperienceStore(
            run_dir / run_files.EXPERIENCE,
            self.contract,
            self._settings.max_store_bytes,
            self._kept if self._settings.full_store == "compact" else None,
        )
        self._sequencer = Sequencer()
        self.receiver = Receiver(
            self.store,
            self.contract,
            self.robots,
            self._take,
            self._progress,
            self._settings.max_message_bytes,
        )
        self._replay = self.algorithm.sources[ONLINE]
        self._feed = ReplayFeed(
            self._replay,
            self.contract.steps.observation,
            settings,
            lambda: self.store.whole_transitions >= self._kept,
        )
        shown = self.algorithm.sources.get(DEMONSTRATION) if config.intervention.enabled else None
        self._interventions = (
            InterventionFeed(shown, self.contract.steps.observation, settings) if shown is not None else None
        )
        self.episodes = EpisodeLog(
            run_dir / run_files.EPISODES,
            self.contract.reward_names,
            settings.evaluation_window,
            settings.sequential if settings.evaluation_rule == "sequential" else None,
        )
        self.unattended = Unattended(config, run_dir, clock)
        self.gate = EvaluationGate()
        self.publication = Publication(
            run_dir / run_files.POLICY_VERSION,
            self.contract,
            self._settings.publish_period_updates,
            tuple(config.robots),
        )
        self._learning_s, self._updates_here = 0.0, 0
        self._started_s = self._checkpointed_s = clock.now_s()
        self.metrics: dict[str, float] = {}
        self.skipped_updates = 0.0
        self.trouble: dict[str, str] = {}  # what could not be written, by name
        self.paused = False
        try:
            self._resume()
        except BaseException:
            self._close()  # or the store's lock would be held as long as the exception is referenced
            raise

    def _resume(self) -> None:
        """Resume from the run folder."""
        wall_s = 0.0
        if has_checkpoint(self._run_dir):
            checkpoint = read_checkpoint(self._run_dir)
            check_identity(checkpoint, self.contract, self.config.algorithm_name)
            self.algorithm.load_state(checkpoint.learner_state)
            roll_back(self._run_dir, checkpoint)  # torn ones that are newer would be in the way of what follows
            wall_s = float(checkpoint.counters.get("wall_s", 0.0))
            with contextlib.suppress(CheckpointError):  # no version has passed yet
                self.gate = EvaluationGate(read_best(self._run_dir).counters)
        for held in self.store.held():
            self.robots.note([held.collector])
            for following in self._sequencer.add(held):
                self._enter(following, 0.0)
        self._started_s = self._clock.now_s() - max(wall_s, self.episodes.wall_s)
        self.episodes.start()

    @property
    def _kept(self) -> int:
        """Transitions that the store must not evict: those of replay, and of each robot one without successor."""
        return self._settings.replay_capacity + max(len(self.robots.names), 1)

    @property
    def transitions(self) -> int:
        """Transitions that replay was given."""
        return self._feed.transitions

    @property
    def updates(self) -> int:
        """Updates so far."""
        return self.algorithm.updates

    @property
    def wall_s(self) -> float:
        """Wall time since the start [s]."""
        return self._clock.now_s() - self._started_s

    @property
    def updates_per_s(self) -> float:
        """Updates per second of wall time spent learning."""
        return self._updates_here / self._learning_s if self._learning_s > 0.0 else 0.0

    def _progress(self) -> Progress:
        return Progress(self.updates, self.transitions)

    def _take(self, message: ExperienceMessage) -> list[EpisodeRecord]:
        finished: list[EpisodeRecord] = []
        for following in self._sequencer.add(held_of(message)):
            finished += self._enter(following, self.wall_s)
        self.unattended.episodes(finished)
        greedy = [record.policy_version for record in finished if record.greedy]
        policy = self.publication.recent(greedy[-1]) if greedy else None
        if policy is not None and self.gate.passes(self.episodes):
            self._keep_best(policy)
        return finished

    def _enter(self, following: Next, wall_s: float) -> list[EpisodeRecord]:
        """Add the next batch in order to replay and the episode log; returns the episodes that end in it."""
        self._feed.take(following)
        if self._interventions is not None:
            self._interventions.take(following)
        return self.episodes.add(following.collector, following.parts, self.transitions, wall_s)

    def _keep_best(self, policy: PolicyParameters) -> None:
        scores = {
            "evaluation_success": self.episodes.evaluation_success,
            "evaluation_return": self.episodes.evaluation_return,
            "evaluation_test_passed": self.episodes.test_is_passed,
        }
        checkpoint = Checkpoint(self.algorithm.state(), policy, self._counters() | scores)
        if self._written("best checkpoint", lambda: write_checkpoint(self._run_dir, checkpoint, 1, BEST)):
            self.gate.keep(self.episodes, policy.version)

    def learn(self, at_most: int) -> int:
        """Do up to `at_most` updates as the ratio allows; how many were done."""
        if self.paused:
            return 0
        return self.update(self._ratio.allowed_updates(self.transitions, self.updates, at_most))

    def update(self, count: int) -> int:
        """Do up to `count` updates whatever the ratio; how many were done."""
        if count > 0:
            begin, before = self._clock.now_s(), self.updates
            self.metrics = self.algorithm.work(Budget(count))
            self._learning_s += self._clock.now_s() - begin
            count = self.updates - before
            self._updates_here += count
            self.skipped_updates += self.metrics.get("skipped_updates", 0.0)
        return count

    @property
    def parameter_bytes(self) -> list[int]:
        """About how large each message of policy parameters is, one for each addressee."""
        return [MAX_HEADER_BYTES + sum(a.nbytes for a in p.arrays.values()) for p in self.algorithm.policies()]

    def new_parameters(self) -> list[PolicyParameters]:
        """The policies now as new versions, the one for all robots first.

        Raises:
            OSError: a number cannot be made durable.
        """
        return self.publication.new(self.algorithm.policies(), *self._progress())

    def parameters(self) -> list[PolicyParameters]:
        """The newest version of each addressee again, with how far the trainer is by now."""
        return self.publication.again(*self._progress()) or self.new_parameters()

    def outcome(self) -> int | None:
        """The exit code once the run is decided, None before."""
        if is_good(self.episodes, self.config):
            return SUCCEEDED
        return RAN_OUT if self.episodes.episodes >= self.config.max_episodes else None

    def checkpoint_is_due(self) -> bool:
        """Whether the period between checkpoints is over."""
        return self._clock.now_s() - self._checkpointed_s >= self._settings.checkpoint_period_s

    def checkpoint(self) -> Path:
        """Write a checkpoint now; its folder.

        Raises:
            OSError: the write failed; the older checkpoints stay.
        """
        self._checkpointed_s = self._clock.now_s()
        policy = self.publication.newest
        if policy is None or policy.updates != self.updates:
            policy = self.new_parameters()[0]
        checkpoint = Checkpoint(self.algorithm.state(), policy, self._counters())
        return write_checkpoint(self._run_dir, checkpoint, self._settings.keep_checkpoints)

    def try_checkpoint(self) -> bool:
        """Write a checkpoint if possible; else report it in `trouble` and keep the older ones."""
        return self._written("checkpoint", self.checkpoint)

    def _written(self, what: str, write: Callable[[], object]) -> bool:
        try:
            write()
        except OSError as error:
            self.trouble[what] = f"{what} not written: {error}"
            return False
        self.trouble.pop(what, None)
        return True

    def _counters(self) -> dict[str, Any]:
        return {
            "episodes": self.episodes.episodes,
            "transitions": self.transitions,
            "algorithm": self.config.algorithm_name,
            "wall_s": round(self.wall_s, 3),
        }

    def finish(self) -> dict[str, Any]:
        """Write the last checkpoint and the summary as far as possible, and close the stores.

        Everything submitted must be settled.
        """
        self.try_checkpoint()
        for following in self._sequencer.rest():
            self._enter(following, self.wall_s)
        self.episodes.close()
        summary = summary_of(self)
        text = json.dumps(summary, indent=2) + "\n"
        self._written("summary", lambda: replace_file(self._run_dir / run_files.SUMMARY, text.encode()))
        self._close()
        return summary

    def _close(self) -> None:
        self.unattended.close()
        self.receiver.close()
        self.store.close()
