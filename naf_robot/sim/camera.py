"""The camera that looks at each simulated robot: where it is, and what a calibration would say of it."""

import math
from typing import Any

import numpy as np

from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError
from naf_robot.core.records import FloatArray
from naf_robot.core.types import PositiveInt, Vector3
from naf_robot.sensing import rotation
from naf_robot.sensing.video.calibration import CameraCalibration

UP = np.array([0.0, 0.0, 1.0])
LEAST_TURN = 1e-6  # of the cross product of view and vertical: less, and what is up in the picture is not defined


class SimulatedCameraConfig(Config, frozen=True):
    """A pinhole camera that stands still; up in its pictures is up in the world."""

    position: Vector3 = (1.24, 0.0, 1.03)  # [m], place of its centre in the base frame
    look_at: Vector3 = (0.55, 0.0, 0.45)  # [m], point in the middle of its pictures, base frame
    field_of_view: float = 0.5  # [rad], angle between the upper and the lower edge of its pictures
    multisampling: int = 0  # samples per pixel at edges; 0: none, which is fastest

    def __post_init__(self) -> None:
        if not 0.0 < self.field_of_view < math.pi:
            raise ConfigError(f"simulator.camera.field_of_view must be between 0 and pi, got {self.field_of_view:g}")
        if self.multisampling not in (0, 2, 4, 8):
            raise ConfigError(f"simulator.camera.multisampling must be 0, 2, 4 or 8, got {self.multisampling}")
        view = np.subtract(self.look_at, self.position)
        if np.linalg.norm(np.cross(view, UP)) < LEAST_TURN * max(1.0, float(np.linalg.norm(view))):
            raise ConfigError(
                "simulator.camera.look_at must be beside position, not straight above or below it or the same point: "
                f"position {list(self.position)}, look_at {list(self.look_at)}"
            )

    def optical_axes(self) -> FloatArray:
        """Rotation matrix (3, 3) of the optical frame (REP 103: x right, y down, z forward) in the base frame."""
        forward = np.subtract(self.look_at, self.position)
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, UP)
        right /= np.linalg.norm(right)
        return np.column_stack((right, np.cross(forward, right), forward))

    def focal_length(self, height: int) -> float:
        """Of pictures with `height` rows [pixels]; pixels are square."""
        return height / 2.0 / math.tan(self.field_of_view / 2.0)


class Matrix(Config, frozen=True):
    """A matrix as camera_calibration writes it."""

    rows: PositiveInt
    cols: PositiveInt
    data: tuple[float, ...]


class CameraFile(Config, frozen=True):
    """What the calibration of a camera comes to, in the form of camera_calibration, and its pose in the base frame."""

    image_width: PositiveInt
    image_height: PositiveInt
    camera_name: str
    camera_matrix: Matrix
    distortion_model: str
    distortion_coefficients: Matrix
    rectification_matrix: Matrix
    projection_matrix: Matrix
    position: Vector3  # of the optical frame in the base frame [m]
    orientation: tuple[float, float, float, float]  # of the optical frame in the base frame, quaternion (x, y, z, w)

    def intrinsics(self) -> CameraCalibration:
        """For sensor_msgs/CameraInfo."""
        return CameraCalibration(
            self.image_width,
            self.image_height,
            self.distortion_model,
            self.distortion_coefficients.data,
            self.camera_matrix.data,
            self.rectification_matrix.data,
            self.projection_matrix.data,
        )


def camera_file(config: SimulatedCameraConfig, height: int, width: int) -> CameraFile:
    """The true calibration of the camera for pictures of `height` x `width`.

    The centre of the picture is between the pixels of an even number: a pixel's coordinates are those of its own
    centre, as image_proc has it.
    """
    focal, middle = config.focal_length(height), ((width - 1) / 2.0, (height - 1) / 2.0)
    matrix = (focal, 0.0, middle[0], 0.0, focal, middle[1], 0.0, 0.0, 1.0)
    projection = (*matrix[:3], 0.0, *matrix[3:6], 0.0, *matrix[6:], 0.0)
    x, y, z, w = rotation.from_matrix(config.optical_axes()).tolist()
    return CameraFile(
        image_width=width,
        image_height=height,
        camera_name="camera",
        camera_matrix=Matrix(3, 3, matrix),
        distortion_model="plumb_bob",
        distortion_coefficients=Matrix(1, 5, (0.0,) * 5),
        rectification_matrix=Matrix(3, 3, tuple(np.eye(3).ravel().tolist())),
        projection_matrix=Matrix(3, 4, projection),
        position=config.position,
        orientation=(x, y, z, w),
    )


def pixel_of(camera: CameraFile, point: Any) -> FloatArray:
    """Column and row (2,) of `point` (3,) [m], base frame, in the pictures; outside of them where it is not seen.

    Raises:
        ValueError: the point is not before the camera.
    """
    turned = rotation.rotated(rotation.inverse(camera.orientation), np.subtract(point, camera.position))
    if turned[2] <= 0.0:
        raise ValueError(f"point {list(point)} is behind the camera")
    matrix = np.reshape(camera.camera_matrix.data, (3, 3))
    return (matrix @ (turned / turned[2]))[:2]
