"""Checks that every simulator makes: of a velocity command, and of the state that the physics came to."""

import numpy as np

from naf_robot.core.errors import SimulationError
from naf_robot.core.records import FloatArray


def checked_command(robot: str, velocity: FloatArray, size: int) -> FloatArray:
    """A copy of the commanded joint velocities (n,) [rad/s] of a robot with `size` joints.

    Raises:
        SimulationError: they are not `size` finite numbers.
    """
    velocity = np.asarray(velocity, dtype=np.float64)
    if velocity.shape != (size,) or not np.isfinite(velocity).all():
        raise SimulationError(f"velocity command of {robot!r} must be {size} finite numbers, got {velocity!r}")
    return velocity.copy()


def check_state(robot: str, time_s: float, position: FloatArray, velocity: FloatArray, max_speed: float) -> None:
    """Refuse a state that no physics comes to: joint positions and velocities of the world of `robot`.

    Raises:
        SimulationError: a position is not finite, or a joint is faster than `max_speed` [rad/s].
    """
    speed = float(np.abs(velocity).max(initial=0.0))
    if not np.isfinite(position).all() or not speed <= max_speed:
        raise SimulationError(
            f"the world of {robot!r} diverged at t = {time_s:.2f} s: fastest joint {speed:.3g} rad/s, "
            f"allowed {max_speed} rad/s; a smaller physics_step_s may help"
        )
