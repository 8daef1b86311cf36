"""A camera's pictures: `uint8 (H, W, 3)` in the order red, green, blue, cut and resized to what the policy sees."""

from array import array
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.core.array_spec import ArraySpec, SpecError
from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError
from naf_robot.core.types import NonNegativeInt, PositiveInt
from naf_robot.sensing.sensor import Sensor, SensorConfig
from naf_robot.sensing.signals import Signals

CHANNELS = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1}  # by encoding of sensor_msgs/Image
COMPRESSED = "/compressed"  # ending of the topic of compressed pictures, as image_transport has it

CALIBRATION = "calibrations/{robot}/camera.yaml"  # in a simulated robot's run folder
MAX_PIXELS = 7680 * 4320  # of a frame whose size is not declared: 8K, 95 MiB as it is decompressed

Picture = NDArray[Any]  # of uint8


class CropConfig(Config, frozen=True):
    """The part of each frame that is used."""

    left: NonNegativeInt = 0  # columns that are cut off on the left
    top: NonNegativeInt = 0  # rows that are cut off at the top
    width: NonNegativeInt = 0  # columns that are kept; 0: all to the right edge
    height: NonNegativeInt = 0  # rows that are kept; 0: all to the bottom edge

    def box(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Left, top, right and bottom in a frame of `height` x `width`.

        Raises:
            RefusedMessage: the part is not within the frame.
        """
        right = self.left + self.width if self.width else width
        bottom = self.top + self.height if self.height else height
        if not (self.left < right <= width and self.top < bottom <= height):
            raise RefusedMessage(
                f"crop from column {self.left} to {right} and row {self.top} to {bottom} is not within a frame of "
                f"{width} x {height}"
            )
        return self.left, self.top, right, bottom


class CameraConfig(SensorConfig, frozen=True):
    """One camera; a frame of another size than declared is refused."""

    topic: str = "camera/image_raw"  # topic of the camera, in the robot's namespace
    transport: Literal["raw", "compressed"] = "raw"  # sensor_msgs/Image on `topic`, or sensor_msgs/CompressedImage on
    # `topic`/compressed
    frame_height: NonNegativeInt = 0  # rows that each frame must have; 0: any
    frame_width: NonNegativeInt = 0  # columns that each frame must have; 0: any
    crop: CropConfig = CropConfig()
    resize: bool = False  # whether what is left after crop is resized to height x width, each pixel the mean of the
    # area that it covers; else it must have this size
    height: PositiveInt = 64  # rows of a picture as the policy gets it
    width: PositiveInt = 64  # columns of a picture as the policy gets it

    @property
    def frame_size(self) -> tuple[int, int]:
        """Height and width of the frames that a simulated camera makes."""
        return (self.frame_height, self.frame_width) if self.frame_height else (self.height, self.width)

    def __post_init__(self) -> None:
        if bool(self.frame_height) != bool(self.frame_width):
            raise ConfigError("sensors.camera needs both frame_height and frame_width, or neither")
        if self.frame_height:
            try:
                self.crop.box(self.frame_height, self.frame_width)
            except RefusedMessage as error:
                raise ConfigError(f"sensors.camera.{error}") from None


def camera(config: CameraConfig, joints: tuple[str, ...]) -> Sensor:
    """A camera that publishes sensor_msgs/Image, or sensor_msgs/CompressedImage as JPEG or PNG.

    `encode` writes a picture as it is: what encodes, a simulator, makes pictures of the size that frames have.
    """
    compressed = config.transport == "compressed"

    def decode(message: Any) -> Signals:
        frame = decompressed(message, config) if compressed else picture_of(message, config)
        return {"camera": fitted(frame, config)}

    def encode(message: Any, signals: Signals) -> None:
        (fill_compressed if compressed else fill_image)(message, signals["camera"])

    return Sensor(
        name="camera",
        topic=config.topic + COMPRESSED if compressed else config.topic,
        message="sensor_msgs/msg/CompressedImage" if compressed else "sensor_msgs/msg/Image",
        specs=(ArraySpec("camera", (config.height, config.width, 3), dtype="uint8"),),
        decode=decode,
        encode=encode,
        fit=lambda signals: {"camera": fitted(signals["camera"], config)},
        calibration=CALIBRATION,
        max_age_s=config.max_age_s,
    )


def info_topic(topic: str) -> str:
    """The topic of sensor_msgs/CameraInfo beside that of the pictures, raw or compressed, as image_transport has it."""
    return "/".join((*topic.removesuffix(COMPRESSED).split("/")[:-1], "camera_info"))


def picture_of(message: Any, config: CameraConfig | None = None) -> Picture:
    """The frame (H, W, 3) of a sensor_msgs/Image, a copy; grey is repeated in all colours, transparency is left out.

    Raises:
        RefusedMessage: another encoding or size, or fewer bytes than the size says.
    """
    if message.encoding not in CHANNELS:
        raise RefusedMessage(f"camera image is encoded as {message.encoding!r}; valid: {', '.join(CHANNELS)}")
    height, width, step = int(message.height), int(message.width), int(message.step)
    channels = CHANNELS[message.encoding]
    data = np.frombuffer(message.data, dtype=np.uint8)
    if step < channels * width or len(data) != height * step:
        raise RefusedMessage(f"camera image of {height} x {width} has rows of {step} and {len(data)} bytes in all")
    _check_size(height, width, config)
    picture = data.reshape(height, step)[:, : channels * width].reshape(height, width, channels)
    if channels == 1:
        return np.repeat(picture, 3, axis=2)
    return picture[:, :, 2::-1].copy() if message.encoding.startswith("bgr") else picture[:, :, :3].copy()


def decompressed(message: Any, config: CameraConfig) -> Picture:
    """The frame (H, W, 3) of a sensor_msgs/CompressedImage.

    Raises:
        RefusedMessage: no JPEG or PNG picture in colour or grey, or of another size, which is seen before anything is
            decompressed.
    """
    from naf_robot.core.images import open_image

    try:
        return open_image(bytes(message.data), lambda height, width: _check_size(height, width, config))
    except SpecError as error:
        raise RefusedMessage(f"camera image of format {message.format!r}: {error}") from None


def fitted(frame: Picture, config: CameraConfig) -> Picture:
    """`frame` (H, W, 3) cut and, where configured, resized to (config.height, config.width, 3).

    Raises:
        RefusedMessage: the part to keep is not within the frame.
    """
    height, width, _ = frame.shape
    box = config.crop.box(height, width)
    if config.resize and (box[3] - box[1], box[2] - box[0]) != (config.height, config.width):
        from naf_robot.core.images import resized

        return resized(frame, box, config.height, config.width)
    if box == (0, 0, width, height):
        return frame
    return frame[box[1] : box[3], box[0] : box[2]].copy()


def fill_image(message: Any, picture: Picture, encoding: str = "rgb8") -> None:
    """Write `picture`, (H, W, 3) in the order red, green, blue, into an empty sensor_msgs/Image."""
    ordered = picture
    if encoding == "mono8":
        ordered = np.rint(picture.mean(axis=2)).astype(np.uint8)[:, :, None]
    elif encoding in ("rgba8", "bgra8"):
        ordered = np.concatenate((picture, np.full_like(picture[:, :, :1], 255)), axis=2)
    if encoding.startswith("bgr"):
        ordered = ordered[:, :, [2, 1, 0, 3][: ordered.shape[2]]]
    fill_ordered(message, ordered, encoding)


def fill_ordered(message: Any, picture: Picture, encoding: str) -> None:
    """Write `picture` (H, W, channels), whose channels are in the order of `encoding`, into a sensor_msgs/Image."""
    height, width = picture.shape[:2]
    message.height, message.width = int(height), int(width)
    message.encoding, message.is_bigendian, message.step = encoding, 0, CHANNELS[encoding] * int(width)
    message.data = array("B", np.ascontiguousarray(picture).tobytes())


def fill_compressed(message: Any, picture: Picture) -> None:
    """Write `picture` (H, W, 3) into an empty sensor_msgs/CompressedImage, as PNG: without loss."""
    from naf_robot.core.images import encode_image

    message.format = "rgb8; png compressed rgb8"
    message.data = array("B", encode_image(picture))


def _check_size(height: int, width: int, config: CameraConfig | None) -> None:
    """Whether a frame has the declared size, or without one is no larger than cameras make them.

    The bound is here for what would only become large: some kilobytes may be decompressed to gigabytes.
    """
    if (config is None or not config.frame_height) and height * width > MAX_PIXELS:
        raise RefusedMessage(
            f"camera image is {width} x {height}; without sensors.camera.frame_width and frame_height at most "
            f"{MAX_PIXELS} pixels are taken"
        )
    if config is not None and config.frame_height and (height, width) != (config.frame_height, config.frame_width):
        raise RefusedMessage(
            f"camera image is {width} x {height}; sensors.camera says frames of {config.frame_width} x "
            f"{config.frame_height}"
        )
