"""Gymnasium environments of all tasks, made from the tasks' configuration files; `naf_robot.gym` registers them."""

from collections.abc import Mapping
from typing import Any

import gymnasium

from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.core.errors import ConfigError
from naf_robot.core.plugins import load_plugins
from naf_robot.run.config import RunConfig, resolve
from naf_robot.run.robot_parts import bound_actions, moved_gripper, policy_actions, task_sensors
from naf_robot.run.worlds import make_simulator
from naf_robot.sim.gym_env import TaskEnv
from naf_robot.tasks.registry import TASKS


def make_environment(config: RunConfig) -> TaskEnv:
    """The task of `config` as a Gymnasium environment with one robot."""
    robot, own = next(iter(config.robots.items()))
    projection = SafetyProjection(own.arm.model(), own.safety)
    actions = bound_actions(config, projection.model, projection.limits)
    corrected = policy_actions(config, projection.model, actions)
    simulator, sensors = make_simulator(config, (robot,)), task_sensors(config, robot)
    return TaskEnv(
        config.make_task(),
        simulator,
        projection,
        actions,
        robot,
        sensors,
        corrected,
        moved_gripper(config, robot),
    )


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
    """Register every task with Gymnasium; `import naf_robot.gym` does it; safe to call again."""
    load_plugins()
    for name, entry in TASKS.items():
        if entry.gymnasium_id not in gymnasium.registry:
            gymnasium.register(
                entry.gymnasium_id,
                entry_point="naf_robot.run.environments:make_registered",
                kwargs={"task": name},
            )
