"""Picking up a stick that hangs on a string and holding it at a target (Gu et al. 2016, V-A.3)."""

from typing import Any

import msgspec
import numpy as np

from naf_robot.core.array_spec import ArraySpec, Observation, ObservationSpec
from naf_robot.core.records import FloatArray
from naf_robot.core.types import NonNegativeFloat, PositiveFloat, PositiveInt, Vector3
from naf_robot.sensing.geometry_poses import POSITION, ROTATION
from naf_robot.sensing.signals import Signals, observe
from naf_robot.tasks.rewards import huber
from naf_robot.tasks.task import EFFORT_NAMES, EpisodeConfig, Task

STICK = "stick"
FINGERTIPS = ("finger_1_tip", "finger_2_tip", "finger_3_tip")
ARM = ("shoulder", "upper_arm", "elbow", "forearm", "wrist", "flange", "palm")
FINGERS = ("finger_1_base", "finger_2_base", "finger_3_base")
GEOMETRIES = (*ARM, *FINGERS, *FINGERTIPS, STICK)  # all that move, as the arm's description and the scene name them
STICK_POSITION = STICK + POSITION
TIP_POSITIONS = tuple(name + POSITION for name in FINGERTIPS)


class PickPlaceConfig(EpisodeConfig, frozen=True):
    """Targets are uniform in a horizontal square; weights are ours, the paper publishes none."""

    control_period_s: PositiveFloat = 0.01  # time between two actions
    episode_steps: PositiveInt = 300  # actions after which an episode is truncated
    actions: dict[str, Any] = msgspec.field(
        default_factory=lambda: {"kind": "joint_velocity", "gripper": 3}
    )  # kind of action and its settings; a torque for each finger
    target_centre: Vector3 = (0.5, 0.0, 0.6)  # [m], centre of the square of targets, base frame
    target_size: PositiveFloat = 0.24  # [m], edge of the square, at a fixed height
    success_distance: PositiveFloat = 0.05  # distance of the stick from the target within which it is a success [m]
    stick_weight: NonNegativeFloat = 10.0  # weight c1 of the distance of stick and target [1/m]
    finger_weight: NonNegativeFloat = 3.0  # weight c2 of the distance of stick and each fingertip [1/m]
    grip_weight: NonNegativeFloat = 5.0  # weight c3 of the distance of stick and grip centre [1/m]
    action_weight: NonNegativeFloat = 0.003  # weight c4 of the executed action's squared norm
    projection_weight: NonNegativeFloat = 0.03  # weight of the squared norm of the safety projection's change
    huber_delta: PositiveFloat = 0.05  # distance at which the Huber distance becomes linear [m]
    ready_distance: PositiveFloat = 0.15  # [m] from the grip centre within which the stick hangs as an episode begins


class PickPlace(Task):
    """Close the fingers around the stick, and carry it to the target.

    r = -c1 d(s, g) - c2 sum_i d(s, f_i) - c3 d(y, s) - c4 u'u - c5 |w - u|^2 with s the stick, g the target, f_i the
    three fingertips, y the grip centre, which is the tool, and d the Huber distance; the last term, ours, is what the
    safety projection took from the requested action w.
    """

    name = "pick_place"
    instruction = "Grasp the hanging stick and hold it at the target."
    scene = "pick_place"
    reward_names: tuple[str, ...] = ("stick", "fingers", "grip", *EFFORT_NAMES)
    distance_unit = "m"
    success_once: bool = False
    sensors = ("geometry_poses",)
    required_signals = (STICK_POSITION, *TIP_POSITIONS)

    def __init__(self, config: PickPlaceConfig, joint_count: int) -> None:
        self.config = config
        self.action_spec = config.action_spec()
        self.control_period_s = config.control_period_s
        self.episode_steps = config.episode_steps
        self.sensor_settings = {"geometry_poses": {"names": GEOMETRIES}}
        poses = [
            ArraySpec(name + ending, (size,), unit, "base")
            for name in GEOMETRIES
            for ending, size, unit in ((POSITION, 3, "m"), (ROTATION, 9, ""))
        ]
        self.observation_spec = ObservationSpec(
            "pick_place",
            (
                ArraySpec("joint_position", (joint_count,), "rad"),
                *poses,
                ArraySpec("target", (3,), "m", "base"),
                ArraySpec("stick_to_target", (3,), "m", "base"),
            ),
        )

    def sample_goal(self, random: np.random.Generator) -> Signals:
        """A target uniform in the square."""
        offset = random.uniform(-0.5, 0.5, 3) * np.array([self.config.target_size, self.config.target_size, 0.0])
        return {"target": np.asarray(self.config.target_centre) + offset}

    def goal_position(self, goal: Signals) -> FloatArray:
        """The target (3,) [m]."""
        return goal["target"]

    def ready(self, signals: Signals) -> bool:
        """The stick hangs where the hand begins."""
        if STICK_POSITION not in signals:
            return False
        away = float(np.linalg.norm(signals[STICK_POSITION] - signals["tool_position"]))
        return away <= self.config.ready_distance

    def observation(self, signals: Signals, goal: Signals) -> Observation:
        """What is sensed, the target, and the way of the stick to it."""
        way = {"stick_to_target": goal["target"] - signals[STICK_POSITION]}
        return observe(self.observation_spec, signals | way, goal)

    def reward_terms(self, signals: Signals, goal: Signals, executed: FloatArray, requested: FloatArray) -> FloatArray:
        """Stick, fingers, grip, action and projection terms, shape (5,)."""
        config, stick = self.config, signals[STICK_POSITION]
        placed = huber(stick - goal["target"], config.huber_delta)
        fingers = sum(huber(stick - signals[tip], config.huber_delta) for tip in TIP_POSITIONS)
        gripped = huber(signals["tool_position"] - stick, config.huber_delta)
        return np.array(
            [
                -config.stick_weight * placed,
                -config.finger_weight * fingers,
                -config.grip_weight * gripped,
                *config.effort_terms(executed, requested),
            ]
        )

    def success(self, signals: Signals, goal: Signals) -> bool:
        """The stick is within the success distance of the target."""
        return self.distance(signals, goal) <= self.config.success_distance

    def distance(self, signals: Signals, goal: Signals) -> float:
        """Stick to target [m]."""
        return float(np.linalg.norm(signals[STICK_POSITION] - goal["target"]))
