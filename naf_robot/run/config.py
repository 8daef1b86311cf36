"""One run's whole configuration: a task's file, the records' defaults and the user's overrides, resolved once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from naf_robot.arm.control.velocity_control import VelocityControlConfig
from naf_robot.arm.model.config import ArmConfig
from naf_robot.arm.projection.projection import SafetyConfig
from naf_robot.core.config import Config, build, dump_yaml, load_yaml, merge
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.core.files import replace_file
from naf_robot.core.resources import find, share_directory
from naf_robot.core.types import (
    FractionBelowOne,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveFraction,
    PositiveInt,
    RobotName,
)
from naf_robot.learning.exploration import ExplorationConfig
from naf_robot.learning.learner_batch import ActionSource
from naf_robot.learning.registry import algorithm_config_type
from naf_robot.run.ratio import RatioLimiter
from naf_robot.sensing.door_angle import DoorSensorConfig
from naf_robot.sim.simulator import SimulatorConfig, steps_per_period
from naf_robot.tasks.registry import make_task, task_entry
from naf_robot.tasks.task import Task


class CollectorConfig(Config, frozen=True):
    """How each robot gathers experience."""

    action_velocity: PositiveFloat = (
        1.0  # joint velocity of a full action [rad/s]; faster joints keep to it, slower to theirs
    )
    evaluation_period: PositiveInt = (
        10  # every this many episodes one is greedy, and after an evaluation success the next too,
    )
    # with the same policy, until it fails or has filled the trainer's evaluation window
    batch_transitions: PositiveInt = 50  # sent together
    home_tolerance: PositiveFloat = 0.03  # [rad] per joint
    home_gain: PositiveFloat = 2.0  # [1/s]
    home_timeout_s: PositiveFloat = 20.0
    max_gap_s: PositiveFloat = 0.2  # between two control steps; a longer gap ends the episode without that transition
    max_policy_age_s: PositiveFloat = 60.0  # wall time without a message from the trainer after which the robot stops
    resend_s: PositiveFloat = 1.0  # first wait for an acknowledgement; doubles up to the next
    max_resend_s: PositiveFloat = 10.0
    max_outbox_bytes: PositiveInt = 256 * 1024 * 1024
    exploration: ExplorationConfig = msgspec.field(default_factory=ExplorationConfig)


class TrainerConfig(Config, frozen=True):
    """How the trainer learns, publishes and ends."""

    updates_per_transition: NonNegativeFloat = 1.0  # 0: free-running, as in the paper
    ratio_tolerance: PositiveInt = 300  # updates by which either side may run ahead of the other
    learning_starts: PositiveInt = 300  # transitions before the first update
    action_source: ActionSource = "requested"
    reward_scale: PositiveFloat = 1.0  # the learner's reward is the task's times this
    success_fraction: FractionBelowOne = 0.0  # of each batch from successful episodes, as soon as there are any
    replay_capacity: PositiveInt = 1_000_000
    publish_period_updates: PositiveInt = 50
    max_parameter_bytes_per_s: PositiveFloat = 100e6  # of policy parameters, to all collectors together
    evaluation_window: PositiveInt = 20  # greedy episodes that the success rate is taken over
    checkpoint_period_s: PositiveFloat = 20.0  # wall time; after a crash the updates since the last one are made again
    keep_checkpoints: PositiveInt = 2
    max_store_bytes: PositiveInt = 64 * 1024**3  # of experience
    full_store: Literal["hold", "compact"] = "hold"  # nothing more is acknowledged and the robots hold still; or the
    # oldest transitions are given up, never those that the replay buffer holds
    threads: PositiveInt = 1
    device: str = "cpu"

    def ratio(self) -> RatioLimiter:
        """The limiter that these settings describe."""
        return RatioLimiter(self.updates_per_transition, self.ratio_tolerance, self.learning_starts)


class SimulationConfig(Config, frozen=True):
    """How the simulator node runs in time."""

    real_time_factor: NonNegativeFloat = 0.0  # 0: as fast as the machine allows
    drive_timeout_s: NonNegativeFloat = 0.0  # drives stop after so long without a command; 0: never, as ros2_control
    start_timeout_s: NonNegativeFloat = (
        30.0  # wall time from the simulator's start in which it waits, tick by tick, for
    )
    # robots that have not answered yet: their processes are starting
    answer_timeout_s: PositiveFloat = 1.0  # wall time to wait for a robot's command before going on without; less than
    # velocity_control.wall_limit_s, or one crashed collector makes the watchdog of every other robot latch a fault


class RunConfig(Config, frozen=True, kw_only=True):
    """Everything that determines a run."""

    task_name: str
    algorithm_name: str = "naf"
    robots: Annotated[tuple[RobotName, ...], msgspec.Meta(min_length=1)] = ("robot_1", "robot_2")
    seed: NonNegativeInt = 0
    max_episodes: PositiveInt = 400
    target_success: PositiveFraction = 1.0
    arm: ArmConfig
    safety: SafetyConfig
    velocity_control: VelocityControlConfig = VelocityControlConfig()
    task: dict[str, Any] = msgspec.field(default_factory=dict)  # the task's own record
    algorithm: dict[str, Any] = msgspec.field(default_factory=dict)  # the algorithm's own record
    simulator: SimulatorConfig = msgspec.field(default_factory=SimulatorConfig)
    simulation: SimulationConfig = msgspec.field(default_factory=SimulationConfig)
    door_sensor: DoorSensorConfig = DoorSensorConfig()
    collector: CollectorConfig = msgspec.field(default_factory=CollectorConfig)
    trainer: TrainerConfig = msgspec.field(default_factory=TrainerConfig)

    def make_task(self) -> Task:
        """The configured task."""
        return make_task(self.task_name, self.task, len(self.arm.joints))

    def control_settings(self, simulated_time: bool) -> VelocityControlConfig:
        """The velocity controller's settings on the clock in use."""
        return msgspec.structs.replace(self.velocity_control, simulated_time=simulated_time)

    def algorithm_config(self) -> Config:
        """The algorithm's configuration record."""
        return build(algorithm_config_type(self.algorithm_name), self.algorithm, "algorithm")


