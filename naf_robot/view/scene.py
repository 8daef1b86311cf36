"""The state that is shown: one per robot, from messages or from stored steps; whatever draws it reads it."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from naf_robot.core.errors import NafRobotError, RobotModelError
from naf_robot.core.records import FloatArray
from naf_robot.run.config import RunConfig
from naf_robot.sensing.signals import Signals
from naf_robot.view.scenery import Scenery, scenery_of
from naf_robot.view.solids import Pose, RobotBodies, base_pose
from naf_robot.view.statuses import COLLECTOR, ERROR, MAX_TEXT, OK, STALE, WARNING, NodeStatuses

TRAIL_POINTS = 60  # of the tool's path, six seconds at ten pictures a second
STALE_S = 1.0  # without joint states a robot is drawn as not current
APART = 1.5  # [m] between robots that the configuration puts in one place


@dataclass
class RobotState:
    """What is known of one robot, in its base frame."""

    position: FloatArray  # (n,) [rad], the home posture before the first reading
    place: Pose  # of the base in the world
    received_s: float | None = None  # when the newest position came, on a steady clock
    goal: FloatArray | None = None  # (3,) [m], what the task's target or door stands at
    signals: Signals = field(default_factory=dict)  # readings of the scene's sensors
    fault: str = ""
    hold: str = ""
    picture: np.ndarray | None = None  # (H, W, 3) uint8 of its camera
    caption: str = ""  # what it does, in a few words
    reported: int = OK  # level of its collector's newest report
    policy_version: str = ""
    trail: deque[FloatArray] = field(default_factory=lambda: deque(maxlen=TRAIL_POINTS))

    def stale(self, now_s: float) -> bool:
        """Whether the position shown is not where the robot is now, as far as anybody knows."""
        return self.received_s is None or now_s - self.received_s > STALE_S

    def level(self, now_s: float) -> int:
        """How well it is: a fault or a call for help, nothing heard of it, held, or well."""
        if self.fault or self.reported == ERROR:
            return ERROR
        if self.stale(now_s):
            return STALE
        return WARNING if self.hold or self.reported == WARNING else OK


class Scene:
    """Everything on the page.

    Raises:
        RobotModelError: the description of an arm is not there any more, or not sound.
    """

    def __init__(self, config: RunConfig, heading: str) -> None:
        self.config, self.heading = config, heading
        self.notes: list[str] = []  # what is not as the configuration says, in sentences
        self.nodes = NodeStatuses()
        self.scenery: Scenery = scenery_of(config)
        self.bodies = _bodies(config)
        self.robots = {
            name: RobotState(np.array(robot.arm.home), place)
            for (name, robot), place in zip(config.robots.items(), self._places(), strict=True)
        }

    def take_position(self, robot: str, position: FloatArray, now_s: float) -> None:
        """A new joint position (n,) [rad] of `robot`; the tool's path grows by a point."""
        state = self.robots[robot]
        if not np.isfinite(position).all():
            return
        state.position, state.received_s = position, now_s
        state.trail.append(self.bodies[robot].tool_position(position))

    def show_trail(self, robot: str, points: Iterable[FloatArray]) -> None:
        """Put `points` (3,) [m] in place of the tool's path."""
        state = self.robots[robot]
        state.trail.clear()
        state.trail.extend(points)

    def take_status(self, name: str, level: int, sentence: str, values: Mapping[str, str], now_s: float) -> None:
        """A node's report; of a robot's own nodes its caption is made."""
        self.nodes.take(name, level, sentence, values, now_s)
        robot, _, node = name.strip("/").rpartition("/")
        if robot in self.robots and node == COLLECTOR:
            self.robots[robot].caption, self.robots[robot].reported = sentence[:MAX_TEXT], level
            self.robots[robot].policy_version = values.get("policy version", "")

    def _places(self) -> list[Pose]:
        """Where the robots stand: side by side where the configuration has two of them in one place."""
        robots = self.config.robots.values()
        given = [base_pose(robot.base_pose) for robot in robots]
        if len({tuple(np.round(pose.origin, 2)) for pose in given}) == len(given):
            return given
        self.notes.append("base_pose puts several robots in one place: they are drawn side by side")
        return [
            Pose(pose.quaternion, np.array((0.0, APART * ((len(given) - 1) / 2.0 - index), 0.0)))
            for index, pose in enumerate(given)
        ]


def _bodies(config: RunConfig) -> dict[str, RobotBodies]:
    """The bodies of every robot; each kind of arm is loaded once."""
    found: dict[str, RobotBodies] = {}
    for name, robot in config.robots.items():
        same = next((other for other in found if config.robots[other].arm == robot.arm), None)
        try:
            found[name] = found[same] if same is not None else RobotBodies(robot.arm.model())
        except NafRobotError as error:
            raise RobotModelError(f"robot {name!r} cannot be drawn: {error}") from None
    return found
