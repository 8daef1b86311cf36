"""How long a robot's first episode waits for the recorder of the robot's topics."""

from naf_robot.core.clock import Clock

WAIT_S = 10.0  # for a recorder to listen; then the robot begins without
SETTLED_S = 1.0  # in which it has come to listen to everything


class RecorderWait:
    """Whether an episode may begin: once a recorder has listened for a while, or none has come for long.

    That is asked for once: a recorder that fails later holds no robot up. `clock` is wall time.
    """

    def __init__(self, wanted: bool, clock: Clock) -> None:
        self._clock, self._over = clock, not wanted
        self._begin_s = self._silent_s = clock.now_s()  # when it was begun, and when nobody was listening last

    def obstacle(self, is_listening: bool) -> str | None:
        """Why no episode may begin, None if one may."""
        if self._over:
            return None
        now_s = self._clock.now_s()
        if not is_listening:
            self._silent_s = now_s
        self._over = now_s - self._silent_s >= SETTLED_S or now_s - self._begin_s >= WAIT_S
        return None if self._over else "waiting for the recorder to listen"
