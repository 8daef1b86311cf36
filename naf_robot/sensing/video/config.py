"""Settings of a robot's node `camera`."""

from typing import Annotated

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError
from naf_robot.core.types import FilePath, JpegQuality, NonNegativeFloat, NonNegativeInt, UnitInterval

Brightness = Annotated[float, msgspec.Meta(ge=0.0, le=255.0)]
Pause = Annotated[float, msgspec.Meta(ge=0.01, le=3600.0)]
Fourcc = Annotated[str, msgspec.Meta(pattern=r"^(.{4})?$")]


class CameraNodeConfig(Config, frozen=True):
    """What a robot's node `camera` captures, and when it warns."""

    source: str = ""  # what the node camera reads: a device as /dev/video0 or 0, a video file, or a GStreamer pipeline
    # that ends in appsink; empty: no such node, a driver publishes
    width: NonNegativeInt = 0  # columns asked of the source, which must then have them; 0: as it comes
    height: NonNegativeInt = 0  # rows asked of the source, which must then have them; 0: as it comes
    rate_hz: NonNegativeFloat = 0.0  # frames per second asked of a device, or of a file that does not say its own; 0:
    # as it comes
    fourcc: Fourcc = ""  # pixel format asked of a device by its four letters, such as MJPG; empty: as it comes
    loop: bool = False  # whether a video file begins again at its end
    frame: str = "camera_optical_frame"  # frame of the pictures, behind the robot's name
    calibration: FilePath | None = None  # file that camera_calibration wrote, for camera_info; null: not calibrated
    jpeg_quality: JpegQuality = 90  # quality of compressed pictures
    dark: Brightness = 12.0  # mean brightness, 0 to 255, below which a picture is too dark
    overexposed: UnitInterval = 0.5  # share of white pixels above which a picture is overexposed
    frozen_s: Pause = 2.0  # time with identical pictures after which the camera counts as frozen
    low_rate: UnitInterval = 0.8  # share of the expected rate below which the rate is too low
    silent_s: Pause = 2.0  # time without a frame after which that is reported
    retry_s: Pause = 0.5  # time after which a source that failed is opened again, doubled with each failure
    max_retry_s: Pause = 10.0  # the longest of these times

    def __post_init__(self) -> None:
        if bool(self.width) != bool(self.height):
            raise ConfigError("camera needs both width and height, or neither")
        if self.max_retry_s < self.retry_s:
            raise ConfigError(f"camera.max_retry_s ({self.max_retry_s:g}) must not be less than retry_s "
                              f"({self.retry_s:g})")  # fmt: skip
