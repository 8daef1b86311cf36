"""The health of one sensor, counted as its readings come: rate, age, gaps, repeated readings, noise, mean."""

import math
from collections.abc import Mapping

import numpy as np

from naf_robot.core.records import FloatArray
from naf_robot.sensing.sensor import Sensor
from naf_robot.sensing.signals import Signals

GAP = 1.5  # usual periods between two stamps, from which on readings are missing
USUAL = 0.05  # weight of the newest gap in the usual period
JUMP_S = 1.0  # stamps that go back by more, or ahead by 100 periods, belong to another clock or process
KEPT = 256  # readings between two reports that noise and repetitions are computed from
NO_NOISE = 1e-12  # what rounding leaves of readings that do not change
PIXELS = 997  # of a picture every so many values are kept


class SensorWatch:
    """Counts readings between two reports.

    Noise is the standard deviation of white noise that has the second differences found, sqrt(mean(d2**2) / 6):
    slow motion cancels out of them, fast motion does not, so that the smallest of many reports is the noise at rest.
    `mean_of` are places of the flat reading, of whose mean the length is reported as well: of an IMU's angular
    rates, at rest, the bias.
    """

    def __init__(self, sensor: Sensor, mean_of: slice = slice(0)) -> None:
        self._names = tuple(spec.name for spec in sensor.specs)
        self._picture = any(spec.dtype == "uint8" for spec in sensor.specs)
        self._mean_of = mean_of
        self._kept: list[tuple[FloatArray, ...]] = []
        self._stamp_s = self._since_s = -math.inf
        self._usual_s = math.inf
        self._count = 0  # of gaps since the last report
        self.messages = self.missing = self.compared = self.identical = 0

    def take(self, stamp_s: float, signals: Signals) -> None:
        """A reading with its stamp [s]; its arrays are kept. One that is older than the newest is passed over."""
        gap_s = stamp_s - self._stamp_s
        if -JUMP_S < gap_s <= 0.0:
            return
        self.messages += 1
        self._stamp_s = stamp_s
        if gap_s < 0.0 or gap_s > 100.0 * self._usual_s or gap_s == math.inf:
            self._kept.clear()
            self._since_s, self._count = stamp_s, 0
        else:
            self._count += 1
            if gap_s > GAP * self._usual_s:
                self.missing += round(gap_s / self._usual_s) - 1
            elif gap_s < 0.5 * self._usual_s:
                self._usual_s = gap_s
            else:
                self._usual_s += USUAL * (gap_s - self._usual_s)
        if len(self._kept) < KEPT:
            values = tuple(signals[name] for name in self._names)
            self._kept.append(tuple(v.ravel()[::PIXELS].copy() for v in values) if self._picture else values)

    def report(self, now_s: float) -> dict[str, float]:
        """What came since the last report, after which all but the counters begins anew. Call it once a second.

        The rate is in the time of the stamps, so it is that of the sensor however fast a simulation runs.
        """
        values: dict[str, float] = {"messages": self.messages, "missing": self.missing}
        if self.messages:
            values["age [s]"] = round(now_s - self._stamp_s, 3)
        if self._count:
            values["rate [Hz]"] = round(self._count / (self._stamp_s - self._since_s), 3)
        if len(self._kept) > 1:
            values |= self._of_kept(np.array([np.concatenate([p.ravel() for p in parts]) for parts in self._kept]))
        values |= {"compared": self.compared, "identical": self.identical}
        self._kept = self._kept[-1:]  # the next one is compared with it
        self._since_s, self._count = self._stamp_s, 0
        return values

    def _of_kept(self, rows: FloatArray) -> dict[str, float]:
        """Noise and mean of readings (N, size), oldest first."""
        rows = rows.astype(np.float64)
        steps = np.diff(rows, axis=0)
        self.compared += len(steps)
        self.identical += int((~steps.any(axis=1)).sum())
        values: dict[str, float] = {}
        if len(steps) > 1 and not self._picture:
            noise = math.sqrt(float(np.mean(np.diff(steps, axis=0) ** 2)) / 6.0)
            values["noise"] = float(f"{noise:.4g}") if noise > NO_NOISE else 0.0
        if self._mean_of.stop:
            values["mean"] = float(f"{np.linalg.norm(rows[:, self._mean_of].mean(axis=0)):.4g}")
        return values


def diagnostic_values(name: str, report: Mapping[str, float]) -> dict[str, object]:
    """A report under the keys that it has on /diagnostics: `sensor NAME QUANTITY`."""
    return {f"sensor {name} {quantity}": value for quantity, value in report.items()}
