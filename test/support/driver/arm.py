"""The arm below a controller: joints that follow late, brakes, motors with a wrong sign, drives with a time-out."""

from typing import Any

import numpy as np

from driver.controllers import make
from driver.settings import Settings

STEP_S = 0.002
MAX_SPEED = 3.0  # [rad/s] of any joint


class StandInArm:
    """One arm with its controller; time is given by the caller. Arrays (n,) are in the order of `settings.joints`."""

    def __init__(self, settings: Settings, now_s: float) -> None:
        self.settings = settings
        self.position = np.array(settings.home, dtype=float)
        self.velocity = np.zeros(len(settings.joints))
        self.controller = make(settings.kind, settings.controller_joints or settings.joints, settings.from_desired)
        self.refused: list[str] = []
        self._now_s = self._commanded_s = now_s
        self._held: np.ndarray | None = None  # where the drives hold, without a command of position

    def command(self, message: Any, now_s: float) -> None:
        """Take a command of the controller's type."""
        self.advance(now_s)
        if not self.settings.active:
            return
        mine = self._of_controller()
        reason = self.controller.command(
            message, now_s, self._pick(self.position, mine), self._pick(self.velocity, mine)
        )
        if reason is None:
            self._commanded_s = now_s
        else:
            self.refused.append(reason)

    def advance(self, now_s: float) -> None:
        """Move until `now_s`."""
        steps = min(1000, int((now_s - self._now_s) / STEP_S))
        for _ in range(steps):
            self._now_s += STEP_S
            self._step()
        if steps == 1000:
            self._now_s = now_s

    def _step(self) -> None:
        settings = self.settings
        if settings.timeout_s and self._now_s - self._commanded_s > settings.timeout_s:
            self.controller.release()
        positions, velocities = self.controller.setpoint(self._now_s) if settings.active else (None, None)
        wanted = np.zeros(len(self.position))
        mine = self._of_controller()
        if velocities is not None:
            wanted[mine[mine >= 0]] = velocities[mine >= 0]
            self._held = None
        else:
            if self._held is None:
                self._held = self.position.copy()
            if positions is not None:
                self._held[mine[mine >= 0]] = positions[mine >= 0]
            wanted = np.clip((self._held - self.position) / settings.lag_s, -MAX_SPEED, MAX_SPEED)
        if settings.sign:
            wanted = wanted * np.array(settings.sign)
        if velocities is None:  # a position loop: critically fast velocity loop inside
            self.velocity = wanted
        else:
            self.velocity = self.velocity + (wanted - self.velocity) * (1.0 - np.exp(-STEP_S / settings.lag_s))
        if settings.brake:
            self.velocity = np.zeros(len(self.position))
        self.position = self.position + STEP_S * self.velocity

    def _of_controller(self) -> np.ndarray:
        """The arm's joint at each place of the controller's order; -1 for one that the arm has not."""
        names = self.settings.controller_joints or self.settings.joints
        return np.array([self.settings.joints.index(n) if n in self.settings.joints else -1 for n in names])

    @staticmethod
    def _pick(values: np.ndarray, places: np.ndarray) -> np.ndarray:
        return np.where(places >= 0, values[places], 0.0)

    def states(self) -> list[dict[str, tuple[float, float, float]]]:
        """What each publisher says: position, velocity and effort by joint, sorted by name."""
        settings = self.settings
        effort = {"measured": 1.0, "nan": float("nan"), "none": 0.0}[settings.effort]
        whole = {name: (0.01, 0.0, 0.5) for name in settings.other_joints}
        for name, place, speed in zip(settings.joints, self.position, self.velocity, strict=True):
            shown = float((place + np.pi) % (2.0 * np.pi) - np.pi) if name in settings.wrapped else float(place)
            whole[name] = (shown, float(speed), effort)
        names = sorted(whole)
        return [{name: whole[name] for name in names[part :: settings.parts]} for part in range(settings.parts)]
