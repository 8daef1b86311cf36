"""Camera devices, video files and GStreamer pipelines through OpenCV, which is loaded when the first one is opened."""

import math
import os
import time
from typing import Any

from naf_robot.sensing.camera import Picture
from naf_robot.sensing.video.capture import Frame
from naf_robot.sensing.video.config import CameraNodeConfig
from naf_robot.sensing.video.source import Source, SourceError, check_source
from naf_robot.sensing.video.stamps import age_of

MAX_RATE_HZ = 1000.0  # what a source says beyond it is not its rate
GREY = "GRAY8"  # name of the form in a pipeline's caps
READ_TIMEOUT_S = 2  # after which a device that sends nothing has failed
QUIET = {"OPENCV_FFMPEG_LOGLEVEL": "-8", "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": str(READ_TIMEOUT_S)}


def load_opencv() -> Any:
    """The module cv2; what it would print is said by whoever uses it.

    Raises:
        SourceError: it is not installed, or something that it needs is not.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import cv2
    except ImportError as error:
        raise SourceError(
            f"OpenCV cannot be loaded ({' '.join(str(error).split())}); install it with pip install 'naf_robot[camera]'"
        ) from None
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    cv2.setNumThreads(1)  # pictures are small, and the machine has other work
    return cv2


def encode_jpeg(picture: Picture, quality: int) -> bytes:
    """`picture`, (H, W, 3) in the order blue, green, red or (H, W) grey, as JPEG of `quality` 1 to 95."""
    cv2 = load_opencv()
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1])


class VideoCapture:
    """A source that was opened with the settings of `config`.

    Raises:
        SourceError: it cannot be, with the reason.
    """

    def __init__(self, source: Source, config: CameraNodeConfig) -> None:
        self._cv2 = load_opencv()
        check_source(source)
        self._source, self._config = source, config
        self._what = f"{source.kind} {source.text!r}"
        self._read_any = False
        self._capture = self._open()
        self.paced = source.kind == "file"
        self.grey = source.kind != "pipeline" or GREY in source.text  # OpenCV makes BGR of what devices and files give
        stated_size = [self._capture.get(p) for p in (self._cv2.CAP_PROP_FRAME_WIDTH, self._cv2.CAP_PROP_FRAME_HEIGHT)]
        self.size = (max(0, int(stated_size[0])), max(0, int(stated_size[1])))
        stated = float(self._capture.get(self._cv2.CAP_PROP_FPS))
        self.rate_hz = stated if math.isfinite(stated) and 0.0 < stated <= MAX_RATE_HZ else config.rate_hz
        if self.paced and self.rate_hz <= 0.0:
            self.close()
            raise SourceError(f"{self._what} does not say its frame rate; give it as rate_hz")

    def read(self) -> Frame | None:
        """The next frame, None at the end of a file that is not repeated.

        Raises:
            SourceError: none came.
        """
        good, picture = self._capture.read()
        if not good and self.paced and self._config.loop and self._read_any:
            self._capture.release()
            self._capture = self._open()
            good, picture = self._capture.read()
        if good and picture is not None:
            self._read_any = True
            return Frame(picture, self._age_s())
        if self.paced and self._read_any:
            return None
        again = "gives no frames any more; it may be unplugged" if self._read_any else "was opened but gives no frame"
        raise SourceError(f"{self._what} {again}")

    def close(self) -> None:
        """Give the source back."""
        self._capture.release()

    def _open(self) -> Any:
        cv2, config = self._cv2, self._config
        if self._source.kind == "pipeline" and not cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
            raise SourceError(
                "this OpenCV was built without GStreamer, as those of PyPI are; that of Debian and Ubuntu has it "
                "(python3-opencv)"
            )
        backend = {"device": cv2.CAP_V4L2, "file": cv2.CAP_ANY, "pipeline": cv2.CAP_GSTREAMER}[self._source.kind]
        try:
            capture = cv2.VideoCapture(self._source.text, backend)
            if not capture.isOpened():
                raise SourceError(self._refused())
            if self._source.kind == "device":
                if config.fourcc:
                    capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*config.fourcc))
                wanted = (config.width, config.height, config.rate_hz)
                for key, value in zip(
                    (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT, cv2.CAP_PROP_FPS), wanted, strict=True
                ):
                    if value:
                        capture.set(key, value)
        except cv2.error as error:
            raise SourceError(f"{self._what} cannot be opened: {' '.join(str(error).split())}") from None
        return capture

    def _refused(self) -> str:
        if self._source.kind == "device":
            return f"{self._what} is no camera that can be opened, or another program is using it"
        if self._source.kind == "file":
            return f"{self._what} is no video that can be read"
        return f"{self._what} does not start; try it with gst-launch-1.0"

    def _age_s(self) -> float:
        """Age of a device's frame by the time of its driver, which counts on the steady clock."""
        if self._source.kind != "device":
            return 0.0
        return age_of(float(self._capture.get(self._cv2.CAP_PROP_POS_MSEC)) * 1e-3, time.monotonic())
