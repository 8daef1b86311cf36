"""The IMU on the back of each robot's simulated door: samples the physics at its own rate."""

from collections.abc import Sequence

import mujoco
import numpy as np

from naf_robot.core.errors import ConfigError
from naf_robot.core.records import FloatArray
from naf_robot.core.seeding import stream
from naf_robot.sensing.imu import ImuReading, to_rows
from naf_robot.sim.imu import ImuConfig, ImuModel
from naf_robot.sim.mujoco.door_model import IMU_ACCELERATION, IMU_ORIENTATION, IMU_RATE


class DoorImus:
    """One device per robot, distinguished by the identity of the robot's data; `numbers` are those of the robots."""

    def __init__(self, config: ImuConfig, seed: int, numbers: Sequence[int] = (0,)) -> None:
        self._config = config
        self._numbers = tuple(numbers)
        self._seed = seed
        self._devices: dict[int, ImuModel] = {}
        self._readings: dict[int, list[ImuReading]] = {}
        self._sums: dict[int, FloatArray] = {}  # of rate and acceleration over the running period, and their count

    def bind(self, model: mujoco.MjModel) -> None:
        """Look up the sensors.

        Raises:
            ConfigError: the physics step does not divide the sampling period.
        """
        period_s = 1.0 / self._config.rate_hz
        self._physics_step_s = float(model.opt.timestep)
        self._every = round(period_s / self._physics_step_s)
        if self._every < 1 or abs(self._every * self._physics_step_s - period_s) > 1e-9:
            raise ConfigError(
                f"the physics step {self._physics_step_s} s must divide the IMU's sampling period {period_s} s"
            )
        names = (IMU_ORIENTATION, IMU_RATE, IMU_ACCELERATION)
        self._addresses = [slice(int(s.adr[0]), int(s.adr[0] + s.dim[0])) for s in map(model.sensor, names)]

    def restart(self, data: mujoco.MjData) -> None:
        """A device for `data` if it has none, and no readings."""
        key = id(data)
        if key not in self._devices:
            number = self._numbers[len(self._devices)]
            self._devices[key] = ImuModel(self._config, stream(self._seed, "door", "imu", number))
        self._readings[key], self._sums[key] = [], np.zeros(7)

    def switch_on(self) -> None:
        """Switch every device off and on, which draws a new bias."""
        for device in self._devices.values():
            device.switch_on()

    def before_step(self, data: mujoco.MjData) -> None:
        """Add the last physics step, at whose start the sensors were read; take a sample if it is due.

        As in a real device a filter averages rate and acceleration over the sampling period, so that
        a jolt between two samples is not missed.
        """
        key, sums = id(data), self._sums[id(data)]
        orientation, rate, acceleration = (data.sensordata[address] for address in self._addresses)
        sums += np.concatenate((rate, acceleration, [1.0]))
        if sums[6] < self._every:
            return
        (w, x, y, z), mean = orientation, sums[:6] / sums[6]
        stamp_s = data.time - self._physics_step_s
        reading = self._devices[key].sample(stamp_s, np.array([x, y, z, w]), mean[:3], mean[3:])
        sums[:] = 0.0
        if reading is not None:
            self._readings[key].append(reading)

    def rows(self, data: mujoco.MjData) -> tuple[FloatArray, FloatArray]:
        """The readings since the last call and their stamps, as `sensing.imu.to_rows` gives them."""
        readings, self._readings[id(data)] = self._readings[id(data)], []
        return to_rows(readings)
