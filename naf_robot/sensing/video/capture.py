"""Takes frames from a source for as long as asked, and opens it again after it failed."""

import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from naf_robot.sensing.camera import Picture
from naf_robot.sensing.video.config import CameraNodeConfig
from naf_robot.sensing.video.source import SourceError
from naf_robot.sensing.video.stamps import Pacer

ENDED = "the video file has ended"
NEEDED = (
    "needed are 3 x uint8 (BGR) or 1 x uint8 (GRAY8): end a pipeline with "
    "! videoconvert ! video/x-raw,format=BGR ! appsink, or with format=GRAY8, behind bayer2rgb where it is Bayer"
)


class Frame(NamedTuple):
    """A frame as it was read."""

    picture: Picture  # (H, W, 3) in the order blue, green, red, or (H, W) grey
    age_s: float = 0.0  # time since its capture [s], as far as it is known


class Opened(Protocol):
    """A source that was opened."""

    rate_hz: float  # frames per second, 0 where it does not say
    paced: bool  # whether the reader must keep this rate, as with a file
    size: tuple[int, int]  # width and height of a frame as the source states them, 0 where it does not say
    grey: bool  # whether one number per pixel, where that comes, is its brightness

    def read(self) -> Frame | None:
        """The next frame, waiting for it; None at the end of a file. Raises SourceError."""

    def close(self) -> None:
        """Give it back."""


class Backoff:
    """Times to wait between attempts, doubled with each failure up to a bound."""

    def __init__(self, first_s: float, most_s: float) -> None:
        self._first_s, self._most_s = first_s, most_s
        self._next_s = first_s

    def next_s(self) -> float:
        """The time to wait after one more failure [s]."""
        wait_s, self._next_s = self._next_s, min(2.0 * self._next_s, self._most_s)
        return wait_s

    def succeeded(self) -> None:
        """Begin with the first time again."""
        self._next_s = self._first_s


class Capture:
    """The loop of the thread that reads. `trouble`, `openings` and `expected_hz` may be read by other threads.

    `wait` waits that many seconds and says whether to end; `take` gets each frame.
    """

    def __init__(
        self,
        open_source: Callable[[], Opened],
        take: Callable[[Frame], None],
        wait: Callable[[float], bool],
        config: CameraNodeConfig,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open, self._take, self._wait, self._now_s = open_source, take, wait, now_s
        self._config = config
        self._backoff = Backoff(config.retry_s, config.max_retry_s)
        self.trouble = "opening the source"  # why there are no frames, empty while there are
        self.openings = 0  # of the source, with success
        self.expected_hz = config.rate_hz
        self.ended = False

    def run(self) -> None:
        """Read until `wait` says to end, or a file has ended."""
        while not self.ended:
            try:
                opened = self._open()
                try:
                    self._read(opened)
                finally:
                    opened.close()
            except SourceError as error:
                self.trouble = str(error)
            except Exception as error:  # noqa: BLE001  of a camera library or a publisher: the next opening may do
                self.trouble = f"reading the source failed: {type(error).__name__}: {' '.join(str(error).split())}"
            if self.ended or self._wait(self._backoff.next_s()):
                return

    def _read(self, opened: Opened) -> None:
        self.expected_hz = self._config.rate_hz or opened.rate_hz
        pacer = Pacer(opened.rate_hz) if opened.paced else None
        first = True
        while not self._wait(pacer.wait_s(self._now_s()) if pacer else 0.0):
            frame = opened.read()
            if frame is None:
                self.ended, self.trouble = True, ENDED
                return
            _check_form(frame.picture, opened)
            self._check_size(frame.picture)
            if first:
                first, self.trouble = False, ""
                self.openings += 1
                self._backoff.succeeded()
            self._take(frame)
        self.ended = True

    def _check_size(self, picture: Picture) -> None:
        height, width = picture.shape[:2]
        wanted = self._config.width, self._config.height
        if wanted[0] and (width, height) != wanted:
            raise SourceError(
                f"the source gives frames of {width} x {height}, asked were {wanted[0]} x {wanted[1]}; set width and "
                "height to a size that it has"
            )


def _check_form(picture: Picture, source: Opened) -> None:
    """Whether it can be published as bgr8 or mono8; pipelines and devices may give other forms.

    One number per pixel is also what the planar forms (NV12, I420) and the mosaic of a sensor (Bayer) look like.
    """
    if picture.dtype == np.uint8 and picture.ndim == 2:
        height, width = picture.shape
        if all(source.size) and (width, height) != source.size:
            raise SourceError(
                f"the source gives {width} x {height} numbers for frames of {source.size[0]} x {source.size[1]}, so "
                f"they are not grey but in planes, such as NV12 or I420; {NEEDED}"
            )
        if not source.grey:
            raise SourceError(
                "the source gives one number per pixel and does not say that it is grey: Bayer pictures look the "
                f"same; {NEEDED}"
            )
    if picture.dtype != np.uint8 or not (picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 3)):
        channels = picture.shape[2] if picture.ndim == 3 else 1
        raise SourceError(f"the source gives pictures of {channels} x {picture.dtype} per pixel; {NEEDED}")
