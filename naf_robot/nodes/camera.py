"""Executable `camera`, one per robot: pictures of a device, a video file or a pipeline, with their health.

Runs within a run, or alone: `python -m naf_robot.nodes.camera --ros-args -p source:=/dev/video0`. A source that
fails is opened again, for as long as the node runs; why there are no pictures is on `/diagnostics`.
"""

import os
import sys
import threading
import time
from array import array
from collections.abc import MutableMapping
from pathlib import Path

import msgspec
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from naf_robot.core.config import build
from naf_robot.core.resources import find
from naf_robot.core.stamps import BILLION
from naf_robot.nodes import topics
from naf_robot.nodes.convert import seconds_of
from naf_robot.nodes.diagnostics import ERROR, OK, WARN, Diagnostics, Status
from naf_robot.nodes.executable import STEADY, BareNode, run
from naf_robot.nodes.qos import SENSOR
from naf_robot.nodes.scheduling import use_real_time_scheduling
from naf_robot.nodes.video_capture import VideoCapture, encode_jpeg
from naf_robot.run.config import RunConfig, check_robot
from naf_robot.run.frames import frame_of
from naf_robot.sensing.camera import Picture, fill_ordered
from naf_robot.sensing.video.calibration import fill_camera_info, load_calibration, size_trouble
from naf_robot.sensing.video.capture import Capture, Frame
from naf_robot.sensing.video.config import CameraNodeConfig
from naf_robot.sensing.video.health import CameraHealth, warnings_of
from naf_robot.sensing.video.source import parse_source
from naf_robot.sensing.video.stamps import MonotonicStamps

CONTROL_RANK = 2  # behind velocity control and collector, before all that no arm waits for
PROFILE = "config/dds/pictures.xml"
TRANSPORTS = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE", "FASTDDS_BUILTIN_TRANSPORTS")
STOP_S = 0.3  # to wait for the thread that reads; a device that sends nothing holds it for longer


