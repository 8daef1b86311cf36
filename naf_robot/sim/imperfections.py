"""Sensor imperfections: delay, noise and dropout between the true state and what is read."""

from collections import deque

import numpy as np

from naf_robot.sensing.signals import Signals
from naf_robot.sim.simulator import ImperfectionConfig


class ImperfectSensors:
    """Delays, loses and blurs one robot's signals; with the default config it passes them on."""

    def __init__(self, config: ImperfectionConfig, random: np.random.Generator) -> None:
        self._config = config
        self.random = random
        self._noise = {"joint_position": config.position_noise, "joint_velocity": config.velocity_noise}
        self._queue: deque[Signals] = deque(maxlen=config.sensor_delay_periods + 1)
        self._current: Signals = {}

    def restart(self, signals: Signals) -> None:
        """Forget the past: as if `signals` had been there for long."""
        self._queue.clear()
        self._queue.extend([signals] * (self._config.sensor_delay_periods + 1))
        self._current = self._blurred(signals)

    def update(self, signals: Signals) -> None:
        """Take the true `signals` of a new control period."""
        self._queue.append(signals)
        if self._config.dropout and self.random.random() < self._config.dropout:
            return
        self._current = self._blurred(self._queue[0])

    def read(self) -> Signals:
        """The newest reading; arrays are copies."""
        return {name: value.copy() for name, value in self._current.items()}

    def _blurred(self, signals: Signals) -> Signals:
        blurred = dict(signals)
        for name, deviation in self._noise.items():
            if deviation:
                blurred[name] = signals[name] + self.random.normal(0.0, deviation, signals[name].shape)
        return blurred
