"""How a run collects, trains and simulates, apart from its robots, its task and its algorithm."""

from typing import Literal

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.frames import FrameFormat
from naf_robot.core.sequential import EvaluationRule, SequentialConfig, SuccessTest, new_test
from naf_robot.core.types import (
    ControlPriority,
    FilePath,
    FractionBelowOne,
    JpegQuality,
    MessageBytes,
    Nice,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    UnitInterval,
)
from naf_robot.learning.exploration import ExplorationConfig
from naf_robot.learning.learner_batch import ActionSource
from naf_robot.learning.source_shares import SourceShares
from naf_robot.run.ratio import RatioLimiter


class CollectorConfig(Config, frozen=True):
    """How each robot gathers experience."""

    action_velocity: PositiveFloat = (
        1.0  # joint velocity of a full action [rad/s]; a slower joint keeps to its own limit
    )
    evaluation_period: PositiveInt = 10  # every this many episodes one is greedy, and after a success in evaluation the
    # next too, with the same policy, until it fails or has filled the trainer's evaluation window
    batch_transitions: PositiveInt = 50  # most steps in one batch that is sent
    batch_bytes: PositiveInt = 2 * 1024 * 1024  # size of compressed pictures at which a batch ends earlier
    frame_format: FrameFormat = "png"  # compression of pictures: png (lossless) or jpeg
    jpeg_quality: JpegQuality = 90  # quality of pictures that are sent as jpeg
    home_tolerance: PositiveFloat = 0.03  # [rad] distance per joint within which the arm is at home
    home_gain: PositiveFloat = 2.0  # [1/s] velocity towards home per distance from it
    home_velocity: PositiveFloat = 0.25  # [rad/s] highest joint velocity of a real arm on its way home
    home_timeout_s: PositiveFloat = 120.0  # longest time of the way home; then the robot holds still and asks for
    # an operator
    max_gap_s: PositiveFloat = 0.2  # longest gap between two control steps; a longer one ends the episode without
    # that transition
    max_policy_age_s: PositiveFloat = 60.0  # wall time without a message from the trainer after which the robot
    # holds still
    resend_s: PositiveFloat = 1.0  # first wait for an acknowledgement; it doubles up to max_resend_s
    max_resend_s: PositiveFloat = 10.0  # longest wait for an acknowledgement
    max_outbox_bytes: PositiveInt = 256 * 1024 * 1024  # most experience that a robot keeps while the trainer does
    # not acknowledge
    exploration: ExplorationConfig = msgspec.field(default_factory=ExplorationConfig)


class ResidualConfig(Config, frozen=True):
    """Learning on top of the task's scripted policy."""

    scale: UnitInterval = (
        0.0  # the policy's action times this is added to the scripted policy's; 0: the policy acts alone
    )


class InterventionConfig(Config, frozen=True):
    """A person who takes over during an episode, and gives back."""

    enabled: bool = False  # whether collectors follow naf-robot teleop --intervene within an episode, and mark those
    # steps in the column intervention


class FilledSources(Config, frozen=True):
    """Folders whose stored steps fill a source when the trainer starts: run folders, or what `replay` wrote."""

    offline: tuple[FilePath, ...] = ()  # folders with steps of any policy
    demonstration: tuple[FilePath, ...] = ()  # folders with steps of a person or a program that can do the task

    @property
    def folders(self) -> dict[str, tuple[str, ...]]:
        """The folders by the name of their source, of the sources that have any."""
        given = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: folders for name, folders in given.items() if folders}


