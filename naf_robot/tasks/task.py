"""The contract of a task: what is observed, rewarded and called success, and where episodes start."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

import msgspec
import numpy as np

from naf_robot.arm.control.actions import ActionSpec, make_action_spec
from naf_robot.core.array_spec import Observation, ObservationSpec
from naf_robot.core.config import Config
from naf_robot.core.records import FloatArray
from naf_robot.core.types import NonNegativeFloat, PositiveFloat, PositiveInt
from naf_robot.sensing.signals import Signals, observe


class EpisodeConfig(Config, frozen=True):
    """Timing shared by every task."""

    control_period_s: PositiveFloat = 0.05  # time between two actions
    episode_steps: PositiveInt = 150  # actions after which an episode is truncated
    action_weight: NonNegativeFloat = 0.01  # weight of the executed action's squared norm
    projection_weight: NonNegativeFloat = 1.0  # weight of the squared norm of the safety projection's change
    actions: dict[str, Any] = msgspec.field(default_factory=dict)  # kind of action and its settings

    def __post_init__(self) -> None:
        self.action_spec()

    def action_spec(self) -> ActionSpec:
        """The kind of action and its settings."""
        return make_action_spec(self.actions)

    def effort_terms(self, executed: FloatArray, requested: FloatArray) -> tuple[float, float]:
        """The weighted terms that every task has: `action` and `projection`."""
        taken = requested - executed
        return -self.action_weight * float(executed @ executed), -self.projection_weight * float(taken @ taken)


EFFORT_NAMES = ("action", "projection")


class Task(Protocol):
    """A skill to learn. Stateless: everything an episode needs is in its `goal`.

    A task that inherits from this class needs no sensors but the joint states, is always ready and has no real end,
    unless it says otherwise. `signals` are the named sensor values of `sensing.signals`; `goal` holds named arrays too,
    drawn once per episode; `executed` and `requested` are the action after and before the safety
    projection, in [-1, 1], shape (A,).
    """

    name: str
    instruction: str = ""  # what the robot is to do, one sentence for people and for policies that take words
    scene: str  # the simulated scene that the task needs
    action_spec: ActionSpec  # the kind of action and its settings
    distance_unit: str  # of `distance`: m, or rad where the goal is an angle
    control_period_s: float
    episode_steps: int
    observation_spec: ObservationSpec
    reward_names: tuple[str, ...]
    success_once: bool  # one instant of success makes the episode one; else its last instant decides
    sensors: tuple[str, ...] = ()  # names of the sensors that it needs, besides the joint states
    sensor_settings: Mapping[str, Mapping[str, Any]] = MappingProxyType({})  # what it needs them to be, by their names
    required_signals: tuple[str, ...] = ()  # of what they give: without one of these no step is taken

    def sample_goal(self, random: np.random.Generator) -> Signals:
        """Draw what varies between episodes."""
        ...

    def goal_position(self, goal: Signals) -> FloatArray:
        """The one point (3,) [m], base frame, that places the goal in the world (and in RViz)."""
        ...

    def ready(self, signals: Signals) -> bool:
        """Whether an episode may begin (a door must be closed again)."""
        return True

    def observation(self, signals: Signals, goal: Signals) -> Observation:
        """The named arrays of `observation_spec`: what is sensed, and what of the goal is observed.

        Raises:
            NafRobotError: an array that neither holds, or one of the wrong size.
            SpecError: a value that is not finite.
        """
        return observe(self.observation_spec, signals, goal)

    def reward_terms(self, signals: Signals, goal: Signals, executed: FloatArray, requested: FloatArray) -> FloatArray:
        """Weighted reward terms in the order of `reward_names`, shape (K,); the reward is their sum."""
        ...

    def success(self, signals: Signals, goal: Signals) -> bool:
        """Whether the skill is achieved at this instant."""
        ...

    def terminated(self, signals: Signals, goal: Signals) -> bool:
        """Whether the episode has come to a real end, after which there is no future to expect; not a time limit."""
        return False

    def distance(self, signals: Signals, goal: Signals) -> float:
        """How far success is, in `distance_unit`."""
        ...
