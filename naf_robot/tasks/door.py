"""Opening a door: push and pull in simulation, and the protocol of the real robots (Gu et al. 2016, V-A.2 and VI)."""

from typing import Annotated, Literal

import msgspec
import numpy as np

from naf_robot.core.array_spec import ArraySpec, ObservationSpec
from naf_robot.core.errors import ConfigError
from naf_robot.core.records import FloatArray
from naf_robot.core.types import NonNegativeFloat, PositiveFloat, PositiveInt, Vector3
from naf_robot.sensing import rotation
from naf_robot.sensing.signals import Signals
from naf_robot.tasks.door_geometry import HINGE_AXIS, LEVER_AXIS, DoorGeometry
from naf_robot.tasks.rewards import huber
from naf_robot.tasks.task import EFFORT_NAMES, EpisodeConfig, Task

SHUT = rotation.about_axis(HINGE_AXIS, 0.0)

Angle = Annotated[float, msgspec.Meta(gt=0.0, le=1.5)]  # [rad]


class DoorConfig(EpisodeConfig, frozen=True):
    """Where the door stands and what opening it is worth; weights are ours, the paper publishes none."""

    episode_steps: PositiveInt = 300  # actions after which an episode is truncated
    direction: Literal["pull", "push"] = "pull"  # direction in which the door is opened
    geometry: DoorGeometry = DoorGeometry()
    frame_position: Vector3 = (0.84, 0.28, 0.55)  # [m], position of the hinge at the lever's height, base frame
    frame_spread: tuple[NonNegativeFloat, NonNegativeFloat] = (0.1, 0.2)  # [m], sides of the rectangle along x and y
    success_moment: Literal["any", "end"] = "any"  # when in the episode the door must be open
    success_angle: Angle = 0.17453292519943295  # [rad] angle at which the door counts as open: ten degrees
    goal_door_angle: Angle = 1.2  # [rad] angle of the opened door, in the right direction
    goal_handle_angle: Angle = 1.2  # [rad] angle of the turned lever
    handle_weight: NonNegativeFloat = 3.0  # weight c1 of the distance to the handle [1/m]
    huber_delta: PositiveFloat = 0.1  # distance at which the Huber distance becomes linear [m]
    opening_weight: NonNegativeFloat = 3.0  # weight c2 of the opening [1/rad]
    action_weight: NonNegativeFloat = 0.001  # weight c3 of the executed action's squared norm
    closed_angle: Angle = 0.03  # [rad] angle in both directions within which the door counts as closed
    handle_closed_angle: Angle = 0.2  # [rad] angle of the lever at rest

    @property
    def sign(self) -> float:
        """Of the hinge's angle in the right direction."""
        return 1.0 if self.direction == "pull" else -1.0