class TrainerConfig(Config, frozen=True):
    """How the trainer learns, publishes and ends."""

    updates_per_transition: NonNegativeFloat = 1.0  # gradient updates per transition; 0: free-running, as in Gu et
    # al. 2016
    ratio_tolerance: PositiveInt = 300  # updates by which either side may run ahead of the other
    learning_starts: PositiveInt = 300  # transitions before the first update
    action_source: ActionSource = "requested"  # action that is learned from: requested or executed
    reward_scale: PositiveFloat = 1.0  # factor from the task's reward to the learner's
    success_fraction: FractionBelowOne = 0.0  # fraction of each batch from successful episodes, as soon as there
    # are any
    sources: SourceShares = SourceShares()  # fractions of each batch by the name of their source
    filled: FilledSources = FilledSources()  # folders that sources are filled from
    offline_updates_per_transition: PositiveFloat = 2.0  # without robots: gradient updates in all, per transition in
    # the sources
    replay_capacity: PositiveInt = 1_000_000  # newest transitions that batches are drawn from
    replay_frame_bytes: PositiveInt = 4 * 1024**3  # bound on compressed pictures in replay; the oldest transitions
    # are evicted
    replay_decoded_bytes: NonNegativeInt = 256 * 1024**2  # bound on decoded pictures kept besides, in each source
    max_message_bytes: MessageBytes = 16 * 1024 * 1024  # largest experience message that is accepted
    publish_period_updates: PositiveInt = 50  # updates between two published versions of the policy
    max_parameter_bytes_per_s: PositiveFloat = 100e6  # bound on the rate of policy parameters to all collectors
    # together
    evaluation_window: PositiveInt = 20  # newest greedy episodes over which the success rate is computed
    evaluation_rule: EvaluationRule = "sequential"  # when a policy is good enough: sequential, a test that ends as soon
    # as that is clear; window, target_success over evaluation_window, which is the default where target_success is
    # below 1
    sequential: SequentialConfig = SequentialConfig()
    checkpoint_period_s: PositiveFloat = 20.0  # wall time; after a crash the updates since the last one are made again
    keep_checkpoints: PositiveInt = 2  # number of newest checkpoints that are kept
    max_store_bytes: PositiveInt = 64 * 1024**3  # bound on the stored experience
    full_store: Literal["hold", "compact"] = "hold"  # hold: nothing more is acknowledged and
    # the robots hold still; compact: the oldest transitions are removed, never those that the replay buffer holds
    drift_window_s: PositiveFloat = 300.0  # wall time over which what is watched for drift is averaged
    false_alarm_days: PositiveFloat = 365.0  # mean time between two false alarms of one quantity watched for drift
    other_robots: Literal["refuse", "accept"] = (
        "refuse"  # robots that the trainer's configuration does not name: refuse
    )
    # their experience, or accept it if they learn the same task; accept with naf-robot trainer
    threads: PositiveInt = 1  # threads of the learner's arithmetic
    device: str = "cpu"  # device of the learner: cpu, cuda or cuda:1

    def ratio(self) -> RatioLimiter:
        """The limiter that these settings describe."""
        return RatioLimiter(self.updates_per_transition, self.ratio_tolerance, self.learning_starts)

    def new_test(self) -> SuccessTest:
        """A test of one policy on one robot that has seen no episode."""
        return new_test(self.evaluation_rule, self.sequential, self.evaluation_window)


class RecordingConfig(Config, frozen=True):
    """Recording of each robot's topics to bags (rosbag2, MCAP) in the run folder."""

    enabled: bool = False  # whether it is recorded; also --record
    compression: Literal["none", "lz4", "zstd"] = "zstd"  # of each chunk; raw pictures want none or lz4
    flush_s: PositiveFloat = 1.0  # longest time in which what has come is not yet in the file; a recorder that is
    # killed loses it
    chunk_bytes: PositiveInt = 1024 * 1024  # size of messages at which a chunk is written earlier
    split_bytes: PositiveInt = 1024**3  # size of a file at which the next one begins
    queue_bytes: PositiveInt = 64 * 1024 * 1024  # most messages that wait for the disk; later ones are dropped and
    # counted
    min_free_bytes: PositiveInt = 1024**3  # space on the disk that is left to others: with less nothing is recorded
    experience: bool = True  # whether the robot's batches on /experience are recorded too; each robot's machine then
    # receives those of all robots


class RealTimeConfig(Config, frozen=True):
    """How processes share a machine beside arms on wall time; without the rights to it nothing changes."""

    control_priority: ControlPriority = 40  # SCHED_FIFO priority of velocity_control, and one less of the collector; a
    # driver's should be higher (ros2_control: 50); 0: they are scheduled like any other process
    trainer_nice: Nice = 10  # niceness of the trainer and of recorders


class SimulationConfig(Config, frozen=True):
    """How the simulator node runs in time."""

    real_time_factor: NonNegativeFloat = 0.0  # speed of the simulation: 1 is real time, 0 is as fast as the
    # machine allows
    drive_timeout_s: NonNegativeFloat = 0.0  # time without a command after which drives stop; 0: never, as in
    # ros2_control
    start_timeout_s: NonNegativeFloat = (
        30.0  # wall time from the simulator's start in which it waits, tick by tick, for
    )
    # robots that have not answered yet: their processes are starting
    answer_timeout_s: PositiveFloat = 1.0  # wall time to wait for a robot's command before going on without; less than
    # velocity_control.wall_limit_s, or one collector that ended lets every other robot's watchdog latch a fault
