"""What a camera's pictures come from, as its text says, and what the system says of it before it is opened."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from naf_robot.core.errors import ConfigError

DEVICES = Path("/dev")
FORMS = "a device as /dev/video0 or 0, a video file, or a GStreamer pipeline that ends in appsink"


class SourceError(Exception):
    """Why a source gives no frames, for people, in one sentence."""


@dataclass(frozen=True)
class Source:
    """A camera device, a video file or a GStreamer pipeline."""

    kind: Literal["device", "file", "pipeline"]
    text: str  # path of the device or file, or the pipeline


def parse_source(text: str) -> Source:
    """The source that `text` describes.

    Raises:
        ConfigError: it is empty, an address or a pipeline without its end.
    """
    text = text.strip()
    if not text:
        raise ConfigError(f"the camera's source is empty; it must be {FORMS}")
    if text.isdecimal():
        return Source("device", str(DEVICES / f"video{int(text)}"))
    if text.startswith(f"{DEVICES}/"):
        return Source("device", text)
    if " ! " in text:
        if text.split(" ! ")[-1].split()[:1] != ["appsink"]:
            raise ConfigError(f"the camera's pipeline {text!r} must end in ! appsink, from which the frames are taken")
        return Source("pipeline", text)
    if "://" in text:
        raise ConfigError(f"the camera's source {text!r} is an address; it must be {FORMS}")
    return Source("file", text)


def check_source(source: Source) -> None:
    """Whether there is such a device or file that may be read.

    Raises:
        SourceError: saying what is there instead.
    """
    if source.kind == "pipeline":
        return
    path = Path(source.text)
    try:
        mode = path.stat().st_mode
    except OSError as error:
        there = "" if source.kind == "file" else f"; cameras of this machine: {', '.join(_devices()) or 'none'}"
        raise SourceError(f"{source.kind} {source.text!r} cannot be opened: {error.strerror}{there}") from None
    if source.kind == "device" and not stat.S_ISCHR(mode):
        raise SourceError(f"{source.text!r} is no camera: it is no device")
    if source.kind == "file" and not stat.S_ISREG(mode):
        raise SourceError(f"{source.text!r} is no video file")
    if not os.access(path, os.R_OK | (os.W_OK if source.kind == "device" else 0)):
        group = "; add this user to the group video" if source.kind == "device" else ""
        raise SourceError(f"this user may not read {source.kind} {source.text!r}{group}")


def _devices() -> list[str]:
    return sorted(str(path) for path in DEVICES.glob("video*"))
