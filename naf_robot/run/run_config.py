"""One run's whole configuration as a record, and its file in the run folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec

from naf_robot.arm.control.gripper import check_gripper
from naf_robot.arm.control.velocity_control import VelocityControlConfig
from naf_robot.arm.model.config import ArmConfig
from naf_robot.arm.projection.config import SafetyConfig
from naf_robot.core.config import Config, build, merge
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.core.files import replace_file
from naf_robot.core.types import NonNegativeInt, PositiveFraction, PositiveInt, RobotName
from naf_robot.core.yaml_text import to_yaml
from naf_robot.learning.registry import algorithm_config_type, check_pictures
from naf_robot.run.description_topics import with_fetched
from naf_robot.run.records import (
    CollectorConfig,
    InterventionConfig,
    RealTimeConfig,
    RecordingConfig,
    ResidualConfig,
    SimulationConfig,
    TrainerConfig,
)
from naf_robot.run.robot import RobotConfig
from naf_robot.sensing.registry import make_sensors, providers, sensor_config
from naf_robot.sensing.sensor import Sensor
from naf_robot.sim.simulator import ImperfectionConfig, SimulatorConfig, steps_per_period
from naf_robot.tasks.registry import TASKS, make_task
from naf_robot.tasks.task import Task

DEFAULT_TASK = "reach"


class RunConfig(Config, frozen=True, kw_only=True):
    """Everything that decides a run."""

    task_name: str = DEFAULT_TASK  # the task to learn
    algorithm_name: str = "naf"  # the algorithm that learns it
    robots: Annotated[
        dict[RobotName, RobotConfig], msgspec.Meta(min_length=1)
    ]  # the robots by name; given as a count, names or a mapping
    simulated_time: bool = True  # nodes take their time from the simulator; unset: unless the arms are real
    first_run: bool = False  # real arms move at first_run_speed of their speeds, to be watched
    seed: NonNegativeInt = 0  # seed of all random numbers
    max_episodes: PositiveInt = 400  # episodes of all robots after which the run ends without success
    target_success: PositiveFraction = 1.0  # evaluation success rate that ends the run, over trainer.evaluation_window,
    # unless trainer.evaluation_rule is sequential
    restarts: NonNegativeInt = 0  # how often each process that ended unexpectedly is started again
    task: dict[str, Any] = msgspec.field(default_factory=dict)  # the task's own record
    algorithm: dict[str, Any] = msgspec.field(default_factory=dict)  # the algorithm's own record
    simulator: SimulatorConfig = msgspec.field(default_factory=SimulatorConfig)
    simulation: SimulationConfig = msgspec.field(default_factory=SimulationConfig)
    sensors: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)  # settings of sensors, by their names
    real_time: RealTimeConfig = msgspec.field(default_factory=RealTimeConfig)
    recording: RecordingConfig = msgspec.field(default_factory=RecordingConfig)
    residual: ResidualConfig = ResidualConfig()
    intervention: InterventionConfig = InterventionConfig()
    collector: CollectorConfig = msgspec.field(default_factory=CollectorConfig)
    trainer: TrainerConfig = msgspec.field(default_factory=TrainerConfig)

    def robot(self, name: str) -> RobotConfig:
        """The robot called `name`.

        Raises:
            UnknownNameError: listing the robots of the run.
        """
        return self.robots[check_robot(self, name)]

    def with_robots(self, *names: str) -> "RunConfig":
        """The same run with these robots alone."""
        return msgspec.structs.replace(self, robots={name: self.robot(name) for name in names})

    @property
    def joint_count(self) -> int:
        """Joints of each robot; one policy moves them all."""
        return len(next(iter(self.robots.values())).arm.joints)

    @property
    def simulated(self) -> bool:
        """Whether our own simulator moves the arms and sets the clock, and no driver behind ros2_control."""
        return any(not robot.real for robot in self.robots.values())

    def is_real(self, robot: str) -> bool:
        """Whether the arm of `robot` may hurt somebody: it is behind ros2_control, and time is not simulated."""
        return self.robot(robot).real and not self.simulated_time

    def speed_factor(self, robot: str) -> float:
        """The factor on all speeds of `robot`: below 1 in the first run of a real arm."""
        return self.robot(robot).first_run_speed if self.first_run and self.is_real(robot) else 1.0

    def safety_of(self, robot: str) -> SafetyConfig:
        """The limits that hold for `robot` in this run."""
        safety = self.robot(robot).safety
        return msgspec.structs.replace(safety, velocity_scale=safety.velocity_scale * self.speed_factor(robot))

    def make_task(self) -> Task:
        """The configured task, observed as the robots' joints need it."""
        arm = next(iter(self.robots.values())).arm
        turning = arm.continuous or ()
        return make_task(self.task_name, self.task, len(arm.joints), [joint in turning for joint in arm.joints])

    @property
    def sensor_settings(self) -> dict[str, dict[str, Any]]:
        """Settings of sensors by their names: what the task needs of its own, and over it what is configured."""
        return merge(self.make_task().sensor_settings, self.sensors)

    def control_settings(self, robot: str, simulated_time: bool) -> VelocityControlConfig:
        """The settings of a robot's velocity controller, on the clock in use.

        Sensors that are made imperfect on purpose do not show whether a simulated arm follows.
        """
        own = self.robot(robot)
        following = own.velocity_control.following
        if not own.real and self.simulator.imperfections != ImperfectionConfig():
            following = msgspec.structs.replace(following, enabled=False)
        return msgspec.structs.replace(own.velocity_control, simulated_time=simulated_time, following=following)

    def algorithm_config(self) -> Config:
        """The algorithm's configuration record."""
        return build(algorithm_config_type(self.algorithm_name), self.algorithm, "algorithm")


