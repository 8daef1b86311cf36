"""Tasks by name. `register` adds one, also from outside this package."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from naf_robot.core.config import build
from naf_robot.core.errors import ConfigError
from naf_robot.core.registry import Registry
from naf_robot.sensing.signals import for_continuous_joints
from naf_robot.tasks.door import Door, DoorPullConfig, DoorPushConfig, DoorRealConfig, RealDoor
from naf_robot.tasks.pick_place import PickPlace, PickPlaceConfig
from naf_robot.tasks.reach import Reach, ReachConfig
from naf_robot.tasks.reach_camera import ReachCamera, ReachCameraConfig
from naf_robot.tasks.task import EpisodeConfig, Task


@dataclass(frozen=True)
class TaskEntry:
    """A task's configuration record, its constructor (config, joint count), and its Gymnasium name.

    `file` is the YAML file of a run of this task: arm, safety and what differs from the defaults. Without one it is
    `config/tasks/<name>.yaml` of the package; a task without either takes everything from the user's own file.
    """

    config: type[EpisodeConfig]
    make: Callable[[Any, int], Task]
    gymnasium_id: str
    file: Path | None = None


TASKS: Registry[TaskEntry] = Registry(
    "task",
    {
        "reach": TaskEntry(ReachConfig, Reach, "naf_robot/Reach-v0"),
        "reach_camera": TaskEntry(ReachCameraConfig, ReachCamera, "naf_robot/ReachCamera-v0"),
        "door_push": TaskEntry(DoorPushConfig, partial(Door, "door_push"), "naf_robot/DoorPush-v0"),
        "door_pull": TaskEntry(DoorPullConfig, partial(Door, "door_pull"), "naf_robot/DoorPull-v0"),
        "door_real": TaskEntry(DoorRealConfig, partial(RealDoor, "door_real"), "naf_robot/DoorReal-v0"),
        "pick_place": TaskEntry(PickPlaceConfig, PickPlace, "naf_robot/PickPlace-v0"),
    },
)


def register(name: str, entry: TaskEntry) -> None:
    """Add a task.

    Raises:
        ConfigError: there is one of that name, or another one has its Gymnasium name.
    """
    if other := [known for known, e in TASKS.items() if known != name and e.gymnasium_id == entry.gymnasium_id]:
        raise ConfigError(f"{entry.gymnasium_id!r} is the Gymnasium name of task {other[0]!r} already")
    TASKS.register(name, entry)


def make_task(name: str, values: Mapping[str, Any], joint_count: int, continuous: Sequence[bool] = ()) -> Task:
    """Task `name` configured from plain `values` (defaults where they are silent).

    Joints that are `continuous` (joint_count,) are observed by sine and cosine, whatever the task; empty: none is.
    """
    entry = TASKS[name]
    task = entry.make(build(entry.config, values, "task"), joint_count)
    task.observation_spec = for_continuous_joints(task.observation_spec, continuous)
    return task
