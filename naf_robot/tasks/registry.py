"""Tasks by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from naf_robot.core.config import build
from naf_robot.core.errors import UnknownNameError
from naf_robot.tasks.door import Door, DoorPullConfig, DoorPushConfig, DoorRealConfig, RealDoor
from naf_robot.tasks.reach import Reach, ReachConfig
from naf_robot.tasks.task import EpisodeConfig, Task


@dataclass(frozen=True)
class TaskEntry:
    """A task's configuration record, its constructor (config, joint count), and its Gymnasium name."""

    config: type[EpisodeConfig]
    make: Callable[[Any, int], Task]
    gymnasium_id: str


TASKS: dict[str, TaskEntry] = {
    "reach": TaskEntry(ReachConfig, Reach, "naf_robot/Reach-v0"),
    "door_push": TaskEntry(DoorPushConfig, partial(Door, "door_push"), "naf_robot/DoorPush-v0"),
    "door_pull": TaskEntry(DoorPullConfig, partial(Door, "door_pull"), "naf_robot/DoorPull-v0"),
    "door_real": TaskEntry(DoorRealConfig, partial(RealDoor, "door_real"), "naf_robot/DoorReal-v0"),
}


def task_entry(name: str) -> TaskEntry:
    """The entry of task `name`.

    Raises:
        UnknownNameError: listing the tasks there are.
    """
    if name not in TASKS:
        raise UnknownNameError("task", name, TASKS)
    return TASKS[name]


def make_task(name: str, values: Mapping[str, Any], joint_count: int) -> Task:
    """Task `name` configured from plain `values` (defaults where they are silent)."""
    entry = task_entry(name)
    return entry.make(build(entry.config, values, "task"), joint_count)
