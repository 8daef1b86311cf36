"""Which instant of a stored run is shown: an episode of one robot, its place in it, running or paused."""

from typing import NamedTuple

SPEEDS = ("0.25", "0.5", "1", "2", "4", "8")
PAUSE_S = 1.0  # at the end of an episode, before the next one


class Span(NamedTuple):
    """The time that an episode took, on the robot's clock [s]."""

    begin_s: float
    end_s: float


class Playback:
    """Advances through `spans`, one episode after another, and begins again after the last."""

    def __init__(self, spans: list[Span]) -> None:
        self.spans = spans
        self.index = 0
        self.playing = True
        self.speed = 1.0
        self._offset_s = 0.0  # since the beginning of the episode; past its end while it waits for the next one

    def choose(self, index: int) -> None:
        """Show episode `index` from its beginning."""
        self.index = min(max(index, 0), len(self.spans) - 1)
        self._offset_s = 0.0

    def advance(self, passed_s: float) -> None:
        """Go on by `passed_s` of wall time, unless paused."""
        if not self.playing:
            return
        self._offset_s += passed_s * self.speed
        span = self.spans[self.index]
        if self._offset_s > span.end_s - span.begin_s + PAUSE_S * self.speed:
            self.choose((self.index + 1) % len(self.spans))

    @property
    def instant_s(self) -> float:
        """The instant shown, on the robot's clock."""
        span = self.spans[self.index]
        return min(span.begin_s + self._offset_s, span.end_s)
