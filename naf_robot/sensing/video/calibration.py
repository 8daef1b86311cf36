"""A camera's calibration: the YAML file that camera_calibration writes, and sensor_msgs/CameraInfo."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from naf_robot.core.errors import ConfigError
from naf_robot.core.yaml_text import load_yaml

SIZES = {"camera_matrix": 9, "rectification_matrix": 9, "projection_matrix": 12}


@dataclass(frozen=True)
class CameraCalibration:
    """Of pictures of one size; matrices row by row."""

    width: int
    height: int
    distortion_model: str
    distortion: tuple[float, ...]
    camera_matrix: tuple[float, ...]  # (9,), pixels
    rectification: tuple[float, ...]  # (9,)
    projection: tuple[float, ...]  # (12,), pixels


def load_calibration(path: Path) -> CameraCalibration:
    """The calibration in the file at `path`.

    Raises:
        ConfigError: it cannot be read, or lacks something.
    """
    if not path.is_file():
        raise ConfigError(f"there is no camera calibration {str(path)!r}; camera_calibration writes such a file")
    values = load_yaml(path)
    where = f"camera calibration {str(path)!r}"
    width, height = values.get("image_width"), values.get("image_height")
    if not (isinstance(width, int) and isinstance(height, int) and min(width, height) > 0):
        raise ConfigError(f"{where} needs image_width and image_height, whole numbers of pixels")
    model = values.get("distortion_model")
    if not isinstance(model, str):
        raise ConfigError(f"{where} needs distortion_model, such as plumb_bob")
    matrices = {name: _numbers(values, name, where, count) for name, count in SIZES.items()}
    return CameraCalibration(
        width,
        height,
        model,
        _numbers(values, "distortion_coefficients", where),
        matrices["camera_matrix"],
        matrices["rectification_matrix"],
        matrices["projection_matrix"],
    )


def _numbers(values: Mapping[str, Any], name: str, where: str, count: int = 0) -> tuple[float, ...]:
    """The numbers `data` of the matrix `name`; `count` of them unless that is 0."""
    matrix = values.get(name)
    data = matrix.get("data") if isinstance(matrix, Mapping) else None
    good = isinstance(data, list) and all(
        isinstance(each, (int, float)) and not isinstance(each, bool) and math.isfinite(each) for each in data
    )
    if not good or not data or (count and len(data) != count):
        raise ConfigError(f"{where} needs {name}.data, {count or 'finite'} numbers")
    return tuple(map(float, data))


def size_trouble(calibration: CameraCalibration, width: int, height: int) -> str:
    """Why `calibration` is not one of frames of `width` x `height`, "" if it is."""
    if (calibration.width, calibration.height) == (width, height):
        return ""
    return f"the calibration is of frames of {calibration.width} x {calibration.height}, these are {width} x {height}"


def fill_camera_info(message: Any, calibration: CameraCalibration | None, width: int, height: int) -> None:
    """Fill an empty sensor_msgs/CameraInfo, but for its header; without calibration its matrices stay zero."""
    message.width, message.height = width, height
    if calibration is None:
        return
    message.distortion_model = calibration.distortion_model
    message.d = list(calibration.distortion)
    message.k = list(calibration.camera_matrix)
    message.r = list(calibration.rectification)
    message.p = list(calibration.projection)
