"""Keys and joysticks as joint velocities, without ROS: whatever is not held down any more moves nothing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from naf_robot.arm.control.actions import BoundActions, ToolTwist
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.model.limits import JointLimits
from naf_robot.core.clock import Clock
from naf_robot.core.errors import ConfigError
from naf_robot.core.records import FloatArray

KEY_S = 0.2  # a key counts as held so long after it came: terminals say nothing of its release
JOY_S = 0.25  # a joystick that was silent for longer is gone; joy_node repeats its messages at 20 Hz
DEAD_ZONE = 0.1  # of a stick
SLOWEST, USUAL, STEP = 0.05, 0.2, 1.25  # of full speed
TOOL = ToolTwist(max_speed=0.25, max_turn=1.0, rotation="all")
FORWARD, BACKWARD = "qwertyuio", "asdfghjkl"  # of joint 1, 2, ...
TOOL_KEYS = ("up", "down", "left", "right", "page up", "page down", "1", "2", "3", "4", "5", "6")
"""Plus and minus of x, y and z, and of turns about them."""
SEQUENCES = {
    **{f"\x1b{second}{last}": name for second in "[O" for last, name in zip("ABDC", TOOL_KEYS[:4], strict=True)},
    "\x1b[5~": "page up",
    "\x1b[6~": "page down",
}
LONGEST = max(map(len, SEQUENCES))


class KeyDecoder:
    """What a terminal sends as names of keys; the rest of a cut escape sequence may come later."""

    def __init__(self) -> None:
        self._rest = ""

    def keys(self, data: bytes) -> list[str]:
        """The keys that `data` completes, in order; unknown sequences are left out."""
        text, self._rest = self._rest + data.decode("latin-1"), ""
        found = []
        while text:
            if text[0] != "\x1b":
                found.append(text[0])
                text = text[1:]
                continue
            known = next((sequence for sequence in SEQUENCES if text.startswith(sequence)), None)
            if known is not None:
                found.append(SEQUENCES[known])
                text = text[len(known) :]
            elif len(text) < LONGEST and any(sequence.startswith(text) for sequence in SEQUENCES):
                self._rest, text = text, ""
            else:
                text = text[1:].lstrip("[O0123456789;").removeprefix("~")
        return found


@dataclass(frozen=True)
class JoyMapping:
    """Which button and axes of a joystick do what; `axes` are those of x, y, z and of turns about them, -1 for none.

    Raises:
        ConfigError: a negative button, or not six axes.
    """

    deadman: int = 4  # button that must be held
    axes: tuple[int, ...] = (1, 0, 4, -1, -1, 3)

    def __post_init__(self) -> None:
        if self.deadman < 0:
            raise ConfigError(f"joy_deadman must be the number of a button, 0 or more, got {self.deadman}")
        if len(self.axes) != 6 or min(self.axes) < -1:
            raise ConfigError(
                f"joy_axes must be six numbers of axes, for x, y, z and turns about them, -1 for none; got {self.axes}"
            )


class Teleoperation:
    """The velocity that an operator asks for: of single joints, or of the tool in the base frame.

    Full speed of a joint is its limit. `clock` is steady.
    """

    def __init__(self, model: ArmModel, limits: JointLimits, clock: Clock, mapping: JoyMapping | None = None) -> None:
        self._max_velocity = limits.max_velocity
        self._clock = clock
        self._mapping = mapping or JoyMapping()
        self._tool: BoundActions = TOOL.bind(model, limits, math.inf)
        self._names = model.joint_names
        self._held = ""  # key
        self._held_s = -math.inf
        self._stick = np.zeros(self._tool.size)
        self._stick_s = -math.inf
        self.speed = USUAL  # of full speed

    def key(self, name: str) -> None:
        """A key came, for the first time or repeated."""
        if name in "+=":
            self.speed = min(1.0, self.speed * STEP)
        elif name in "-_":
            self.speed = max(SLOWEST, self.speed / STEP)
        self._held, self._held_s = name, self._clock.now_s()

    def release(self) -> None:
        """Nothing is held down."""
        self._held = ""
        self._stick_s = -math.inf

    def joy(self, axes: Sequence[float], buttons: Sequence[int]) -> str | None:
        """A message of a joystick came; why it is refused, or None."""
        used = [axis for axis in self._mapping.axes if axis >= 0]
        self._stick_s = -math.inf
        if len(axes) <= max(used, default=-1) or len(buttons) <= self._mapping.deadman:
            return (
                f"it has {len(axes)} axes and {len(buttons)} buttons; joy_axes names axis {max(used, default=-1)}, "
                f"joy_deadman button {self._mapping.deadman} (counted from 0)"
            )
        values = np.array([axes[axis] if axis >= 0 else 0.0 for axis in self._mapping.axes])
        if not np.all(np.abs(values) <= 1.0):
            return f"axes must be within -1 and 1, got {values.tolist()}"
        if buttons[self._mapping.deadman] == 1:
            self._stick = np.where(np.abs(values) < DEAD_ZONE, 0.0, values)
            self._stick_s = self._clock.now_s()
        return None

    @property
    def holds(self) -> bool:
        """Whether a key or the deadman's button is held down, be it to stand still."""
        return self._tool_action() is not None or self._joint() is not None

    def velocity(self, position: FloatArray | None) -> FloatArray:
        """What is asked for now, (n,) [rad/s]; the tool does not move where the joints' `position` (n,) is unknown."""
        action = self._tool_action()
        if action is not None and position is not None:
            return self._tool.joint_velocity(self.speed * action, position)
        velocity = np.zeros(len(self._names))
        if action is None and (jog := self._joint()) is not None:
            joint, sign = jog
            velocity[joint] = sign * self.speed * self._max_velocity[joint]
        return velocity

    def doing(self, position: FloatArray | None) -> str:
        """The same in words."""
        action = self._tool_action()
        if action is not None:
            named = zip(self._tool.names, action, strict=True)
            parts = [f"{name} {'+' if value > 0 else '-'}" for name, value in named if value]
            where = "" if position is not None else " (waits for joint states)"
            return f"tool {', '.join(parts) or 'stands'}{where}"
        if (jog := self._joint()) is not None:
            return f"{self._names[jog[0]]} {'+' if jog[1] > 0 else '-'}"
        return "stands"

    def _tool_action(self) -> FloatArray | None:
        """Each axis of the tool in [-1, 1], None where no key or stick moves it; a stick goes before keys."""
        now_s = self._clock.now_s()
        if now_s - self._stick_s <= JOY_S:
            return self._stick
        if self._held not in TOOL_KEYS or now_s - self._held_s > KEY_S:
            return None
        action = np.zeros(self._tool.size)
        place = TOOL_KEYS.index(self._held)
        action[place // 2] = 1.0 if place % 2 == 0 else -1.0
        return action

    def _joint(self) -> tuple[int, float] | None:
        """The joint that a key moves, and the sign."""
        if len(self._held) != 1 or self._clock.now_s() - self._held_s > KEY_S:
            return None
        for keys, sign in ((FORWARD, 1.0), (BACKWARD, -1.0)):
            if 0 <= (joint := keys.find(self._held)) < len(self._names):
                return joint, sign
        return None


def help_lines(joints: Sequence[str], intervenes: bool = False) -> list[str]:
    """Which key does what, where the arm stops when it is let go, or the policy goes on."""
    pairs = [f"{plus} {minus}  {joint}" for plus, minus, joint in zip(FORWARD, BACKWARD, joints, strict=False)]
    return [
        "hold a key down to take over within an episode; the policy goes on when it is let go"
        if intervenes
        else "hold a key down to move; the arm stops when it is let go",
        *[f"  {'    '.join(f'{pair:18}' for pair in pairs[k : k + 4])}".rstrip() for k in range(0, len(pairs), 4)],
        "  tool: arrows x and y, page up and down z; turns 1 2 about x, 3 4 about y, 5 6 about z (base frame)",
        "  + - speed    space stop    E enable    C clear a fault    x or Ctrl-C leave",
    ]
