"""Scripted policies by task. `register` adds one, also from outside this package."""

from collections.abc import Callable
from typing import Any

from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.core.registry import Registry
from naf_robot.tasks.scripted.door import DoorScript
from naf_robot.tasks.scripted.pick_place import PickPlaceScript
from naf_robot.tasks.scripted.policy import ScriptedArm, ScriptedPolicy
from naf_robot.tasks.scripted.reach import ReachScript
from naf_robot.tasks.task import Task

MakeScript = Callable[[Any, ScriptedArm], ScriptedPolicy]

SCRIPTED: Registry[MakeScript] = Registry(
    "scripted policy",
    {
        "reach": ReachScript,
        "reach_camera": ReachScript,
        "door_push": DoorScript,
        "door_pull": DoorScript,
        "door_real": DoorScript,
        "pick_place": PickPlaceScript,
    },
)
WITHOUT: dict[str, str] = {}  # tasks of ours that have none, and why
register = SCRIPTED.register


def make_scripted(task: Task, arm: ScriptedArm) -> ScriptedPolicy:
    """The scripted policy of `task`.

    Raises:
        ConfigError: the task has none, and why; or those that have one are listed.
    """
    if task.name in WITHOUT:
        raise ConfigError(f"task {task.name!r} has no scripted policy: {WITHOUT[task.name]}")
    if task.name not in SCRIPTED:
        raise UnknownNameError("scripted policy for task", task.name, SCRIPTED)
    return SCRIPTED[task.name](task, arm)
