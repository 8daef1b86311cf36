"""The guided calibration of a simulated door's IMU, and a door that is moved through it without any simulator."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from naf_robot.core.seeding import stream
from naf_robot.sensing.door.calibration import (
    CalibrationError,
    CalibrationRoutine,
    DoorImuCalibration,
    RoutineConfig,
    RoutinePhase,
)
from naf_robot.sensing.imu import ImuReading, from_rows
from naf_robot.sim.imu import ImuConfig, ImuModel, ImuSampler
from naf_robot.sim.scenes.door import DoorSceneConfig
from naf_robot.sim.scenes.door_motion import imu_motion
from naf_robot.sim.scenes.door_parts import door_parts

STOP = 1.5  # [rad] where the swing of the calibration stops


@dataclass(frozen=True)
class Moment:
    """The IMU's readings of one period and the truth at its end."""

    time_s: float
    angle: float  # [rad]
    rate: float  # [rad/s]
    readings: list[ImuReading]


class MovableDoor(Protocol):
    """A door with an IMU that can be led to an angle."""

    imu: ImuConfig

    def move(self, angle: float | None, duration_s: float, period_s: float = 0.05) -> Iterator[Moment]:
        """Hold the lever down and move the door to `angle` [rad] for a while; None lets go of it."""
        ...


def calibrate(door: MovableDoor) -> DoorImuCalibration:
    """Run the guided calibration with `door`, to a stop at a known angle.

    Raises:
        CalibrationError: the routine's own reasons, or it was not completed.
    """
    heading = "absolute" if door.imu.orientation == "absolute" else "relative"
    routine = CalibrationRoutine(door.imu.frame, RoutineConfig(known_swing=STOP), heading)
    for angle, duration_s in ((None, 3.0), (STOP, 3.0), (0.0, 3.0), (None, 4.0)):
        for moment in door.move(angle, duration_s):
            for reading in moment.readings:
                if routine.add(reading) is RoutinePhase.DONE and routine.calibration is not None:
                    return routine.calibration
    raise CalibrationError(f"the simulated routine ended while it was waiting for: {routine.phase.value}")


class LedDoor:
    """A door that goes exactly where it is led: with the device number `device` of a world with this seed."""

    def __init__(self, config: DoorSceneConfig, seed: int = 0, device: int = 0, step_s: float = 0.005) -> None:
        self.imu = config.imu if config.imu is not None else ImuConfig()
        self._sampler = ImuSampler(ImuModel(self.imu, stream(seed, "door", "imu", device)), step_s)
        self._place = np.array(door_parts(config, "", "").imu_position)
        self._step_s, self._steps = step_s, 0
        self._angle = self._rate = 0.0

    def move(self, angle: float | None, duration_s: float, period_s: float = 0.05) -> Iterator[Moment]:
        """As `MovableDoor.move`: along half a cosine, over the first part of `duration_s`."""
        start, first, swing_s = self._angle, self._steps, 0.7 * duration_s
        for _ in range(round(duration_s / period_s)):
            for _ in range(round(period_s / self._step_s)):
                self._steps += 1
                share = min(1.0, (self._steps - first) * self._step_s / swing_s)
                wanted = start + ((start if angle is None else angle) - start) * 0.5 * (1.0 - np.cos(np.pi * share))
                rate = (wanted - self._angle) / self._step_s
                acceleration = (rate - self._rate) / self._step_s
                self._angle, self._rate = float(wanted), float(rate)
                motion = imu_motion(self._place, self._angle, self._rate, float(acceleration))
                self._sampler.add(self._steps * self._step_s, *motion)
            readings = from_rows(*self._sampler.rows(), self.imu.frame)
            yield Moment(self._steps * self._step_s, self._angle, self._rate, readings)
