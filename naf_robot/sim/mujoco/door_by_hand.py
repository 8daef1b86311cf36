"""A simulated door without an arm, moved by an external force, to calibrate its IMU and measure the estimated angle."""

from collections.abc import Iterator

import msgspec
import mujoco
import numpy as np

from naf_robot.sensing.imu import from_rows
from naf_robot.sensing.sensor import STAMPS
from naf_robot.sim.imu import ImuConfig
from naf_robot.sim.mujoco.door_imu import DoorImus
from naf_robot.sim.mujoco.door_model import HINGE_JOINT, LEVER_JOINT
from naf_robot.sim.mujoco.door_scene import DoorScene
from naf_robot.sim.scenes.door import DoorSceneConfig
from naf_robot.sim.scenes.door_calibration import Moment


class DoorByHand:
    """One door with an IMU: the device number `device` of a world with this configuration and seed."""

    def __init__(self, config: DoorSceneConfig, seed: int = 0, device: int = 0, physics_step_s: float = 0.005) -> None:
        self.imu = config.imu if config.imu is not None else ImuConfig()
        self._imus = DoorImus(self.imu, seed, (device,))
        self._scene = DoorScene(msgspec.structs.replace(config, imu=self.imu), seed, imus=self._imus)
        spec = mujoco.MjSpec()
        spec.compiler.degree = False
        spec.option.timestep = physics_step_s
        spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
        self._scene.build(spec)
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        self._scene.bind(self._model)
        self._scene.place(self._model, self._data, None, at_home=True)
        mujoco.mj_forward(self._model, self._data)

    def switch_on(self) -> None:
        """Switch the IMU off and on."""
        self._imus.switch_on()

    def move(self, angle: float | None, duration_s: float, period_s: float = 0.05) -> Iterator[Moment]:
        """Hold the lever down and move the door to `angle` [rad] for a while; None releases it."""
        hinge, lever = (self._data.joint(name) for name in (HINGE_JOINT, LEVER_JOINT))
        start = float(hinge.qpos[0])
        for period in range(round(duration_s / period_s)):
            for _ in range(round(period_s / self._model.opt.timestep)):
                if angle is None:
                    hinge.qfrc_applied[0] = lever.qfrc_applied[0] = 0.0
                else:
                    share = min(1.0, (period + 1) * period_s / (0.7 * duration_s))
                    wanted = start + (angle - start) * 0.5 * (1.0 - np.cos(np.pi * share))
                    hinge.qfrc_applied[0] = 600.0 * (wanted - hinge.qpos[0]) - 40.0 * hinge.qvel[0]
                    lever.qfrc_applied[0] = 1.5
                self._scene.before_step(self._model, self._data)
                mujoco.mj_step(self._model, self._data)
            signals = self._scene.signals(self._model, self._data)
            readings = from_rows(signals["door_imu"], signals["door_imu" + STAMPS], self.imu.frame)
            yield Moment(float(self._data.time), float(hinge.qpos[0]), float(hinge.qvel[0]), readings)
