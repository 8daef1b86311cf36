"""How fast counters grow, over a sliding window of wall time."""

from collections import deque

from naf_robot.core.clock import Clock


class RateMeter:
    """Rates of named counters over the last `window_s` seconds."""

    def __init__(self, clock: Clock, window_s: float = 30.0) -> None:
        self._clock = clock
        self._window_s = window_s
        self._samples: dict[str, deque[tuple[float, float]]] = {}

    def per_s(self, name: str, count: float) -> float:
        """Growth of counter `name`, whose value is `count` now [1/s]; 0 at the first call."""
        now = self._clock.now_s()
        samples = self._samples.setdefault(name, deque())
        samples.append((now, count))
        while len(samples) > 2 and now - samples[1][0] >= self._window_s:
            samples.popleft()
        (begin, first), (end, last) = samples[0], samples[-1]
        return (last - first) / (end - begin) if end > begin else 0.0
