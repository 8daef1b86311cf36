"""What a camera's frames say of its health: too dark, overexposed, frozen, too slow; how many, how late."""

import math
from collections.abc import Iterator
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from naf_robot.sensing.camera import Picture
from naf_robot.sensing.registry import make_sensor
from naf_robot.sensing.signals import Signals
from naf_robot.sensing.video.config import CameraNodeConfig
from naf_robot.sensing.watch import SensorWatch, diagnostic_values

ROWS = 60  # of a frame, at least, and columns likewise, that its brightness is computed from
WHITE = 250  # mean of a pixel's colours from which on it is white


class PictureChecks:
    """Brightness, share of white pixels, and for how long pictures have been identical.

    They are computed from every so many rows and columns: a camera's noise changes some of these too.
    """

    def __init__(self) -> None:
        self._last: Picture | None = None
        self._changed_s = -math.inf
        self._stamp_s = -math.inf
        self._sum = self._white = 0.0
        self._count = 0

    def take(self, picture: Picture, now_s: float) -> None:
        """A picture (H, W, 3) or (H, W) that came at `now_s` [s] of a steady clock."""
        step = max(1, min(picture.shape[:2]) // ROWS)
        sample = picture[::step, ::step].copy()
        if self._last is None or not np.array_equal(sample, self._last):
            self._changed_s = now_s
        self._last, self._stamp_s = sample, now_s
        grey: NDArray[np.float64] = sample.mean(axis=2) if sample.ndim == 3 else sample.astype(np.float64)
        self._sum += float(grey.mean())
        self._white += float((grey >= WHITE).mean())
        self._count += 1

    def report(self) -> dict[str, float]:
        """Means since the last report; nothing if no picture came."""
        if not self._count:
            return {}
        values = {
            "brightness": round(self._sum / self._count, 1),
            "white pixels": round(self._white / self._count, 4),
            "unchanged [s]": round(self._stamp_s - self._changed_s, 3),
        }
        self._sum = self._white = 0.0
        self._count = 0
        return values


class CameraHealth:
    """Counts a camera's frames; `take` and `report` may be called from different threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._watch = SensorWatch(make_sensor("camera"))
        self._checks = PictureChecks()
        self._came_s = -math.inf
        self._latencies: list[float] = []

    def take(self, picture: Picture, stamp_s: float, now_s: float, latency_s: float) -> None:
        """A frame of `stamp_s` that was published at `now_s` of a steady clock, `latency_s` after its capture."""
        signals: Signals = {"camera": picture}
        with self._lock:
            self._watch.take(stamp_s, signals)
            self._checks.take(picture, now_s)
            self._came_s = now_s
            self._latencies.append(latency_s)

    def silent_s(self, now_s: float) -> float:
        """Time since the last frame [s] of a steady clock, infinite before the first."""
        return now_s - self._came_s

    def report(self, stamp_s: float) -> dict[str, object]:
        """Values for /diagnostics at `stamp_s` of the stamps' clock, those since the last report; once a second."""
        with self._lock:
            values = diagnostic_values("camera", self._watch.report(stamp_s))
            values |= self._checks.report()
            latencies, self._latencies = self._latencies, []
        if latencies:
            values["latency [ms]"] = round(1e3 * sum(latencies) / len(latencies), 2)
            values["largest latency [ms]"] = round(1e3 * max(latencies), 2)
        return values


def warnings_of(values: dict[str, object], expected_hz: float, config: CameraNodeConfig) -> Iterator[str]:
    """What a report says is wrong, each as a clause for people; `expected_hz` is 0 where no rate is known."""

    def number(name: str) -> float | None:
        value = values.get(name)
        return float(value) if isinstance(value, (int, float)) else None

    brightness, white, unchanged_s = number("brightness"), number("white pixels"), number("unchanged [s]")
    if unchanged_s is not None and unchanged_s >= config.frozen_s:
        yield f"frozen: identical pictures for {unchanged_s:.1f} s"
    if brightness is not None and brightness < config.dark:
        yield f"too dark: brightness {brightness:.1f} of 255, expected at least {config.dark:g}"
    if white is not None and white > config.overexposed:
        most = 100.0 * config.overexposed
        yield f"overexposed: {100.0 * white:.0f} % of the pixels are white, expected at most {most:g} %"
    rate_hz = number("sensor camera rate [Hz]")
    if rate_hz is not None and rate_hz < config.low_rate * expected_hz:
        yield f"low rate: {rate_hz:.1f} frames/s of {expected_hz:g}"
