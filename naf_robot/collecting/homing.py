"""Motion to the home pose: straight in joint space; if that is blocked, back along the path of the episode."""

import enum
from collections.abc import Callable, Sequence

import numpy as np

from naf_robot.core.records import FloatArray

STALL_S = 1.5  # without progress for so long, the next way is tried
PROGRESS = 0.02  # [rad] towards the target that counts as progress
LOOSEN_S = 1.0  # of random motion, if the way back is blocked too
LOOSEN_SHARE = 0.5  # of full velocity
WAYPOINT_STEPS = 8  # recorded positions between two waypoints
WAYPOINT_TOLERANCE = 0.15  # [rad] at which the next waypoint is aimed at


class Way(enum.Enum):
    """How the arm moves home; the value completes the sentence "moving home"."""

    STRAIGHT = "straight"
    BACK = "back along the episode's path"
    LOOSEN = "random motion to come free"


class HomeTimeout:
    """Detects that the way home takes too long; then only an operator lets the arm move again."""

    def __init__(self, timeout_s: float, joints: Sequence[str]) -> None:
        self._timeout_s, self._joints = timeout_s, tuple(joints)
        self._since_s: float | None = None  # when this attempt began
        self.failures = 0  # attempts that took too long
        self.reason: str | None = None  # why an operator must act

    def is_over(self, now_s: float, distance: FloatArray) -> bool:
        """Whether the arm must hold still at `now_s`, `distance` (n,) [rad] from home."""
        if self._since_s is None:
            self._since_s = now_s
        if self.reason is None and now_s - self._since_s > self._timeout_s:
            self.failures += 1
            self.reason = (
                f"after {self._timeout_s:g} s {self._joints[int(distance.argmax())]} is still {distance.max():.2f} rad "
                "from home; free the arm, then pause and resume the collector, or clear the velocity controller's fault"
            )
        return self.reason is not None

    def interrupt(self) -> None:
        """The arm was held for another reason: the time begins anew, a call for an operator stays."""
        self._since_s = None

    def restart(self) -> None:
        """An operator has acted, or the arm is at home."""
        self._since_s, self.reason = None, None


class Homing:
    """Moves one arm home after an episode that may have left its tool hooked to an object.

    A hook behind a lever is blocked on the straight line home, but free along the path by which it came. If
    that is blocked too (the door has moved meanwhile), the arm makes some random motion before the next
    attempt. Arrays are (n,), [rad] and [rad/s]; every velocity still
    passes through the safety projection. `shortest` gives the way from a position to a target (`ArmModel.shortest`).
    """

    def __init__(
        self,
        home: FloatArray,
        gain: float,
        max_velocity: FloatArray,
        random: np.random.Generator,
        shortest: Callable[[FloatArray, FloatArray], FloatArray] = np.subtract,
    ) -> None:
        self._home = home
        self._shortest = shortest
        self._gain = gain
        self._max_velocity = max_velocity
        self._random = random
        self._path: list[FloatArray] = []
        self.detours = 0  # times that a way was blocked
        self.way = Way.STRAIGHT
        self._waypoint = 0
        self._direction = np.zeros_like(home)
        self._best, self._since_s = np.inf, -np.inf

    def start_episode(self) -> None:
        """The arm is at home: forget the last path."""
        self._path = []
        self._go(Way.STRAIGHT, 0.0)

    def record(self, position: FloatArray) -> None:
        """Record the arm's position, once per control period of an episode."""
        self._path.append(position.copy())

    def velocity(self, now_s: float, position: FloatArray) -> FloatArray:
        """The velocity to request at `now_s`."""
        if self.way is Way.LOOSEN:
            if now_s - self._since_s < LOOSEN_S:
                return LOOSEN_SHARE * self._direction * self._max_velocity
            self._go_back(now_s, position)
        if self.way is Way.BACK:
            self._pass_waypoints(now_s, position)
        target = self._path[self._waypoint] if self.way is Way.BACK else self._home
        error = self._shortest(target, position)
        if self._stalls(now_s, float(np.abs(error).max())):
            self._give_up(now_s, position)
        return np.clip(self._gain * error, -self._max_velocity, self._max_velocity)

    def _go(self, way: Way, now_s: float) -> None:
        self.way, self._best, self._since_s = way, np.inf, now_s

    def _go_back(self, now_s: float, position: FloatArray) -> None:
        """Join the recorded path at its nearest point, if there is one."""
        if not self._path:
            self._go(Way.STRAIGHT, now_s)
            return
        distances = np.array([np.abs(self._shortest(passed, position)).max() for passed in self._path])
        self._waypoint = int(distances.argmin())
        self._go(Way.BACK, now_s)

    def _pass_waypoints(self, now_s: float, position: FloatArray) -> None:
        while float(np.abs(self._shortest(self._path[self._waypoint], position)).max()) < WAYPOINT_TOLERANCE:
            if self._waypoint == 0:
                self._go(Way.STRAIGHT, now_s)
                return
            self._waypoint = max(0, self._waypoint - WAYPOINT_STEPS)
            self._best, self._since_s = np.inf, now_s

    def _stalls(self, now_s: float, distance: float) -> bool:
        if distance < self._best - PROGRESS:
            self._best, self._since_s = distance, now_s
        return now_s - self._since_s > STALL_S

    def _give_up(self, now_s: float, position: FloatArray) -> None:
        self.detours += 1
        if self.way is Way.STRAIGHT and self._path:
            self._go_back(now_s, position)
        else:
            self._direction = self._random.uniform(-1.0, 1.0, len(self._home))
            self._go(Way.LOOSEN, now_s)
