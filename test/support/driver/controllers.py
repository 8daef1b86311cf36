"""Controllers of ros2_control as they behave (Jazzy), without ROS: what they accept, and what they command when.

Each has `command(message)`, which returns why a message is refused, and `setpoint(now_s, position, velocity)`, which
returns a position and a velocity (n,), one of them None, in the controller's order of joints.
"""

from typing import Any

import numpy as np

Setpoint = tuple[np.ndarray | None, np.ndarray | None]


class Forward:
    """A forward_command_controller: holds its last command for ever, and drops those of another size or with NaN."""

    def __init__(self, joints: tuple[str, ...], positions: bool) -> None:
        self.joints, self.positions = joints, positions
        self.held: np.ndarray | None = None

    def command(self, message: Any, now_s: float, position: np.ndarray, velocity: np.ndarray) -> str | None:
        data = np.array(message.data)
        if data.shape != (len(self.joints),):
            return f"command size ({len(data)}) does not match number of interfaces ({len(self.joints)})"
        if not np.isfinite(data).all():
            return "command is not finite"
        self.held = data
        return None

    def setpoint(self, now_s: float) -> Setpoint:
        return (self.held, None) if self.positions else (None, self.held)

    def release(self) -> None:
        self.held = None


class JointTrajectory:
    """A joint_trajectory_controller on the position interface.

    A trajectory begins at the last commanded state (`interpolate_from_desired_state` is true), else at the measured
    one, goes on by cubic splines, and its last point is held. Refused are unknown, missing and doubled joints, times
    that do not increase, wrong sizes, and motion at the end.
    """

    def __init__(self, joints: tuple[str, ...], from_desired: bool) -> None:
        self.joints, self.from_desired = joints, from_desired
        self.times: list[float] = []
        self.points: list[tuple[np.ndarray, np.ndarray]] = []

    def command(self, message: Any, now_s: float, position: np.ndarray, velocity: np.ndarray) -> str | None:
        names = list(message.joint_names)
        if not names or not message.points:
            return "Empty trajectory received"
        unknown = [name for name in names if name not in self.joints]
        if unknown:
            return f"Incoming joint {unknown[0]} doesn't match the controller's joints"
        if len(names) != len(self.joints) or len(set(names)) != len(names):
            return "Joints on incoming trajectory don't match the controller joints"
        times = [p.time_from_start.sec + 1e-9 * p.time_from_start.nanosec for p in message.points]
        if any(after <= before for before, after in zip([0.0, *times], times, strict=False)):
            return f"Time between points is not strictly increasing: {times}"
        order = [names.index(name) for name in self.joints]
        points = []
        for point in message.points:
            if len(point.positions) != len(names) or len(point.velocities) not in (0, len(names)):
                return "Mismatch between joint_names and positions or velocities"
            place = np.array(point.positions)[order]
            speed = np.array(point.velocities)[order] if len(point.velocities) else np.zeros(len(names))
            if not (np.isfinite(place).all() and np.isfinite(speed).all()):
                return "Trajectory point is not finite"
            points.append((place, speed))
        if points[-1][1].any():
            return "Velocity of last trajectory point is not zero"
        stamp = message.header.stamp
        if stamp.sec or stamp.nanosec:
            return "the stand-in takes trajectories that start now"
        desired = self.state(now_s) if self.from_desired else None
        self.times = [now_s, *(now_s + time for time in times)]
        self.points = [desired or (position.copy(), velocity.copy()), *points]
        return None

    def setpoint(self, now_s: float) -> Setpoint:
        state = self.state(now_s)
        return (None if state is None else state[0]), None

    def state(self, now_s: float) -> tuple[np.ndarray, np.ndarray] | None:
        """Commanded position and velocity."""
        if not self.points:
            return None
        if now_s >= self.times[-1]:
            return self.points[-1]
        index = max(0, int(np.searchsorted(self.times, now_s, side="right")) - 1)
        (p, u), (q, w) = self.points[index], self.points[index + 1]
        span = self.times[index + 1] - self.times[index]
        s = (now_s - self.times[index]) / span
        hermite = (1 + 2 * s) * (1 - s) ** 2, s * (1 - s) ** 2, s * s * (3 - 2 * s), s * s * (s - 1)
        slope = 6 * s * (s - 1) / span, (1 - s) * (1 - 3 * s), 6 * s * (1 - s) / span, s * (3 * s - 2)
        place = hermite[0] * p + hermite[1] * span * u + hermite[2] * q + hermite[3] * span * w
        return place, slope[0] * p + slope[1] * u + slope[2] * q + slope[3] * w

    def release(self) -> None:
        self.times, self.points = [], []


def make(kind: str, joints: tuple[str, ...], from_desired: bool) -> Forward | JointTrajectory:
    """The controller of a kind of output."""
    return JointTrajectory(joints, from_desired) if kind == "trajectory" else Forward(joints, kind == "position")
