"""A low-cost MEMS IMU: true motion in, readings with noise, bias, drift, scale error and dropout out.

Default numbers: InvenSense MPU-6050, product specification PS-MPU-6000A-00 revision 3.4, sections
6.1 and 6.2: rate noise 0.005 deg/s/sqrt(Hz), zero-rate output +-20 deg/s, its variation +-20 deg/s
over 125 K (0.32 deg/s/K, here at a warm-up of 1 K per minute), sensitivity tolerance +-3 %,
acceleration noise 400 ug/sqrt(Hz), zero-g output +-50 mg. Heading of units with a magnetometer:
2 deg rms (VectorNav VN-100, https://www.vectornav.com/products/detail/vn-100).
"""

from typing import Literal

import numpy as np

from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError
from naf_robot.core.records import FloatArray
from naf_robot.core.types import FractionBelowOne, NonNegativeFloat, PositiveFloat
from naf_robot.sensing import rotation
from naf_robot.sensing.imu import GRAVITY, ImuReading, to_rows

DEGREE = np.pi / 180.0
UP = (0.0, 0.0, 1.0)


class ImuConfig(Config, frozen=True):
    """One device and how it is mounted; a bound is what a device's own error is drawn within, uniformly."""

    frame: str = "door_imu"  # frame_id of the IMU's messages
    mounting: tuple[float, float, float, float] = (0.5, 0.5, 0.5, 0.5)  # rotation (x, y, z, w) IMU to panel
    rate_hz: PositiveFloat = 100.0  # readings per second
    orientation: Literal["none", "drifting", "absolute"] = "drifting"  # no orientation, or one with a
    # drifting or an absolute heading
    gyro_noise: NonNegativeFloat = 0.005 * DEGREE  # noise density of the rate [rad/s/sqrt(Hz)]
    gyro_bias: NonNegativeFloat = 20.0 * DEGREE  # bound of the bias when switched on [rad/s]
    gyro_drift: NonNegativeFloat = 0.32 * DEGREE / 60.0  # bound of the bias's steady change [rad/s^2]
    gyro_scale_error: NonNegativeFloat = 0.03  # bound of the scale's error
    acceleration_noise: NonNegativeFloat = 400e-6 * GRAVITY  # noise density of the acceleration [m/s^2/sqrt(Hz)]
    acceleration_bias: NonNegativeFloat = 0.05 * GRAVITY  # bound of the acceleration's bias [m/s^2]
    heading_error: NonNegativeFloat = 2.0 * DEGREE  # error of an absolute heading [rad], slowly varying
    heading_correlation_s: PositiveFloat = 30.0  # time over which the heading error stays the same
    dropout: FractionBelowOne = 0.0  # probability that a single reading is lost


class ImuModel:
    """One device. Its scale and its acceleration's bias are drawn once, its gyro's bias at each `switch_on`."""

    def __init__(self, config: ImuConfig, random: np.random.Generator) -> None:
        self.config = config
        self._random = random
        self._scale = 1.0 + random.uniform(-1.0, 1.0) * config.gyro_scale_error
        self._acceleration_bias = random.uniform(-1.0, 1.0, 3) * config.acceleration_bias
        self._to_imu = rotation.inverse(config.mounting)
        self.switch_on()

    def switch_on(self) -> None:
        """A new turn-on bias and a new drift of it; a drifting heading starts at zero error."""
        config = self.config
        self._bias = self._random.uniform(-1.0, 1.0, 3) * config.gyro_bias
        self._turn_on_bias = self._bias.copy()
        self._drift = self._random.uniform(-1.0, 1.0, 3) * config.gyro_drift
        absolute = config.orientation == "absolute"
        self._heading = float(self._random.normal(0.0, config.heading_error)) if absolute else 0.0

    def sample(
        self, stamp_s: float, orientation: FloatArray, rate: FloatArray, acceleration: FloatArray
    ) -> ImuReading | None:
        """The reading at `stamp_s`, None if it was lost.

        `orientation` (4,) is that of the panel in the base frame, `rate` (3,) [rad/s] and
        `acceleration` (3,) [m/s^2] (specific force) are in the panel's frame. To be called at the
        configured rate: noise and drift count one sampling period per call.
        """
        config, period_s = self.config, 1.0 / self.config.rate_hz
        self._bias = self._bias + self._drift * period_s
        true_rate = rotation.rotated(self._to_imu, rate)
        measured = self._scale * true_rate + self._bias + self._white(config.gyro_noise)
        force = rotation.rotated(self._to_imu, acceleration)
        force = force + self._acceleration_bias + self._white(config.acceleration_noise)
        reading = ImuReading(stamp_s, config.frame, measured, force, self._orientation(orientation, period_s))
        return None if config.dropout and self._random.random() < config.dropout else reading

    def _white(self, density: float) -> FloatArray:
        return self._random.normal(0.0, density * np.sqrt(self.config.rate_hz), 3)

    def _orientation(self, panel: FloatArray, period_s: float) -> FloatArray | None:
        config = self.config
        if config.orientation == "none":
            return None
        true = rotation.product(panel, config.mounting)
        if config.orientation == "drifting":  # what a filter inside the device integrates: the bias since switching on
            about_up = rotation.rotated(true, self._bias - self._turn_on_bias)[2]
            self._heading += float(about_up) * period_s
        else:
            keep = np.exp(-period_s / config.heading_correlation_s)
            step = config.heading_error * np.sqrt(1.0 - keep**2)
            self._heading = float(keep * self._heading + self._random.normal(0.0, step))
        return rotation.product(rotation.about_axis(UP, self._heading), true)


class ImuSampler:
    """A device that is fed with every physics step and takes a reading whenever its sampling period is over.

    Raises:
        ConfigError: the physics step does not divide the sampling period.
    """

    def __init__(self, device: ImuModel, physics_step_s: float) -> None:
        self.device = device
        self._every = steps_per_sample(device.config, physics_step_s)
        self.restart()

    def restart(self) -> None:
        """Forget what was averaged and not yet read."""
        self._readings: list[ImuReading] = []
        self._sum = np.zeros(7)  # of rate and acceleration over the running period, and their count

    def add(self, stamp_s: float, orientation: FloatArray, rate: FloatArray, acceleration: FloatArray) -> None:
        """The true motion at `stamp_s`, as `ImuModel.sample` takes it.

        As in a real device a filter averages rate and acceleration over the sampling period, so that
        a jolt between two samples is not missed.
        """
        total = self._sum
        total += np.concatenate((rate, acceleration, [1.0]))
        if total[6] < self._every:
            return
        mean = total[:6] / total[6]
        reading = self.device.sample(stamp_s, orientation, mean[:3], mean[3:])
        total[:] = 0.0
        if reading is not None:
            self._readings.append(reading)

    def rows(self) -> tuple[FloatArray, FloatArray]:
        """The readings since the last call and their stamps, as `sensing.imu.to_rows` gives them."""
        readings, self._readings = self._readings, []
        return to_rows(readings)


def steps_per_sample(config: ImuConfig, physics_step_s: float) -> int:
    """How many physics steps make one sampling period of the device.

    Raises:
        ConfigError: the physics step does not divide it.
    """
    period_s = 1.0 / config.rate_hz
    count = round(period_s / physics_step_s)
    if count < 1 or abs(count * physics_step_s - period_s) > 1e-9:
        raise ConfigError(f"the physics step {physics_step_s} s must divide the IMU's sampling period {period_s} s")
    return count
