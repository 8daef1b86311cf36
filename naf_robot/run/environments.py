"""Gymnasium environments of all tasks, made from the tasks' configuration files."""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np

from naf_robot.arm.model.config import ArmConfig
from naf_robot.arm.model.limits import JointLimits
from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.core.errors import ConfigError
from naf_robot.core.records import FloatArray
from naf_robot.run.config import RunConfig, resolve
from naf_robot.sim.gym_env import TaskEnv
from naf_robot.sim.mujoco.scenes import make_scene
from naf_robot.sim.mujoco.world import MujocoSimulator
from naf_robot.sim.simulator import Simulator
from naf_robot.sim.simulator_group import SimulatorGroup
from naf_robot.tasks.registry import TASKS


def action_velocity(config: RunConfig, limits: JointLimits) -> FloatArray:
    """Joint velocities (n,) [rad/s] that a full action asks for: the configured one, or the joint's limit below it."""
    return np.minimum(config.collector.action_velocity, limits.max_velocity)


def make_simulator(config: RunConfig, robots: tuple[str, ...]) -> Simulator:
    """The simulated worlds of `robots` for the task of `config`; one simulator for those with the same arm."""
    task = config.make_task()
    arms: list[ArmConfig] = []
    for robot in robots:
        if config.robot(robot).arm not in arms:
            arms.append(config.robot(robot).arm)
    simulators = []
    for arm in arms:
        scene = make_scene(task.scene, config.simulator.scene, config.seed)
        alike = tuple(robot for robot in robots if config.robot(robot).arm == arm)
        simulators.append(MujocoSimulator(arm, scene, config.simulator, task.control_period_s, alike, config.seed))
    return simulators[0] if len(simulators) == 1 else SimulatorGroup(simulators)


def make_environment(config: RunConfig) -> TaskEnv:
    """The task of `config` as a Gymnasium environment with one robot."""
    robot, own = next(iter(config.robots.items()))
    projection = SafetyProjection(own.arm.model(), own.safety)
    velocity = action_velocity(config, projection.limits)
    return TaskEnv(config.make_task(), make_simulator(config, (robot,)), projection, velocity, robot)


def make_registered(task: str, overrides: Mapping[str, Any] | None = None) -> TaskEnv:
    """Entry point of the registered environments; `overrides` is a nested mapping over the task's file."""
    return make_environment(resolve(task, overrides=[overrides or {}]))


def make_by_id(identifier: str) -> gymnasium.Env:
    """Any Gymnasium environment that is registered, ours among them.

    Raises:
        ConfigError: there is none of that id.
    """
    register()
    try:
        return gymnasium.make(identifier)
    except gymnasium.error.Error as error:
        raise ConfigError(f"cannot make environment {identifier!r}: {error}") from None


def register() -> None:
    """Register every task with Gymnasium; called by its plugin loader and safe to call again."""
    for name, entry in TASKS.items():
        if entry.gymnasium_id not in gymnasium.registry:
            gymnasium.register(
                entry.gymnasium_id,
                entry_point="naf_robot.run.environments:make_registered",
                kwargs={"task": name},
            )
