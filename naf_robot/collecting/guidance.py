"""A person's hand on an arm during an episode: what is asked for while it is held, and nothing else."""

import math

from naf_robot.core.clock import Clock
from naf_robot.core.records import FloatArray

HELD_S = 0.25  # [s] of wall time for which the newest velocity counts: a hand that is not heard has let go


class Guidance:
    """The velocity that a person asks for now; `clock` is steady."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._velocity: FloatArray | None = None
        self._heard_s = -math.inf

    def ask(self, velocity: FloatArray) -> None:
        """The person asks for `velocity` (n,) [rad/s]."""
        self._velocity, self._heard_s = velocity, self._clock.now_s()

    def let_go(self) -> None:
        """The person gives the arm back."""
        self._velocity = None

    @property
    def velocity(self) -> FloatArray | None:
        """What is asked for (n,) [rad/s]; None: nobody holds the arm."""
        return self._velocity if self._clock.now_s() - self._heard_s <= HELD_S else None
