"""Opening a door by a program: hook over the lever, push it down past the latch, pull or push the door.

The hook is that of `urdf/arm7.urdf`: a tip along the tool frame's x axis that points down at home, on a stem that
points to the door, with the tool's origin in the middle of the tip. Over the whole motion the hook keeps its place at
the lever: its pose follows from two angles, the lever's and the door's, and the program leads each by a little.
"""

from collections.abc import Mapping
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.records import FloatArray
from naf_robot.sensing import rotation
from naf_robot.sensing.signals import Signals
from naf_robot.tasks.door import Door
from naf_robot.tasks.door_geometry import HINGE_AXIS, LEVER_AXIS
from naf_robot.tasks.scripted.policy import ScriptedArm
from naf_robot.tasks.scripted.reach import towards

HOOK_RADIUS = 0.012  # [m] of stem and tip
HALF_TIP = 0.03  # [m] from the tool's origin to the stem's middle line
CLEAR = 0.09  # [m] of the tool above the lever on its way over it
PRESS = 0.02  # [m] deeper than contact: what the servos push with
LEAD = 0.6  # [rad] by which the lever's angle is led
DOOR_LEAD = 0.25  # [rad] by which the door's angle is led
YAW_SHARE = 0.5  # of the door's angle that the hook turns along: with all of it the arm would stand in its own way
NEAR = 0.03  # [m] at which a waypoint counts as reached
SLIPPED = 0.12  # [m] from where the hook should be: it has lost the lever, and begins again
RELEASED = 0.95  # share of the lever's goal angle at which the door is moved
LATCHED = 0.03  # [rad] of the door within which it still hangs in its latch,
HELD = 0.88  # and share of the lever's goal angle below which it is turned down again
TURN_GAIN, TURN_SPEED = 3.0, 1.0  # [1/s], [rad/s] of the hook's orientation
TURN_WEIGHT = 0.15  # [m] of an orientation's error beside one of the position


class Stage(IntEnum):
    """Which part of the motion."""

    OVER = 0
    DOWN = 1
    TURN = 2
    OPEN = 3


class DoorScript:
    """Implements `ScriptedPolicy` for the doors; of the door's state it needs the orientation or the angle alone."""

    def __init__(self, task: Door, arm: ScriptedArm) -> None:
        self._config, self._arm = task.config, arm
        shape = task.config.geometry
        self._axis = np.asarray(shape.lever_axis)
        self._grip = min(shape.grip, shape.lever_length - 2.0 * HOOK_RADIUS)  # along the lever
        touching = HOOK_RADIUS + shape.lever_radius
        self._above = touching - HALF_TIP  # of the tool over the lever's middle line, stem on the lever
        self._behind = {"pull": touching, "push": shape.lever_distance - HOOK_RADIUS}[task.config.direction]
        self._between = (touching + shape.lever_distance - HOOK_RADIUS) / 2.0  # of lever and panel
        self._frame = np.zeros(3)
        self._upright = np.array([0.0, 0.0, 0.0, 1.0])  # the hook's orientation (4,) at home,
        self._begins = True  # which the first observation tells
        self.stage = Stage.OVER

    def begin(self, goal: Signals) -> None:
        """Note where the door stands."""
        self._frame = np.asarray(goal["door_frame"], dtype=np.float64)
        self._begins, self.stage = True, Stage.OVER

    def act(self, observation: Mapping[str, NDArray]) -> FloatArray:
        """The next motion of the hook."""
        position = self._arm.position(observation)
        tool, matrix = self._arm.model.tool_pose(position)
        orientation = rotation.from_matrix(matrix)
        if self._begins:
            self._upright, self._begins = orientation, False
        door = _door_angle(observation)
        lever = self._lever_angle(tool, door)
        self._advance(tool, door, lever)
        wanted, turned = self._wanted(door, lever)
        turn = rotation.vector(rotation.product(turned, rotation.inverse(orientation)))
        twist = np.concatenate((towards(wanted - tool), towards(turn, TURN_GAIN, TURN_SPEED)))
        return self._arm.action(position, twist, np.array([1.0] * 3 + [TURN_WEIGHT] * 3))

    def _advance(self, tool: FloatArray, door: float, lever: float) -> None:
        """On to the next stage once this one is done, and back to the first if the hook has lost the lever."""
        place, _ = self._pose(door, lever, self._between, 0.0)
        if self.stage == Stage.OVER:
            over, _ = self._pose(0.0, 0.0, self._between, CLEAR)
            if float(np.linalg.norm(over - tool)) < NEAR:
                self.stage = Stage.DOWN
        elif float(np.linalg.norm(place - tool)) > SLIPPED:
            self.stage = Stage.OVER
        elif self.stage == Stage.DOWN and tool[2] < place[2] + HOOK_RADIUS:
            self.stage = Stage.TURN
        elif self.stage == Stage.TURN and lever > RELEASED * self._config.goal_handle_angle:
            self.stage = Stage.OPEN
        elif self.stage == Stage.OPEN and abs(door) < LATCHED and lever < HELD * self._config.goal_handle_angle:
            self.stage = Stage.TURN

    def _wanted(self, door: float, lever: float) -> tuple[FloatArray, FloatArray]:
        """Where the tool should go: position (3,) and orientation (4,)."""
        goal = self._config.goal_handle_angle
        if self.stage == Stage.OVER:
            return self._pose(0.0, 0.0, self._between, CLEAR)
        if self.stage == Stage.DOWN:
            return self._pose(0.0, 0.0, self._between, -PRESS)
        if self.stage == Stage.TURN:
            return self._pose(door, min(goal + LEAD, lever + LEAD), self._between, -PRESS)
        sign = self._config.sign
        led = sign * min(self._config.goal_door_angle, sign * door + DOOR_LEAD)
        return self._pose(led, goal, self._behind, -PRESS)

    def _pose(self, door: float, lever: float, behind: float, above: float) -> tuple[FloatArray, FloatArray]:
        """The tool at a lever turned by `lever` on a door opened by `door` [rad].

        It is `behind` the lever's middle line, and `above` the height of contact, both [m] in the turned frames.
        """
        hinge, axis = rotation.about_axis(HINGE_AXIS, door), rotation.about_axis(LEVER_AXIS, lever)
        offset = rotation.rotated(axis, np.array([behind, self._grip, self._above + above]))
        position = self._frame + rotation.rotated(hinge, self._axis + offset)
        yaw = rotation.about_axis(HINGE_AXIS, YAW_SHARE * door)
        return position, rotation.product(yaw, axis, self._upright)

    def _lever_angle(self, tool: FloatArray, door: float) -> float:
        """The angle [rad] of a lever that the tool stands at, from the tool's place alone."""
        hinge = rotation.inverse(rotation.about_axis(HINGE_AXIS, door))
        _, y, z = rotation.rotated(hinge, tool - self._frame) - self._axis
        rest = np.arctan2(self._above, self._grip)
        return float(rest - np.arctan2(z, y))


def _door_angle(observation: Mapping[str, NDArray]) -> float:
    """The door's angle [rad] as it is observed: by itself, or in its orientation."""
    if "door_angle" in observation:
        return float(observation["door_angle"][0])
    return rotation.twist(observation["door_orientation"], HINGE_AXIS)
