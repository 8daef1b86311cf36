"""Bringing an arm home between episodes, and what is reported of it."""

from collections.abc import Callable, Sequence

import numpy as np

from naf_robot.collecting.homing import HomeTimeout, Homing
from naf_robot.core.records import FloatArray
from naf_robot.run.records import CollectorConfig


class WayHome:
    """One arm's way to `home` (n,) [rad] within `timeout_s`; `max_velocity` (n,) [rad/s] bounds its motion.

    `shortest` gives target less position of the joints, of which continuous joints have several.
    """

    def __init__(
        self,
        home: FloatArray,
        settings: CollectorConfig,
        max_velocity: FloatArray,
        timeout_s: float,
        joints: Sequence[str],
        random: np.random.Generator,
        shortest: Callable[[FloatArray, FloatArray], FloatArray],
    ) -> None:
        self._home, self._shortest = home, shortest
        self._tolerance = settings.home_tolerance
        self._motion = Homing(home, settings.home_gain, max_velocity, random, shortest)
        self._timeout = HomeTimeout(timeout_s, joints)
        self._since_s: float | None = None  # when the arm set out
        self.start_distance: float | None = None  # [rad] of the joint farthest from home as the last episode began
        self.duration_s: float | None = None  # of the last way home

    @property
    def reason(self) -> str | None:
        """Why an operator must act before the arm moves again, None while it can help itself."""
        return self._timeout.reason

    @property
    def failures(self) -> int:
        """Ways home that took too long."""
        return self._timeout.failures

    def is_home(self, position: FloatArray, velocity: FloatArray) -> bool:
        """Whether the arm is at home and at rest."""
        distance = np.abs(self._shortest(self._home, position)).max()
        return bool(distance <= self._tolerance and np.abs(velocity).max() <= self._tolerance)

    def velocity(self, now_s: float, position: FloatArray) -> FloatArray | None:
        """The velocity (n,) [rad/s] that leads home, None once that has been tried for too long."""
        if self._timeout.is_over(now_s, np.abs(self._shortest(self._home, position))):
            return None
        if self._since_s is None:
            self._since_s = now_s
        return self._motion.velocity(now_s, position)

    def arrived(self, now_s: float) -> None:
        """The arm is at home."""
        self._timeout.restart()
        if self._since_s is not None:
            self.duration_s, self._since_s = now_s - self._since_s, None

    def interrupt(self) -> None:
        """The arm is held for another reason: the time begins anew, a call for an operator stays."""
        self._timeout.interrupt()
        self._since_s = None

    def try_again(self) -> None:
        """An operator has acted."""
        self._timeout.restart()

    def start_episode(self, position: FloatArray) -> None:
        """An episode begins at `position`: the path of the last one is forgotten."""
        self._motion.start_episode()
        self.start_distance = float(np.abs(self._shortest(self._home, position)).max())

    def record(self, position: FloatArray) -> None:
        """Record the arm's position, once per control period of an episode."""
        self._motion.record(position)
