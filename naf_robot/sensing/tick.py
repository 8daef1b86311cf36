"""When a control tick is complete, and which signals are fresh then. No ROS: arrivals and clocks are passed in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from naf_robot.core.records import FloatArray
from naf_robot.sensing.sensor import STAMPS, Sensor
from naf_robot.sensing.signals import Signals

MAX_STREAM_READINGS = 10_000  # that are kept between two ticks
CLOCK_TOLERANCE_S = 1e-6
GRID_GAIN = 0.1  # of a timer's lateness that the grid of ticks takes over: both run for days


@dataclass(frozen=True)
class TickLimits:
    """What a tick waits for, and how long."""

    state_age_s: float  # of the joint states out of lockstep; the same bound as the velocity controller's
    answer_wait_s: float  # wall time to wait for the answer to the last request
    sensor_wait_s: float  # wall time to wait for the readings of a simulated tick
    sensor_lag_s: float = 0.0  # by which simulated readings arrive later than they are stamped
    future_s: float = 0.1  # out of lockstep a stamp further ahead of the clock is refused
    jump_s: float = 1.0  # a clock or a stamp that goes back by more has been set anew


@dataclass(frozen=True)
class SensedTick:
    """One complete control tick."""

    now_s: float
    signals: Signals  # the fresh ones; a stream's readings since the tick before
    missed_periods: int  # control periods without a tick since the one before


@dataclass
class _Sample:
    stamp_s: float
    signals: Signals


class TickAssembler:
    """Collects what arrives for one robot and says when it makes a control tick.

    `state` is the sensor that every tick needs (the joint states). In `lockstep` with a simulator the tick of `now_s`
    needs the state that carries exactly this stamp, and waits up to `sensor_wait_s` for readings of `others` from the
    same period. Where time goes on by itself, on a wall clock or that of a simulator which waits for nobody, it needs a
    state not older than `state_age_s`. After that the readings within their maximum age count, and others are absent.
    """

    def __init__(
        self, state: Sensor, others: Sequence[Sensor], period_s: float, lockstep: bool, limits: TickLimits
    ) -> None:
        self._state = state
        self._others = tuple(others)
        self._sensors = {sensor.name: sensor for sensor in (state, *others)}
        self._period_s = period_s
        self._lockstep = lockstep
        self._limits = limits
        self._samples: dict[str, _Sample] = {}
        self._streams: dict[str, list[_Sample]] = {s.name: [] for s in self._sensors.values() if s.kind == "stream"}
        self._newest: dict[str, float] = {}  # stamp of each sensor's newest reading
        self._last_s = -math.inf  # time of the last tick
        self._due_s = -math.inf  # of the next one: a grid, so that early ticks do not add up to a higher rate
        self._asked = False  # by the timer, for a tick that could not be had then
        self._answer_since_s: float | None = None  # wall time since which the answer is waited for
        self._sensors_since_s: float | None = None
        self.waiting_for = ""  # why there is no tick, in words; empty while there are ticks

    def arrive(self, name: str, stamp_s: float, signals: Signals, now_s: float) -> str | None:
        """Take a reading of sensor `name`; why it is refused, or None.

        A sample older than the newest one is ignored silently: messages may overtake each other.
        """
        if not self._lockstep and not stamp_s <= now_s + self._limits.future_s:
            return f"stamped {stamp_s - now_s:.3f} s in the future, allowed {self._limits.future_s} s"
        newest = self._newest.get(name, -math.inf)
        if name in self._streams:
            if newest - self._limits.jump_s < stamp_s <= newest:
                return f"stamp {stamp_s:.3f} s is not after the last one, {newest:.3f} s"
            readings = self._streams[name]
            readings.append(_Sample(stamp_s, signals))
            del readings[:-MAX_STREAM_READINGS]
        elif newest - self._limits.jump_s < stamp_s < newest:
            return None
        else:
            self._samples[name] = _Sample(stamp_s, signals)
        self._newest[name] = stamp_s
        return None

    def restart(self) -> None:
        """Nobody acted for a while: periods without a tick since the last one were not missed."""
        self._last_s = self._due_s = -math.inf

    def poll(self, now_s: float, wall_s: float, answered: bool = True, timer: bool = True) -> SensedTick | None:
        """The tick of `now_s` if it is due and complete.

        Out of lockstep the `timer` of the control period says when: whatever else calls completes only what the timer
        has asked for and could not get. Else the period would jump by that of the readings whenever one of these is
        about as early as a tick may be.

        `wall_s` is a steady clock, for bounded waits; `answered` says whether the last request has its answer.
        """
        if now_s < self._last_s - self._limits.jump_s:
            self.restart()
        self._asked = self._asked or timer or self._lockstep
        if not self._asked:
            return None
        slack_s = CLOCK_TOLERANCE_S if self._lockstep else 0.1 * self._period_s
        if now_s <= 0.0 or now_s < self._due_s - slack_s or not self._has_state(now_s):
            return None
        if not answered and not self._waited_for_answer(wall_s):
            return None
        if self._lockstep and not self._waited_for_sensors(now_s, wall_s):
            return None
        missed = 0
        if self._last_s > -math.inf:
            missed = max(0, round((now_s - self._last_s) / self._period_s) - 1)
        self._last_s, self._due_s, self._asked = now_s, self._next_s(now_s, timer), False
        self._answer_since_s = self._sensors_since_s = None
        self.waiting_for = ""
        return SensedTick(now_s, self._fresh(now_s), missed)

    def _next_s(self, now_s: float, timer: bool) -> float:
        """When the next tick is due after the one of `now_s`: on the grid, which follows the timer slowly."""
        late_s = now_s - self._due_s
        if self._lockstep or abs(late_s) >= self._period_s:
            return now_s + self._period_s
        return self._due_s + (GRID_GAIN * late_s if timer else 0.0) + self._period_s

    def _has_state(self, now_s: float) -> bool:
        name, newest = self._state.name, self._newest.get(self._state.name)
        if newest is None:
            self.waiting_for = f"{self._state.topic}: nothing received yet"
            return False
        age_s = now_s - newest
        allowed_s = 0.0 if self._lockstep else self._limits.state_age_s
        if age_s <= allowed_s + CLOCK_TOLERANCE_S and name in self._samples:
            return True
        if self._last_s == -math.inf or now_s - self._last_s > 2.0 * self._period_s:
            self.waiting_for = f"{self._state.topic}: the newest is {age_s:.3f} s old, allowed {allowed_s} s"
        return False

    def _waited_for_answer(self, wall_s: float) -> bool:
        self._answer_since_s = wall_s if self._answer_since_s is None else self._answer_since_s
        return wall_s - self._answer_since_s > self._limits.answer_wait_s

    def _waited_for_sensors(self, now_s: float, wall_s: float) -> bool:
        """Whether every other sensor has sent a reading in the period that it can have arrived from, or is overdue."""
        since_s = now_s - self._limits.sensor_lag_s - self._period_s / 2.0 - CLOCK_TOLERANCE_S
        if all(self._newest.get(sensor.name, -math.inf) >= since_s for sensor in self._others):
            return True
        self._sensors_since_s = wall_s if self._sensors_since_s is None else self._sensors_since_s
        return wall_s - self._sensors_since_s > self._limits.sensor_wait_s

    def _fresh(self, now_s: float) -> Signals:
        signals: Signals = dict(self._samples[self._state.name].signals)
        for sensor in self._others:
            oldest_s = now_s - sensor.max_age_s - CLOCK_TOLERANCE_S
            if sensor.kind == "stream":
                signals |= _stacked(sensor, self._take(sensor.name, oldest_s))
            elif sensor.name in self._samples and self._samples[sensor.name].stamp_s >= oldest_s:
                signals |= self._samples[sensor.name].signals
        return signals

    def _take(self, name: str, oldest_s: float) -> list[_Sample]:
        readings, self._streams[name] = self._streams[name], []
        return [reading for reading in readings if reading.stamp_s >= oldest_s]


def _stacked(sensor: Sensor, readings: list[_Sample]) -> Signals:
    stacked: Signals = {}
    for spec in sensor.specs:
        rows = [reading.signals[spec.name] for reading in readings]
        stacked[spec.name] = np.stack(rows) if rows else np.empty((0, *spec.shape))
    stamps: FloatArray = np.array([reading.stamp_s for reading in readings])
    return stacked | {sensor.name + STAMPS: stamps}
