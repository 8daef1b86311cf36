"""The hinge's angle out of an IMU on the door.

A Kalman filter of two states, the angle and the gyro's bias about the hinge:

    angle' = k h.w - bias        h: hinge axis in the IMU's frame, w: angular rate, k: the gyro's scale

It needs no heading. Two things keep it from drifting: whenever the door is known to be closed, the
angle is zero and what the gyro reads is its bias; and where the IMU has an absolute heading, the
twist of its orientation about the hinge against the closed door's pulls the angle slowly.
"""

import enum
from dataclasses import dataclass

import numpy as np

from naf_robot.core.config import Config
from naf_robot.core.records import FloatArray
from naf_robot.core.types import PositiveFloat
from naf_robot.sensing import rotation
from naf_robot.sensing.door.calibration import DoorImuCalibration
from naf_robot.sensing.imu import ImuReading, gravity_refusal, refusal

DEGREE = np.pi / 180.0


class DoorAngleConfig(Config, frozen=True):
    """How readings are checked and weighed; the noise values are those of a low-cost MEMS gyro."""

    max_age_s: PositiveFloat = 0.1  # age beyond which a reading gives no angle
    max_angle: PositiveFloat = 3.5  # [rad] largest angle in both directions
    max_gap_s: PositiveFloat = 0.1  # longest gap between readings that is integrated across
    start_still_s: PositiveFloat = 0.5  # [s] time of stillness with a closed door before the first angle
    still_deviation: PositiveFloat = 0.01  # [rad/s] standard deviation of the rate that counts as still
    mounting_tolerance: PositiveFloat = 8.0 * DEGREE  # difference of gravity's direction from the calibrated one
    bias_step: PositiveFloat = 2.0 * DEGREE  # [rad/s] largest change of a known gyro bias when starting again
    closed_tolerance: PositiveFloat = 1.5 * DEGREE  # a still door nearer to closed than this is closed
    rest_tolerance: PositiveFloat = 8.0 * DEGREE  # a door nearer to closed than this is closed
    rest_still_s: PositiveFloat = 3.0  # time that a door within rest_tolerance must be still
    closed_rate: PositiveFloat = 0.5 * DEGREE  # [rad/s] rate below which the door is still
    closed_still_s: PositiveFloat = 0.5  # time that a door within closed_tolerance must be still
    closed_deviation: PositiveFloat = 0.1 * DEGREE  # standard deviation of a closed door's angle
    gyro_noise: PositiveFloat = 0.005 * DEGREE  # noise density of the rate [rad/s/sqrt(Hz)]
    bias_walk: PositiveFloat = 0.01 * DEGREE  # density of the gyro bias's random walk [rad/s^2/sqrt(Hz)]
    heading_deviation: PositiveFloat = 2.0 * DEGREE  # standard deviation of an absolute heading
    heading_correlation_s: PositiveFloat = 30.0  # time over which the heading's error stays the same


class DoorAngleState(enum.Enum):
    """Whether there is an angle; the value says what is the matter."""

    STARTING = "keep the door closed: finding the gyro's bias"
    TRACKING = "tracking"
    LOST = "the angle was lost; close the door"


@dataclass(frozen=True)
class DoorEstimate:
    """The door at `stamp_s`."""

    stamp_s: float
    angle: float  # [rad], positive towards the robot
    rate: float  # [rad/s]
    deviation: float  # [rad] standard deviation of the angle's error
    bias: float  # [rad/s] of the gyro about the hinge
    orientation: FloatArray  # (4,) x, y, z, w of the door in the base frame


