"""Speed, acceleration and position limits of all joints, as one interval of velocities per joint."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from naf_robot.arm.model.limits import JointLimits
from naf_robot.arm.projection.stopping import stopping_velocity, velocity_interval
from naf_robot.core.records import FloatArray

HARD_SHARE = 0.1  # of a margin that even full braking must leave
FREE = (-math.inf, math.inf)  # no position limit is near


class VelocityBox(NamedTuple):
    """Admitted velocities per joint [rad/s]."""

    lower: FloatArray  # (n,)
    upper: FloatArray  # (n,)
    position: Sequence[tuple[float, float]]  # (n, 2), by the position limits alone, infinite where they do not bind


class VelocityBounds:
    """What each joint by itself may do next; see stages 1 to 3 of docs/safety.md."""

    def __init__(self, names: Sequence[str], limits: JointLimits, position_margin: float, delay_s: float) -> None:
        self._names = names
        self._limits = limits
        # Plain numbers: at seven joints a loop over them is faster than arrays.
        braking = limits.max_velocity**2 / (2.0 * limits.max_acceleration)  # way to stop from full speed
        columns = (limits.min_position, limits.max_position, limits.max_velocity, limits.max_acceleration, braking)
        self._joints = list(zip(*(column.tolist() for column in columns), strict=True))
        self._accelerations = limits.max_acceleration.tolist()
        self._margin = position_margin
        self._delay_s = delay_s

    def box(self, position: FloatArray, last_sent: FloatArray, passed_s: float, hold_s: float) -> VelocityBox:
        """Velocities for the next `hold_s` at `position` (n,), `passed_s` after `last_sent` (n,) was sent."""
        margin, left, horizon = self._margin, HARD_SHARE * self._margin, hold_s + self._delay_s
        low, high, by_position = [], [], []
        for place, sent, joint in zip(position.tolist(), last_sent.tolist(), self._joints, strict=True):
            minimum, maximum, speed, acceleration, braking = joint
            drift, step = self._delay_s * sent, acceleration * passed_s
            below = place + (drift if drift < 0.0 else 0.0) - minimum
            above = maximum - place - (drift if drift > 0.0 else 0.0)
            ample = margin + speed * horizon + braking  # to stop from full speed
            least, most = sent - step, sent + step
            if below >= ample and above >= ample and least <= speed and most >= -speed:
                low.append(least if least > -speed else -speed)
                high.append(most if most < speed else speed)
                by_position.append(FREE)
                continue
            wanted_low = needed_low = -math.inf
            wanted_high = needed_high = math.inf
            if not below >= ample:
                wanted_low = -stopping_velocity(below - margin, acceleration, horizon)
                needed_low = -stopping_velocity(below - left, acceleration, hold_s)
            if not above >= ample:
                wanted_high = stopping_velocity(above - margin, acceleration, horizon)
                needed_high = stopping_velocity(above - left, acceleration, hold_s)
            wanted = wanted_low, wanted_high
            interval = velocity_interval(sent, speed, step, wanted, (needed_low, needed_high))
            low.append(interval.lower)
            high.append(interval.upper)
            by_position.append(wanted)
        return VelocityBox(np.array(low), np.array(high), by_position)

    def acting(self, box: VelocityBox, command: FloatArray) -> list[str]:
        """Names of the limits that cut `command` (n,): acceleration where no other did."""
        active: list[str] = []
        asked = zip(command.tolist(), box.lower.tolist(), box.upper.tolist(), strict=True)
        for index, (velocity, lower, upper) in enumerate(asked):
            if lower <= velocity <= upper:
                continue
            speed, name = self._joints[index][2], self._names[index]
            low, high = box.position[index]
            position, before = (high if velocity > 0.0 else -low), len(active)
            if abs(velocity) > speed:
                active.append(f"velocity:{name}")
            if position < speed and abs(velocity) > position:
                active.append(f"position:{name}")
            if len(active) == before:
                active.append(f"acceleration:{name}")
        return active

    def faster_than_acceleration(self, change: FloatArray, passed_s: float, tolerance: float) -> list[str]:
        """Names `acceleration:joint` of the joints whose acceleration does not admit the `change` (n,) [rad/s]."""
        steps = zip(self._names, change.tolist(), self._accelerations, strict=True)
        return [f"acceleration:{name}" for name, step, most in steps if not abs(step) <= most * passed_s + tolerance]
