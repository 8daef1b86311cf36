"""Sensor imperfections: delay, noise and dropout between the true state and what is read.

Samples and streams differ (`sensing.sensor`). Of a sample, a delayed or lost period leaves the reading before in
place. A stream's reading keeps its own stamp and comes once: delayed it arrives later, lost it never comes.
"""

from collections import deque

import numpy as np

from naf_robot.sensing.sensor import STAMPS, is_stream
from naf_robot.sensing.signals import Signals
from naf_robot.sim.simulator import ImperfectionConfig


class ImperfectSensors:
    """Delays, loses and blurs one robot's signals; with the default config it passes them on."""

    def __init__(self, config: ImperfectionConfig, random: np.random.Generator) -> None:
        self._config = config
        self.random = random
        self._noise = {"joint_position": config.position_noise, "joint_velocity": config.velocity_noise}
        self._samples: deque[Signals] = deque(maxlen=config.sensor_delay_periods + 1)
        self._streams: deque[Signals] = deque([{}] * config.sensor_delay_periods)  # on their way
        self._current: Signals = {}
        self._arrived: Signals = {}  # of the streams, in the newest period

    def restart(self, signals: Signals, at_home: bool) -> None:
        """The world was laid anew: its state is as if `signals` had been there for long.

        Readings of streams that are on their way still arrive, unless the arm was put `at_home`: then an episode
        begins that depends on nothing before.
        """
        samples, streams = _split(signals)
        self._samples.clear()
        self._samples.extend([samples] * (self._config.sensor_delay_periods + 1))
        self._current = self._blurred(samples)
        if at_home or not self._arrived:
            self._streams = deque([{}] * self._config.sensor_delay_periods)
            self._arrived = {name: value[:0] for name, value in streams.items()}

    def update(self, signals: Signals) -> None:
        """Take the true `signals` of a new control period."""
        samples, streams = _split(signals)
        self._samples.append(samples)
        self._streams.append(streams)
        arriving = self._streams.popleft()
        self._arrived = arriving or {name: value[:0] for name, value in streams.items()}
        if self._config.dropout and self.random.random() < self._config.dropout:
            self._arrived = {name: value[:0] for name, value in streams.items()}
            return
        self._current = self._blurred(self._samples[0])

    def read(self) -> Signals:
        """The newest state, and the readings of streams that came in the newest period; arrays are copies."""
        return {name: value.copy() for name, value in (*self._current.items(), *self._arrived.items())}

    def _blurred(self, signals: Signals) -> Signals:
        blurred = dict(signals)
        for name, deviation in self._noise.items():
            if deviation:
                blurred[name] = signals[name] + self.random.normal(0.0, deviation, signals[name].shape)
        return blurred


def _split(signals: Signals) -> tuple[Signals, Signals]:
    """The samples and the streams of `signals`."""
    if not any(name.endswith(STAMPS) for name in signals):
        return signals, {}
    streams = {name for name in signals if is_stream(name, signals)}
    return {n: v for n, v in signals.items() if n not in streams}, {n: signals[n] for n in streams}
