"""What is known of one door: its IMU's calibration, the guided routine that makes one, and the angle."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from naf_robot.sensing.door.angle import DoorAngleEstimator, DoorAngleState, DoorEstimate
from naf_robot.sensing.door.calibration import (
    CalibrationError,
    CalibrationRoutine,
    RoutinePhase,
    load_calibration,
    save_calibration,
)
from naf_robot.sensing.door.sensors import DoorImuConfig
from naf_robot.sensing.imu import ImuReading


@dataclass(frozen=True)
class Outcome:
    """The result of one reading."""

    estimate: DoorEstimate | None = None
    refusal: str | None = None  # why the reading was not used
    progress: str | None = None  # instruction to the operator of the guided routine
    failure: str | None = None  # why the routine ended without a calibration


class DoorTracker:
    """Follows one door by its IMU's readings; the calibration is the file `path`."""

    def __init__(self, settings: DoorImuConfig, path: Path, hinge_axis: tuple[float, float, float]) -> None:
        self._settings = settings
        self._path = path
        self._hinge_axis = hinge_axis
        self._estimator: DoorAngleEstimator | None = None
        self._routine: CalibrationRoutine | None = None
        self.trouble = "no IMU reading yet"

    def load(self) -> None:
        """Read the calibration as soon as there is one."""
        if self._estimator is not None:
            return
        try:
            calibration = load_calibration(self._path)
        except CalibrationError as error:
            self.trouble = str(error)
            return
        self._estimator = DoorAngleEstimator(calibration, self._hinge_axis, self._settings.angle)

    def calibrate(self) -> str:
        """Begin the guided routine with the IMU of the next reading; returns the operator's instruction."""
        self._routine = CalibrationRoutine(None, self._settings.routine, self._settings.heading)
        return self._routine.phase.value

    def known_closed(self) -> bool:
        """An operator reports that the door is closed: start anew from zero; false without a calibration."""
        if self._estimator is not None:
            self._estimator.known_closed()
        return self._estimator is not None

    def take(self, reading: ImuReading, now_s: float) -> Outcome:
        """One reading: to the routine while it runs, else to the estimator."""
        if self._routine is not None:
            return self._calibrate_with(self._routine, reading)
        return self._estimate_with(self._estimator, reading, now_s) if self._estimator is not None else Outcome()

    def report(self, now_s: float) -> tuple[DoorEstimate | None, str, dict[str, object]]:
        """What is known at `now_s`: an estimate or None, a sentence, and values for people."""
        if self._routine is not None:
            return None, f"calibrating: {self._routine.phase.value}", {}
        if self._estimator is None:
            return None, self.trouble, {}
        estimate, reason = self._estimator.estimate(now_s)
        values: dict[str, object] = {"times known closed": self._estimator.closings, "calibration": self._path}
        if estimate is None:
            lost = self._estimator.state is not DoorAngleState.TRACKING
            return None, self.trouble if lost else reason, values
        values |= {
            "angle [deg]": round(np.degrees(estimate.angle), 2),
            "standard deviation [deg]": round(np.degrees(estimate.deviation), 3),
            "gyro bias [deg/s]": round(np.degrees(estimate.bias), 3),
        }
        return estimate, reason, values

    @property
    def calibrated(self) -> bool:
        """Whether there is a calibration, or one is being made."""
        return self._estimator is not None or self._routine is not None

    def _estimate_with(self, estimator: DoorAngleEstimator, reading: ImuReading, now_s: float) -> Outcome:
        age_s, allowed_s = now_s - reading.stamp_s, self._settings.angle.max_age_s
        reason = estimator.update(reading)
        if age_s > allowed_s:
            reason = f"stale: stamped {age_s:.2f} s ago, allowed {allowed_s} s"
        if reason is not None:
            self.trouble = reason
            return Outcome(refusal=reason)
        estimate, self.trouble = estimator.estimate(reading.stamp_s)
        return Outcome(estimate=estimate)

    def _calibrate_with(self, routine: CalibrationRoutine, reading: ImuReading) -> Outcome:
        """One step of the guided routine; its end is a file and a fresh estimator."""
        phase = routine.phase
        try:
            done = routine.add(reading) is RoutinePhase.DONE
        except CalibrationError as error:
            self._routine, self.trouble = None, str(error)
            return Outcome(failure=str(error))
        if done and routine.calibration is not None:
            save_calibration(routine.calibration, self._path)
            self._routine = None
            self._estimator = DoorAngleEstimator(routine.calibration, self._hinge_axis, self._settings.angle)
            return Outcome(progress=f"saved to {self._path}")
        return Outcome(progress=routine.phase.value if routine.phase is not phase else None)
