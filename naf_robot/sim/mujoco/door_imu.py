"""The IMU on the back of each robot's simulated door: reads the true motion from MuJoCo's sensors."""

from collections.abc import Sequence

import mujoco
import numpy as np

from naf_robot.core.records import FloatArray
from naf_robot.core.seeding import stream
from naf_robot.sim.imu import ImuConfig, ImuModel, ImuSampler, steps_per_sample
from naf_robot.sim.mujoco.door_model import IMU_ACCELERATION, IMU_ORIENTATION, IMU_RATE


class DoorImus:
    """One device per robot, distinguished by the identity of the robot's data; `numbers` are those of the robots."""

    def __init__(self, config: ImuConfig, seed: int, numbers: Sequence[int] = (0,)) -> None:
        self._config = config
        self._numbers = tuple(numbers)
        self._seed = seed
        self._samplers: dict[int, ImuSampler] = {}

    def bind(self, model: mujoco.MjModel) -> None:
        """Look up the sensors.

        Raises:
            ConfigError: the physics step does not divide the sampling period.
        """
        self._physics_step_s = float(model.opt.timestep)
        steps_per_sample(self._config, self._physics_step_s)
        names = (IMU_ORIENTATION, IMU_RATE, IMU_ACCELERATION)
        self._addresses = [slice(int(s.adr[0]), int(s.adr[0] + s.dim[0])) for s in map(model.sensor, names)]

    def restart(self, data: mujoco.MjData) -> None:
        """A device for `data` if it has none, and no readings."""
        if id(data) not in self._samplers:
            number = self._numbers[len(self._samplers)]
            device = ImuModel(self._config, stream(self._seed, "door", "imu", number))
            self._samplers[id(data)] = ImuSampler(device, self._physics_step_s)
        self._samplers[id(data)].restart()

    def switch_on(self) -> None:
        """Switch every device off and on, which draws a new bias."""
        for sampler in self._samplers.values():
            sampler.device.switch_on()

    def before_step(self, data: mujoco.MjData) -> None:
        """Add the last physics step, at whose start the sensors were read; take a sample if it is due."""
        (w, x, y, z), rate, acceleration = (data.sensordata[address] for address in self._addresses)
        stamp_s = data.time - self._physics_step_s
        self._samplers[id(data)].add(stamp_s, np.array([x, y, z, w]), rate, acceleration)

    def rows(self, data: mujoco.MjData) -> tuple[FloatArray, FloatArray]:
        """The readings since the last call and their stamps, as `sensing.imu.to_rows` gives them."""
        return self._samplers[id(data)].rows()