def save(config: RunConfig, path: Path) -> None:
    """Write the resolved configuration, with every default spelled out; what robots have in common is written once."""
    values = msgspec.to_builtins(config)
    common: list[Any] = []
    for robot in values["robots"].values():
        for key, own in robot.items():
            if not isinstance(own, (dict, list, tuple)) or not own:
                continue
            if own in common:
                robot[key] = common[common.index(own)]  # the same object: an alias of YAML
            else:
                common.append(own)
    replace_file(path, to_yaml(values).encode())


def record_of(values: Mapping[str, Any], where: str = "", arms: bool = True) -> RunConfig:
    """The record of composed `values`, with the defaults of task, algorithm and sensors spelled out.

    With `arms` their descriptions are loaded, to see that they can be. Not every process that reads a run needs them;
    what the record holds of them was found when the run was begun.

    Raises:
        UnknownNameError: unknown task, algorithm or configuration key, with the valid ones.
        ConfigError: a value of the wrong type or range, or values that contradict.
        RobotModelError: the URDF lacks what an arm's description names.
    """
    config = build(RunConfig, values, where)
    config = msgspec.structs.replace(config, robots=with_fetched(config.robots))
    counts = {name: len(robot.arm.joints) for name, robot in config.robots.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise ConfigError(f"robots that share a policy must have equally many joints: {told}")
    for name, robot in config.robots.items():
        if config.simulation.answer_timeout_s >= robot.velocity_control.wall_limit_s:
            raise ConfigError(
                f"simulation.answer_timeout_s ({config.simulation.answer_timeout_s} s) must be less than "
                f"velocity_control.wall_limit_s of {name!r} ({robot.velocity_control.wall_limit_s} s)"
            )
    if arms or any(robot.arm.continuous is None for robot in config.robots.values()):
        config = _with_continuous_joints(config)
    task = config.make_task()
    settings = config.sensor_settings
    sensors = set(settings)
    for name in arms_of(config):
        own = config.robot(name)
        check_gripper(own.gripper, task.action_spec.gripper_size, name)
        gripper = own.gripper.joints if own.gripper is not None else ()
        made = make_sensors(task.sensors, own.arm.joints, settings, gripper)
        sensors |= {sensor.name for sensor in made} | {provider.takes for provider in providers(made)}
        _check_pictures(task, made)
    steps_per_period(task.control_period_s, config.simulator.physics_step_s)
    check_pictures(config.algorithm_name, task.observation_spec.images)
    task_record = build(TASKS[config.task_name].config, config.task, "task")
    return msgspec.structs.replace(
        config,
        task=msgspec.to_builtins(task_record),
        algorithm=msgspec.to_builtins(config.algorithm_config()),
        sensors={name: msgspec.to_builtins(sensor_config(name, settings)) for name in sorted(sensors)},
    )


def _check_pictures(task: Task, sensors: Sequence[Sensor]) -> None:
    """Whether sensors give pictures of the size that the task observes.

    Raises:
        ConfigError: they do not.
    """
    given = {spec.name: spec.shape for sensor in sensors for spec in sensor.specs}
    for image in task.observation_spec.images:
        if given.get(image.name, image.shape) != image.shape:
            (height, width, _), (rows, columns, _) = image.shape, given[image.name]
            raise ConfigError(
                f"task {task.name!r} observes pictures of {height} x {width} (height x width), sensors.{image.name} "
                f"gives {rows} x {columns}: set both to the same"
            )


def _with_continuous_joints(config: RunConfig) -> RunConfig:
    """`config` with `arm.continuous` of every robot as its description says, which is loaded for that."""
    found: dict[str, RobotConfig] = {}
    known: list[tuple[ArmConfig, ArmConfig]] = []
    for name, robot in config.robots.items():
        arm = next((resolved for given, resolved in known if given == robot.arm), None)
        if arm is None:
            arm = robot.arm.with_continuous()
            known.append((robot.arm, arm))
        found[name] = msgspec.structs.replace(robot, arm=arm)
    kinds = {tuple(joint in (robot.arm.continuous or ()) for joint in robot.arm.joints) for robot in found.values()}
    if len(kinds) > 1:
        told = ", ".join(
            f"{name} has {', '.join(robot.arm.continuous or ()) or 'none'}" for name, robot in found.items()
        )
        raise ConfigError(f"robots that share a policy must have the same continuous joints: {told}")
    return msgspec.structs.replace(config, robots=found)


def arms_of(config: RunConfig) -> list[str]:
    """Names of robots, one for each different arm, gripper, safety and backend."""
    seen: list[tuple] = []
    names = []
    for name, robot in config.robots.items():
        if (own := (robot.arm, robot.gripper, robot.safety, robot.backend)) not in seen:
            seen.append(own)
            names.append(name)
    return names


def check_robot(config: RunConfig, robot: str) -> str:
    """`robot` if the run has it.

    Raises:
        UnknownNameError: listing the robots of the run.
    """
    if robot not in config.robots:
        raise UnknownNameError("robot", robot, config.robots)
    return robot