class Door(Task):
    """Turn the lever of a door that stands at a random place, and open it.

    r = -c1 d(h, e) + c2 (d_i - d(q_o, q)) - c3 u'u - c4 |w - u|^2 with h the resting handle, e the
    tool, q the handle's orientation, q_o that of the turned handle on the opened door and d_i its
    distance from the closed door's, so that the right motion is worth more than nothing. d of
    positions is the Huber distance, d of orientations the angle between them.
    """

    scene = "door"
    reward_names: tuple[str, ...] = ("handle", "opening", *EFFORT_NAMES)
    distance_unit = "rad"
    sensors: tuple[str, ...] = ("door_state",)
    required_signals: tuple[str, ...] = ("door_angle", "handle_angle")

    def __init__(self, name: str, config: DoorConfig, joint_count: int) -> None:
        self.name = name
        self.instruction = f"Turn the handle and {config.direction} the door open."
        self.config = config
        self.action_spec = config.action_spec()
        self.control_period_s = config.control_period_s
        self.episode_steps = config.episode_steps
        self.success_once = config.success_moment == "any"
        self.observation_spec = ObservationSpec(name, (*_arm_fields(joint_count), *self._door_fields()))
        self._opened = self._goal_orientation()
        self._offset = rotation.distance(SHUT, self._opened)

    def sample_goal(self, random: np.random.Generator) -> Signals:
        """A place of the door's frame, uniform in the rectangle, and with it the resting handle's."""
        spread = np.array([*self.config.frame_spread, 0.0])
        frame = np.asarray(self.config.frame_position) + random.uniform(-0.5, 0.5, 3) * spread
        return {"door_frame": frame, "handle_rest": frame + np.asarray(self.config.geometry.handle_rest)}

    def goal_position(self, goal: Signals) -> FloatArray:
        """The door's frame (3,) [m]."""
        return goal["door_frame"]

    def ready(self, signals: Signals) -> bool:
        """The door is closed, and its lever at rest where that is sensed."""
        lever = signals.get("handle_angle", np.zeros(1))
        return (
            "door_angle" in signals
            and abs(float(signals["door_angle"][0])) < self.config.closed_angle
            and abs(float(lever[0])) < self.config.handle_closed_angle
        )

    def reward_terms(self, signals: Signals, goal: Signals, executed: FloatArray, requested: FloatArray) -> FloatArray:
        """Handle, opening, action and projection terms, shape (4,)."""
        config = self.config
        reach = huber(signals["tool_position"] - goal["handle_rest"], config.huber_delta)
        opening = self._offset - rotation.distance(self._orientation(signals), self._opened)
        effort = config.effort_terms(executed, requested)
        return np.array([-config.handle_weight * reach, config.opening_weight * opening, *effort])

    def success(self, signals: Signals, goal: Signals) -> bool:
        """The door stands open by the success angle or more, in the right direction."""
        return self.distance(signals, goal) <= 0.0

    def distance(self, signals: Signals, goal: Signals) -> float:
        """What is missing to the success angle [rad], zero once it is reached."""
        return max(0.0, self.config.success_angle - self.config.sign * float(signals["door_angle"][0]))

    def _door_fields(self) -> tuple[ArraySpec, ...]:
        return (
            ArraySpec("handle_rest", (3,), "m", "base"),
            ArraySpec("door_frame", (3,), "m", "base"),
            ArraySpec("door_angle", (1,), "rad"),
            ArraySpec("handle_angle", (1,), "rad"),
        )

    def _goal_orientation(self) -> FloatArray:
        return _handle(self.config.sign * self.config.goal_door_angle, self.config.goal_handle_angle)

    def _orientation(self, signals: Signals) -> FloatArray:
        return _handle(float(signals["door_angle"][0]), float(signals["handle_angle"][0]))


class RealDoor(Door):
    """The real robots' protocol: one place, and an IMU on the door's back as its only sensor.

    The IMU does not measure the lever's rotation, so q in the reward is the door's orientation.
    """

    sensors: tuple[str, ...] = ("door_state", "door_orientation")
    required_signals: tuple[str, ...] = ("door_angle", "door_orientation")

    def __init__(self, name: str, config: DoorConfig, joint_count: int) -> None:
        if config.frame_spread != (0.0, 0.0):
            raise ConfigError(
                f"task {name!r} does not observe where the door stands: frame_spread must be (0, 0), "
                f"got {config.frame_spread}"
            )
        super().__init__(name, config, joint_count)

    def _door_fields(self) -> tuple[ArraySpec, ...]:
        return (ArraySpec("door_orientation", (4,), "", "base"),)

    def _goal_orientation(self) -> FloatArray:
        return rotation.about_axis(HINGE_AXIS, self.config.sign * self.config.goal_door_angle)

    def _orientation(self, signals: Signals) -> FloatArray:
        return signals["door_orientation"]


class DoorPullConfig(DoorConfig, frozen=True):
    """Defaults of `door_pull`."""


class DoorPushConfig(DoorConfig, frozen=True):
    """Defaults of `door_push`."""

    direction: Literal["pull", "push"] = "push"  # direction in which the door is opened


class DoorRealConfig(DoorConfig, frozen=True):
    """Defaults of `door_real`."""

    frame_spread: tuple[NonNegativeFloat, NonNegativeFloat] = (0.0, 0.0)


def _arm_fields(joint_count: int) -> tuple[ArraySpec, ...]:
    return (
        ArraySpec("joint_position", (joint_count,), "rad"),
        ArraySpec("joint_velocity", (joint_count,), "rad/s"),
        ArraySpec("tool_position", (3,), "m", "base"),
    )


def _handle(door_angle: float, handle_angle: float) -> FloatArray:
    return rotation.product(rotation.about_axis(HINGE_AXIS, door_angle), rotation.about_axis(LEVER_AXIS, handle_angle))
