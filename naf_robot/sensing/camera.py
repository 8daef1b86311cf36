"""A camera's pictures: `uint8 (H, W, 3)` in the order red, green, blue."""

from array import array
from typing import Any

import numpy as np

from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.core.array_spec import ArraySpec
from naf_robot.core.types import PositiveInt
from naf_robot.sensing.sensor import Sensor, SensorConfig
from naf_robot.sensing.signals import Signals

ENCODINGS = ("rgb8", "bgr8")


class CameraConfig(SensorConfig, frozen=True):
    """One camera; a picture of another size is refused."""

    topic: str = "camera/image_raw"  # topic of the driver, in the robot's namespace
    height: PositiveInt = 64  # rows of a picture
    width: PositiveInt = 64  # columns of a picture


def camera(config: CameraConfig, joints: tuple[str, ...]) -> Sensor:
    """A camera that publishes sensor_msgs/Image as rgb8 or bgr8."""

    def decode(message: Any) -> Signals:
        return {"camera": picture_of(message)}

    def encode(message: Any, signals: Signals) -> None:
        fill_image(message, signals["camera"])

    return Sensor(
        name="camera",
        topic=config.topic,
        message="sensor_msgs/msg/Image",
        specs=(ArraySpec("camera", (config.height, config.width, 3), dtype="uint8"),),
        decode=decode,
        encode=encode,
        max_age_s=config.max_age_s,
    )


def picture_of(message: Any) -> np.ndarray:
    """The picture (H, W, 3) of a sensor_msgs/Image, a copy.

    Raises:
        RefusedMessage: another encoding, or fewer bytes than the size says.
    """
    if message.encoding not in ENCODINGS:
        raise RefusedMessage(f"camera image is encoded as {message.encoding!r}; valid: {', '.join(ENCODINGS)}")
    height, width, step = int(message.height), int(message.width), int(message.step)
    data = np.frombuffer(message.data, dtype=np.uint8)
    if step < 3 * width or len(data) != height * step:
        raise RefusedMessage(f"camera image of {height} x {width} has rows of {step} and {len(data)} bytes in all")
    picture = data.reshape(height, step)[:, : 3 * width].reshape(height, width, 3)
    return picture[:, :, ::-1].copy() if message.encoding == "bgr8" else picture.copy()


def fill_image(message: Any, picture: np.ndarray, encoding: str = "rgb8") -> None:
    """Write `picture` (H, W, 3) into an empty sensor_msgs/Image."""
    message.height, message.width = int(picture.shape[0]), int(picture.shape[1])
    message.encoding, message.is_bigendian, message.step = encoding, 0, 3 * int(picture.shape[1])
    ordered = picture[:, :, ::-1] if encoding == "bgr8" else picture
    message.data = array("B", np.ascontiguousarray(ordered).tobytes())