class DoorAngleEstimator:
    """Follows one door. `hinge_axis` (3,) is the hinge in the base frame, positive towards the robot."""

    def __init__(
        self,
        calibration: DoorImuCalibration,
        hinge_axis: tuple[float, float, float],
        config: DoorAngleConfig | None = None,
    ) -> None:
        self.calibration = calibration
        self.config = config or DoorAngleConfig()
        self.state = DoorAngleState.STARTING
        self.closings = 0  # times that the door was known to be closed
        self._hinge_axis = np.asarray(hinge_axis, dtype=np.float64)
        self._imu_axis = np.asarray(calibration.hinge_axis)
        self._gravity = np.asarray(calibration.gravity)
        self._start: list[ImuReading] = []
        self._x = np.zeros(2)  # angle, bias
        self._covariance = np.zeros((2, 2))
        self._rate = 0.0
        self._sampling_s = 0.0
        self._last: ImuReading | None = None
        self._closed_orientation: FloatArray | None = None
        self._sign = np.array([0.0, 0.0, 0.0, 1.0])
        self._still_since_s: float | None = None

    def update(self, reading: ImuReading) -> str | None:
        """Take one reading; the reason if it is refused.

        A refused reading changes nothing, but that one with which the angle leaves the possible loses the angle.
        """
        reason = refusal(reading, self.calibration.frame)
        if reason is None and self._last is not None and reading.stamp_s <= self._last.stamp_s:
            reason = f"stamp {reading.stamp_s:.3f} s is not after the last one, {self._last.stamp_s:.3f} s"
        if reason is not None:
            return reason
        gap_s = reading.stamp_s - self._last.stamp_s if self._last is not None else 0.0
        if gap_s > self.config.max_gap_s:
            self._lose()
        reason = self._begin(reading) if self.state is not DoorAngleState.TRACKING else None
        if reason is None and self.state is DoorAngleState.TRACKING and self._last is not None:
            self._predict(reading, gap_s)
            self._correct_heading(reading, gap_s)
            self._correct_closed(reading)
            reason = self._too_far()
        self._last = reading
        return reason

    def known_closed(self) -> None:
        """Somebody who knows says that the door is closed and still: start anew from zero."""
        self._lose()

    def estimate(self, now_s: float) -> tuple[DoorEstimate | None, str]:
        """The door at `now_s`, the newest reading carried on at its rate; or None, and the reason why not."""
        last = self._last
        if last is None:
            return None, "no IMU reading yet"
        age_s = now_s - last.stamp_s
        if age_s > self.config.max_age_s:
            return None, f"the newest IMU reading is {age_s:.2f} s old, allowed {self.config.max_age_s} s"
        if self.state is not DoorAngleState.TRACKING:
            return None, self.state.value
        angle, bias = float(self._x[0]), float(self._x[1])
        angle += self._rate * max(0.0, age_s)
        self._sign = rotation.same_sign(rotation.about_axis(self._hinge_axis, angle), self._sign)
        deviation = float(np.sqrt(self._covariance[0, 0]))
        return DoorEstimate(last.stamp_s, angle, self._rate, deviation, bias, self._sign.copy()), self.state.value

    def _about_hinge(self, reading: ImuReading) -> float:
        return self.calibration.gyro_scale * float(self._imu_axis @ reading.rate)

    def _lose(self) -> None:
        self.state = DoorAngleState.LOST if self.closings else DoorAngleState.STARTING
        self._start, self._still_since_s = [], None

    def _too_far(self) -> str | None:
        angle = abs(float(self._x[0]))
        if angle <= self.config.max_angle:
            return None
        self._lose()
        return (
            f"the door seems to have turned by {angle:.1f} rad, it can by {self.config.max_angle} rad; the turn was "
            f"{np.radians(angle):.2f} rad if the driver's unit is degrees per second: it must be rad/s"
        )

    def _begin(self, reading: ImuReading) -> str | None:
        """Collect stillness at the closed door, then start from zero."""
        config = self.config
        self._start.append(reading)
        window = [r for r in self._start if r.stamp_s >= reading.stamp_s - config.start_still_s - 1e-9]
        covered = reading.stamp_s - self._start[0].stamp_s >= config.start_still_s - 1e-9
        self._start = window
        rates = np.array([r.rate for r in window])
        if not covered or rates.std(axis=0).max() > config.still_deviation:
            return None
        force = np.mean([r.acceleration for r in window], axis=0)
        missing = gravity_refusal(force)
        if missing is not None:
            return missing
        tilt = float(np.arccos(np.clip(force @ self._gravity / np.linalg.norm(force), -1.0, 1.0)))
        if not tilt <= config.mounting_tolerance:
            return (
                f"gravity is {tilt / DEGREE:.0f} degrees from the calibrated direction: the IMU is mounted otherwise "
                "than when it was calibrated; calibrate it again"
            )
        bias = self.calibration.gyro_scale * float(self._imu_axis @ rates.mean(axis=0))
        if self.closings and abs(bias - self._x[1]) > config.bias_step:
            return None  # a door that turns steadily is still by its deviation, too
        self._sampling_s = float(np.diff([r.stamp_s for r in window]).min())
        self._x = np.array([0.0, bias])
        spread = config.gyro_noise**2 / config.start_still_s
        self._covariance = np.diag([config.closed_deviation**2, spread])
        self._closed_orientation = reading.orientation
        self._still_since_s = None
        self.closings += 1
        self.state = DoorAngleState.TRACKING
        return None

    def _predict(self, reading: ImuReading, period_s: float) -> None:
        """A device's filter averages over its sampling period; what lies before that, in lost readings, is between."""
        before, self._rate = self._rate, self._about_hinge(reading) - float(self._x[1])
        missed_s = max(0.0, period_s - self._sampling_s)
        self._x[0] += self._rate * (period_s - missed_s) + 0.5 * (before + self._rate) * missed_s
        transition = np.array([[1.0, -period_s], [0.0, 1.0]])
        noise = np.diag([self.config.gyro_noise**2, self.config.bias_walk**2]) * period_s
        self._covariance = transition @ self._covariance @ transition.T + noise

    def _correct_heading(self, reading: ImuReading, period_s: float) -> None:
        """An absolute heading's error is the same for long: so one reading corrects little, many more."""
        if self.calibration.heading != "absolute" or reading.orientation is None or self._closed_orientation is None:
            return
        config = self.config
        turned = rotation.product(rotation.inverse(self._closed_orientation), reading.orientation)
        measured = rotation.twist(turned, self._imu_axis)
        count = config.heading_correlation_s / max(period_s, 1e-6)
        self._correct(np.array([1.0, 0.0]), measured, config.heading_deviation**2 * count)

    def _correct_closed(self, reading: ImuReading) -> None:
        """A door that stands still near zero is taken as closed: spring and latch leave it no other rest.

        The nearer it is, the shorter it must stand still: somebody may hold a door ajar, but not for long.
        """
        config = self.config
        angle = abs(float(self._x[0]))
        if angle > config.rest_tolerance or abs(self._rate) > config.closed_rate:
            self._still_since_s = None
            return
        if self._still_since_s is None:
            self._still_since_s = reading.stamp_s
        needed_s = config.closed_still_s if angle <= config.closed_tolerance else config.rest_still_s
        if reading.stamp_s - self._still_since_s >= needed_s:
            if angle > config.closed_tolerance:  # an error as large says that the covariance was too small
                self._covariance = self._covariance + np.diag([angle**2, config.closed_rate**2])
            self.closings += 1
            self._still_since_s = reading.stamp_s
            self._correct(np.array([1.0, 0.0]), 0.0, config.closed_deviation**2)
            self._correct(np.array([0.0, 1.0]), self._about_hinge(reading), config.closed_rate**2 / 25.0)
            if reading.orientation is not None:
                self._closed_orientation = reading.orientation

    def _correct(self, row: FloatArray, measured: float, variance: float) -> None:
        gain = self._covariance @ row / (row @ self._covariance @ row + variance)
        self._x = self._x + gain * (measured - row @ self._x)
        self._covariance = self._covariance - np.outer(gain, row) @ self._covariance
