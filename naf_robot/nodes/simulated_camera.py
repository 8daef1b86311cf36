"""The topics of a simulated robot's camera: pictures, compressed ones, and its calibration."""

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from naf_robot.nodes import convert
from naf_robot.nodes.qos import SENSOR
from naf_robot.sensing.camera import COMPRESSED, CameraConfig, Picture, fill_compressed, fill_image, info_topic
from naf_robot.sensing.video.calibration import CameraCalibration, fill_camera_info


class SimulatedCamera:
    """Publishes each picture in every form that somebody listens to, all of the same stamp, in `frame`."""

    def __init__(
        self, node: Node, robot: str, config: CameraConfig, calibration: CameraCalibration | None, frame: str
    ) -> None:
        self._calibration, self._frame = calibration, frame
        topic = f"{robot}/{config.topic}"
        self._images = node.create_publisher(Image, topic, SENSOR)
        self._compressed = node.create_publisher(CompressedImage, topic + COMPRESSED, SENSOR)
        self._infos = node.create_publisher(CameraInfo, info_topic(topic), SENSOR)

    def publish(self, picture: Picture, stamp_s: float) -> None:
        """The frame `picture` (H, W, 3) of `stamp_s` [s]; compressed without loss, as PNG."""
        header = Header(stamp=convert.stamp(stamp_s), frame_id=self._frame)
        if self._infos.get_subscription_count():
            info = CameraInfo(header=header)
            fill_camera_info(info, self._calibration, picture.shape[1], picture.shape[0])
            self._infos.publish(info)
        if self._images.get_subscription_count():
            image = Image(header=header)
            fill_image(image, picture)
            self._images.publish(image)
        if self._compressed.get_subscription_count():
            compressed = CompressedImage(header=header)
            fill_compressed(compressed, picture)
            self._compressed.publish(compressed)
