"""Random-target reaching (Gu et al. 2016, section V-A.1)."""

import numpy as np

from naf_robot.core.array_spec import ArraySpec, ObservationSpec
from naf_robot.core.records import FloatArray
from naf_robot.core.types import NonNegativeFloat, PositiveFloat, Vector3
from naf_robot.sensing.signals import Signals
from naf_robot.tasks.rewards import huber
from naf_robot.tasks.task import EFFORT_NAMES, EpisodeConfig, Task


class ReachConfig(EpisodeConfig, frozen=True):
    """Targets are uniform in a cube; weights are ours, the paper publishes none."""

    target_centre: Vector3 = (0.55, 0.0, 0.45)  # [m], centre of the cube of targets, base frame
    target_size: PositiveFloat = 0.2  # [m], edge of the cube of targets
    success_distance: PositiveFloat = 0.05  # distance from the target within which the episode is a success [m]
    distance_weight: NonNegativeFloat = 3.0  # weight c1 of the distance to the target [1/m]
    action_weight: NonNegativeFloat = 0.003  # weight c2 of the executed action's squared norm
    projection_weight: NonNegativeFloat = 0.3  # weight c3 of the squared norm of the safety projection's change
    huber_delta: PositiveFloat = 0.05  # distance at which the Huber distance becomes linear [m]


class Reach(Task):
    """Bring the tool to a random target and hold it there.

    r = -c1 d(y, e) - c2 u'u - c3 |w - u|^2 with d the Huber distance between target y and tool position e;
    the last term, ours, is what the safety projection took from the requested action w.
    """

    name = "reach"
    instruction = "Move the tool to the target and hold it there."
    scene = "free"
    reward_names: tuple[str, ...] = ("distance", *EFFORT_NAMES)
    distance_unit = "m"
    success_once: bool = False

    def __init__(self, config: ReachConfig, joint_count: int) -> None:
        self.config = config
        self.action_spec = config.action_spec()
        self.control_period_s = config.control_period_s
        self.episode_steps = config.episode_steps
        self.observation_spec = ObservationSpec(
            "reach",
            (
                ArraySpec("joint_position", (joint_count,), "rad"),
                ArraySpec("joint_velocity", (joint_count,), "rad/s"),
                ArraySpec("tool_position", (3,), "m", "base"),
                ArraySpec("target", (3,), "m", "base"),
            ),
        )

    def sample_goal(self, random: np.random.Generator) -> Signals:
        """A target uniform in the cube."""
        offset = random.uniform(-0.5, 0.5, 3) * self.config.target_size
        return {"target": np.asarray(self.config.target_centre) + offset}

    def goal_position(self, goal: Signals) -> FloatArray:
        """The target (3,) [m]."""
        return goal["target"]

    def reward_terms(self, signals: Signals, goal: Signals, executed: FloatArray, requested: FloatArray) -> FloatArray:
        """Distance, action and projection terms, shape (3,)."""
        distance = huber(signals["tool_position"] - goal["target"], self.config.huber_delta)
        return np.array([-self.config.distance_weight * distance, *self.config.effort_terms(executed, requested)])

    def success(self, signals: Signals, goal: Signals) -> bool:
        """The tool is within the success distance of the target."""
        return self.distance(signals, goal) <= self.config.success_distance

    def distance(self, signals: Signals, goal: Signals) -> float:
        """Tool to target [m]."""
        return float(np.linalg.norm(signals["tool_position"] - goal["target"]))
