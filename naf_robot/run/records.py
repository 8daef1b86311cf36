"""How a run collects, trains and simulates, apart from its robots, its task and its algorithm."""

from typing import Literal

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.frames import FrameFormat
from naf_robot.core.types import (
    FractionBelowOne,
    JpegQuality,
    MessageBytes,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
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
    batch_transitions: PositiveInt = 50  # steps sent together,
    batch_bytes: PositiveInt = 2 * 1024 * 1024  # or fewer, when their compressed pictures have so many bytes
    frame_format: FrameFormat = "png"  # of pictures: without loss, or jpeg
    jpeg_quality: JpegQuality = 90  # of pictures that are sent as jpeg
    home_tolerance: PositiveFloat = 0.03  # [rad] per joint, within which the arm is at home
    home_gain: PositiveFloat = 2.0  # [1/s] velocity toward home per distance from it
    home_timeout_s: PositiveFloat = 120.0  # of the way home; then the robot holds still and asks for an operator
    max_gap_s: PositiveFloat = 0.2  # between two control steps; a longer gap ends the episode without that transition
    max_policy_age_s: PositiveFloat = 60.0  # wall time without a sign of the trainer after which the robot holds still
    resend_s: PositiveFloat = 1.0  # first wait for an acknowledgement; doubles up to the next
    max_resend_s: PositiveFloat = 10.0  # the longest wait for an acknowledgement
    max_outbox_bytes: PositiveInt = 256 * 1024 * 1024  # kept on the robot while the trainer does not acknowledge
    exploration: ExplorationConfig = msgspec.field(default_factory=ExplorationConfig)


class TrainerConfig(Config, frozen=True):
    """How the trainer learns, publishes and ends."""

    updates_per_transition: NonNegativeFloat = 1.0  # 0: free-running, as in the paper
    ratio_tolerance: PositiveInt = 300  # updates by which either side may run ahead of the other
    learning_starts: PositiveInt = 300  # transitions before the first update
    action_source: ActionSource = "requested"  # the action that the Bellman error takes
    reward_scale: PositiveFloat = 1.0  # the learner's reward is the task's times this
    success_fraction: FractionBelowOne = 0.0  # of each batch from successful episodes, as soon as there are any
    sources: SourceShares = SourceShares()  # shares of each batch by the name of its source
    replay_capacity: PositiveInt = 1_000_000  # transitions that batches are drawn from, the newest
    replay_frame_bytes: PositiveInt = 4 * 1024**3  # of compressed pictures; the oldest transitions make room
    max_message_bytes: MessageBytes = 16 * 1024 * 1024  # of one experience message; larger ones are refused
    publish_period_updates: PositiveInt = 50  # a version of the policy is published after so many updates
    max_parameter_bytes_per_s: PositiveFloat = 100e6  # of policy parameters, to all collectors together
    evaluation_window: PositiveInt = 20  # greedy episodes that the success rate is taken over
    checkpoint_period_s: PositiveFloat = 20.0  # wall time; after a crash the updates since the last one are made again
    keep_checkpoints: PositiveInt = 2  # the newest so many
    max_store_bytes: PositiveInt = 64 * 1024**3  # of experience
    full_store: Literal["hold", "compact"] = "hold"  # nothing more is acknowledged and the robots hold still; or the
    # oldest transitions are given up, never those that the replay buffer holds
    threads: PositiveInt = 1  # of the learner's arithmetic
    device: str = "cpu"  # that the learner computes on: cpu, cuda or cuda:1

    def ratio(self) -> RatioLimiter:
        """The limiter that these settings describe."""
        return RatioLimiter(self.updates_per_transition, self.ratio_tolerance, self.learning_starts)


class SimulationConfig(Config, frozen=True):
    """How the simulator node runs in time."""

    real_time_factor: NonNegativeFloat = 0.0  # speed of the simulation; 0: as fast as the machine allows
    drive_timeout_s: NonNegativeFloat = 0.0  # drives stop after so long without a command; 0: never, as ros2_control
    start_timeout_s: NonNegativeFloat = (
        30.0  # wall time from the simulator's start in which it waits, tick by tick, for
    )
    # robots that have not answered yet: their processes are starting
    answer_timeout_s: PositiveFloat = 1.0  # wall time to wait for a robot's command before going on without; less than
    # velocity_control.wall_limit_s, or one collector that ended lets every other robot's watchdog latch a fault