def resolve(task: str, algorithm: str = "naf", overrides: Sequence[Mapping[str, Any]] = ()) -> RunConfig:
    """The configuration of a run of `task`: its file below `config/tasks`, then `overrides`, later ones winning.

    Raises:
        UnknownNameError: unknown task, algorithm or configuration key, with the valid ones.
        ConfigError: a value of the wrong type or range, or values that contradict.
        RobotModelError: the URDF lacks what the arm's description names.
    """
    task_entry(task)
    algorithm_config_type(algorithm)
    values = merge(load_yaml(find(f"config/tasks/{task}.yaml")), *overrides)
    return checked(build(RunConfig, values | {"task_name": task, "algorithm_name": algorithm}))


def load(path: Path, overrides: Sequence[Mapping[str, Any]] = ()) -> RunConfig:
    """A configuration that `save` wrote, with `overrides` over it, later ones winning."""
    return checked(build(RunConfig, merge(load_yaml(path), *overrides), str(path)))


def save(config: RunConfig, path: Path) -> None:
    """Write the resolved configuration, with every default spelled out."""
    replace_file(path, dump_yaml(config).encode())


def checked(config: RunConfig) -> RunConfig:
    """`config` with the task's and the algorithm's defaults spelled out, its parts checked against each other."""
    if len(set(config.robots)) != len(config.robots):
        raise ConfigError(f"robots must have different names, got {list(config.robots)}")
    if config.simulation.answer_timeout_s >= config.velocity_control.wall_limit_s:
        raise ConfigError(
            f"simulation.answer_timeout_s ({config.simulation.answer_timeout_s} s) must be less than "
            f"velocity_control.wall_limit_s ({config.velocity_control.wall_limit_s} s)"
        )
    config.arm.model()
    task = config.make_task()
    steps_per_period(task.control_period_s, config.simulator.physics_step_s)
    task_record = build(task_entry(config.task_name).config, config.task, "task")
    return msgspec.structs.replace(
        config,
        task=msgspec.to_builtins(task_record),
        algorithm=msgspec.to_builtins(config.algorithm_config()),
    )


def robot_names(count: int) -> tuple[str, ...]:
    """The default names of `count` robots."""
    return tuple(f"robot_{index + 1}" for index in range(count))


def check_robot(config: RunConfig, robot: str) -> str:
    """`robot` if the run has it.

    Raises:
        UnknownNameError: listing the robots of the run.
    """
    if robot not in config.robots:
        raise UnknownNameError("robot", robot, config.robots)
    return robot


def task_files() -> list[str]:
    """Names of the tasks that have a configuration file."""
    return sorted(path.stem for path in (share_directory() / "config" / "tasks").glob("*.yaml"))