class CameraNode(BareNode):
    """A thread reads and publishes; the executor reports."""

    def __init__(self) -> None:
        super().__init__("camera")
        self.run: RunConfig | None = None if self.config_path == Path() else self.run_config()
        robot = self.node_parameters.get("robot") or self.get_namespace().strip("/")
        if self.run is not None:
            robot = check_robot(self.run, robot)
        self.settings = self.given_settings(robot)
        self.source = parse_source(self.settings.source)
        self.frame = frame_of(robot, self.settings.frame) if robot else self.settings.frame
        path = self.settings.calibration
        self.calibration = None if path is None else load_calibration(Path(path))
        self.size_trouble = ""
        self.size = (0, 0)
        self.images = self.create_publisher(Image, topics.CAMERA_IMAGE, SENSOR)
        self.compressed = self.create_publisher(CompressedImage, topics.CAMERA_COMPRESSED, SENSOR)
        self.infos = self.create_publisher(CameraInfo, topics.CAMERA_INFO, SENSOR)
        self.stamps, self.health = MonotonicStamps(), CameraHealth()
        self.ending = threading.Event()
        self.capture = Capture(
            lambda: VideoCapture(self.source, self.settings), self.take, self.ending.wait, self.settings
        )
        self.thread = threading.Thread(target=self.capture.run, name="capture", daemon=True)
        self.begun_s = time.monotonic()
        self.logged = ""
        self.diagnostics = Diagnostics(self, STEADY, self.report)

    def given_settings(self, robot: str) -> CameraNodeConfig:
        """The settings of the run, over which those given as parameters stand."""
        base = CameraNodeConfig() if self.run is None else self.run.robot(robot).camera
        values = msgspec.to_builtins(base)
        for name, value in values.items():
            values[name] = self.node_parameters.get(name, "" if value is None else value)
        return build(CameraNodeConfig, values | {"calibration": values["calibration"] or None}, "camera")

    def use_scheduling(self) -> None:
        """A robot that waits for its pictures comes before what no arm waits for."""
        if self.run is not None and not self.run.simulated_time:
            use_real_time_scheduling(self.run.real_time.control_priority - CONTROL_RANK)

    def loop(self) -> int:
        """Read and report until asked to end."""
        self.thread.start()
        return super().loop()

    def take(self, frame: Frame) -> None:
        """A frame came, in the thread that reads: publish it in every form that somebody listens to."""
        if self.ending.is_set():
            return
        begin_s = time.monotonic()
        stamp_ns = self.stamps.stamp_ns(self.get_clock().now().nanoseconds, frame.age_s)
        sec, nanosec = divmod(stamp_ns, BILLION)
        self.publish(frame.picture, Header(stamp=Time(sec=sec, nanosec=nanosec), frame_id=self.frame))
        now_s = time.monotonic()
        self.health.take(frame.picture, seconds_of(stamp_ns), now_s, frame.age_s + now_s - begin_s)

    def publish(self, picture: Picture, header: Header) -> None:
        """The picture, compressed, and what is known of the camera, all of the same stamp."""
        height, width = picture.shape[:2]
        encoding = "mono8" if picture.ndim == 2 else "bgr8"
        if (width, height) != self.size:
            self.size = width, height
            self.size_trouble = "" if self.calibration is None else size_trouble(self.calibration, width, height)
        if self.infos.get_subscription_count():
            info = CameraInfo(header=header)
            fill_camera_info(info, None if self.size_trouble else self.calibration, width, height)
            self.infos.publish(info)
        if self.images.get_subscription_count():
            image = Image(header=header)
            fill_ordered(image, picture, encoding)
            self.images.publish(image)
        if self.compressed.get_subscription_count():
            jpeg = array("B", encode_jpeg(picture, self.settings.jpeg_quality))
            text = f"{encoding}; jpeg compressed {encoding}"
            self.compressed.publish(CompressedImage(header=header, format=text, data=jpeg))

    def report(self) -> Status:
        """What comes, or why nothing does."""
        now_s, capture = time.monotonic(), self.capture
        trouble, expected_hz = capture.trouble, capture.expected_hz
        values: dict[str, object] = {
            "source": self.source.text,
            "size": f"{self.size[0]} x {self.size[1]}",
            "expected rate [Hz]": round(expected_hz, 3),
            "opened": capture.openings,
            "listeners": self.images.get_subscription_count(),
            "listeners to compressed": self.compressed.get_subscription_count(),
        }
        values |= self.health.report(self.now_s())
        silent_s = min(self.health.silent_s(now_s), now_s - self.begun_s)
        if not trouble and silent_s > self.settings.silent_s:
            trouble = f"no frame for {silent_s:.1f} s"
        self.log(trouble)
        if trouble:
            return (WARN if capture.ended else ERROR), trouble, values
        warnings = [*filter(None, [self.size_trouble]), *warnings_of(values, expected_hz, self.settings)]
        if warnings:
            return WARN, "; ".join(warnings), values
        return OK, f"capturing frames of {values['size']}", values

    def log(self, trouble: str) -> None:
        """Say once what began or ended."""
        kind = trouble[:12]  # without the number that grows
        if kind != self.logged:
            self.logged = kind
            self.get_logger().warning(trouble) if trouble else self.get_logger().info("frames come")

    def close(self) -> None:
        """End the thread that reads."""
        self.ending.set()
        if self.thread.is_alive():
            self.thread.join(STOP_S)


def use_room_for_pictures(environment: MutableMapping[str, str]) -> None:
    """Have Fast DDS keep more than the 0.5 MB of one process that it does by default, unless the user has said how.

    Of raw pictures of 0.9 MB it else loses three of four (benchmarks/camera.py). Call it before rclpy is begun.
    """
    if not any(name in environment for name in TRANSPORTS):
        environment[TRANSPORTS[0]] = str(find(PROFILE))


def main() -> int:
    """Entry point."""
    use_room_for_pictures(os.environ)
    return run(CameraNode)


if __name__ == "__main__":
    sys.exit(main())
