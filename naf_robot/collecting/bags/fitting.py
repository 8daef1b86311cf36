"""Whether a recorded episode is one of the task on the arm that it is read for."""

import math

import numpy as np

from naf_robot.arm.control.actions import BoundActions
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.experience.episode_event import EpisodeEvent
from naf_robot.tasks.task import Task

SAME = 1e-6  # relative difference of two scales that mean the same


def misfit(event: EpisodeEvent, task: Task, model: ArmModel, actions: BoundActions) -> str | None:
    """Why the episode that begins with `event` is not one of `task` on this arm, None if it is."""
    if event.task != task.name:
        return f"it is of task {event.task!r}, not of {task.name!r}"
    if list(event.joints) != list(model.joint_names):
        own = list(model.joint_names)
        return f"its joints are {event.joints}, those of this robot {own}; --robot names a profile"
    if event.observation_spec != task.observation_spec.hash:
        return f"it is of observation spec {event.observation_spec!r}, not of {task.observation_spec.hash!r}"
    scale = actions.max_joint_velocity
    if not np.allclose(event.max_joint_velocity, scale, rtol=SAME, atol=0.0):
        return (
            f"an action of 1 was {event.max_joint_velocity} rad/s and is {scale.tolist()} rad/s here; "
            "give the collector.action_velocity of the recorded run with --set"
        )
    if not math.isclose(event.control_period_s, task.control_period_s, rel_tol=SAME):
        return f"its control period is {event.control_period_s} s, the task's {task.control_period_s} s"
    return None
