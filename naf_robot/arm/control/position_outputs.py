"""Outputs for controllers that take positions: they follow the motion that the projected velocities make.

The motion of one velocity goes on with it for `HOLD_FACTOR` control periods, then brakes within the acceleration limits
to rest. The next velocity goes on from where that motion is by then, so that positions never jump.
"""

import math

import numpy as np

from naf_robot.arm.control.output import Message, OutputArm
from naf_robot.core.records import FloatArray
from naf_robot.core.stamps import stamp_of_seconds

HOLD_FACTOR = 1.2  # control periods before braking begins: a command that is a little late does not slow the arm
STREAM_S = 0.01  # period in which positions are sent
REST_REPEAT_S = 0.5  # period in which the trajectory of an arm at rest is repeated
RESOLUTION_S = 1e-4  # of the times within a trajectory, which must differ
NOISE = 0.02  # [rad] by which a commanded position may differ from the measured one without any motion


class CommandedMotion:
    """The commanded motion of one arm in joint space; arrays (n,), [rad] and [rad/s].

    The commanded position leads the measured one, because an arm follows late: by up to the distance that the arm goes
    within the delay that the safety projection allows for, and one period. A joint that lags by more is not led any
    further until it has followed. A joint that is further off than it was ever led (moved by hand, or by another
    controller) is taken from where it is.
    """

    def __init__(self, arm: OutputArm) -> None:
        self._arm = arm
        self._lead_s = arm.delay_s + HOLD_FACTOR * arm.hold_s
        self._position: FloatArray | None = None  # at the time of the last command
        self._velocity = np.zeros(len(arm.joints))
        self._hold_s = HOLD_FACTOR * arm.hold_s
        self._fastest = np.zeros(len(arm.joints))  # commanded lately: what the lead is bounded by

    @property
    def known(self) -> bool:
        """Whether there is a position to begin from."""
        return self._position is not None

    @property
    def velocity(self) -> FloatArray:
        """What was commanded last."""
        return self._velocity

    def go_on(self, velocity: FloatArray, measured: FloatArray | None, period_s: float) -> None:
        """Go on with `velocity`, `period_s` after the last command."""
        decay = np.exp(-max(period_s, 0.0) / (2.0 * self._lead_s))
        self._fastest = np.maximum(np.abs(velocity), decay * self._fastest)
        start = self.at(period_s) if self._position is not None else measured
        if start is not None and measured is not None:
            lead = start - measured
            allowed = NOISE + self._lead_s * self._fastest
            farthest = allowed + NOISE + self._way(self._fastest)
            start = np.where(np.abs(lead) > farthest, measured, start)
            ahead = (np.abs(lead) > allowed) & (np.sign(lead) == np.sign(velocity)) & (np.abs(lead) <= farthest)
            velocity = np.where(ahead, 0.0, velocity)
        self._position = start
        self._velocity = velocity
        self._hold_s = HOLD_FACTOR * max(self._arm.hold_s, min(period_s, 2.0 * self._arm.hold_s))

    def _way(self, speed: FloatArray) -> FloatArray:
        """The longest way of one command's motion [rad]."""
        way: FloatArray = speed * 2.0 * HOLD_FACTOR * self._arm.hold_s + speed**2 / (2.0 * self._arm.max_acceleration)
        return way

    def at(self, elapsed_s: float) -> FloatArray:
        """The position `elapsed_s` after the last command."""
        position, _ = self.state(elapsed_s)
        return position

    def state(self, elapsed_s: float) -> tuple[FloatArray, FloatArray]:
        """Position and velocity `elapsed_s` after the last command. There must have been one."""
        assert self._position is not None
        speed, limit = np.abs(self._velocity), self._arm.max_acceleration
        held = min(max(elapsed_s, 0.0), self._hold_s)
        braking = np.minimum(max(elapsed_s - self._hold_s, 0.0), speed / limit)
        way = speed * held + speed * braking - 0.5 * limit * braking**2
        direction = np.sign(self._velocity)
        return self._position + direction * way, direction * (speed - limit * braking)

    def turning_points_s(self) -> list[float]:
        """Times after the last command at which a joint begins or ends to brake, the last one at rest."""
        ends = self._hold_s + np.abs(self._velocity) / self._arm.max_acceleration
        return sorted({math.ceil(time / RESOLUTION_S) * RESOLUTION_S for time in (self._hold_s, *ends.tolist())})


class PositionOutput:
    """A `forward_command_controller` on the position interface, or a `JointGroupPositionController`.

    Positions are streamed at 1/STREAM_S; when the stream ceases, the arm stops abruptly at the last one.
    """

    kind = "position"
    message_type = "std_msgs/msg/Float64MultiArray"
    default_topic = "forward_position_controller/commands"
    takes_trajectories = False
    needs_order = True

    def __init__(self, arm: OutputArm) -> None:
        self._arm = arm
        self._motion = CommandedMotion(arm)

    def command(self, velocity: FloatArray, position: FloatArray | None, period_s: float) -> Message | None:
        """The position that is reached until the next one is sent; None while no position is known."""
        self._motion.go_on(velocity, position, period_s)
        return self.between(0.0)

    def between(self, elapsed_s: float) -> Message | None:
        """The position along the motion, or of the braking where no new velocity comes."""
        if not self._motion.known:
            return None
        return {"data": self._motion.at(elapsed_s + STREAM_S)[self._arm.order]}


class TrajectoryOutput:
    """A `joint_trajectory_controller`: every message holds the motion until the arm is at rest.

    So the arm stops by itself when its sender ends, whatever the reason.
    """

    kind = "trajectory"
    message_type = "trajectory_msgs/msg/JointTrajectory"
    default_topic = "joint_trajectory_controller/joint_trajectory"
    takes_trajectories = True
    needs_order = False  # its messages have names

    def __init__(self, arm: OutputArm) -> None:
        self._arm = arm
        self._motion = CommandedMotion(arm)
        self._resting_s = 0.0  # since the last message of an arm at rest

    def command(self, velocity: FloatArray, position: FloatArray | None, period_s: float) -> Message | None:
        """The motion, with the joints' names; its header is stamped zero: it starts on arrival.

        At rest it is repeated rarely: the controller begins each one at the measured position, which would let an arm
        with a weak servo sink step by step.
        """
        rested = self._motion.known and not self._motion.velocity.any()
        self._motion.go_on(velocity, position, period_s)
        if not self._motion.known:
            return None
        self._resting_s += period_s
        if rested and not self._motion.velocity.any() and self._resting_s < REST_REPEAT_S:
            return None
        self._resting_s = 0.0
        points = []
        for time_s in self._motion.turning_points_s():
            place, speed = self._motion.state(time_s)
            points.append({"positions": place, "velocities": speed, "time_from_start": _duration(time_s)})
        points[-1]["velocities"] = np.zeros(len(self._arm.joints))  # exactly: a controller refuses to end in motion
        return {"joint_names": list(self._arm.joints), "points": points}

    def between(self, elapsed_s: float) -> Message | None:
        """Nothing: the controller has the whole motion."""
        return None


def _duration(time_s: float) -> Message:
    sec, nanosec = stamp_of_seconds(time_s)
    return {"sec": sec, "nanosec": nanosec}
