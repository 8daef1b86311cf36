"""The topics of a simulated camera are those of a real one: raw, compressed, calibrated, of one stamp."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from graph import graph
from rendering import needs_rendering
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.nodes.qos import SENSOR
from naf_robot.run.config import resolve, save
from naf_robot.sensing.camera import CameraConfig, decompressed, picture_of
from naf_robot.sensing.sensor import stamp_of
from naf_robot.sensing.video.calibration import load_calibration

pytestmark = [pytest.mark.ros, needs_rendering]


def test_pictures_come_raw_compressed_and_calibrated_with_one_stamp(tmp_path: Path):
    overrides = {
        "robots": ["a", "b"],
        "simulation": {"answer_timeout_s": 0.05, "start_timeout_s": 0.0},
        "sensors": {"camera": {"topic": "front/image_raw", "transport": "compressed"}},
    }
    with graph() as g:
        save(resolve("reach_camera", overrides=[overrides]), tmp_path / "config.yaml")
        found: dict[str, dict[float, object]] = {"image": {}, "compressed": {}, "info": {}, "other": {}}
        places = {
            "image": (Image, "/a/front/image_raw"),
            "compressed": (CompressedImage, "/a/front/image_raw/compressed"),
            "info": (CameraInfo, "/a/front/camera_info"),
            "other": (Image, "/b/front/image_raw"),
        }
        for name, (kind, topic) in places.items():
            g.node.create_subscription(kind, topic, lambda m, name=name: found[name].update({stamp_of(m): m}), SENSOR)
        parameters = {"config": str(tmp_path / "config.yaml")}
        g.start(NodeSpec("simulator", "naf_robot.nodes.simulator", parameters=parameters), tmp_path / "log")
        g.wait_for(lambda: len(set.intersection(*map(set, found.values()))) >= 3, 60.0, "three pictures in every form")
        stamp_s = max(set.intersection(*map(set, found.values())))
        image, compressed, info = (found[name][stamp_s] for name in ("image", "compressed", "info"))
        np.testing.assert_array_equal(picture_of(image), decompressed(compressed, CameraConfig()))
        assert image.header.frame_id == info.header.frame_id == "a/camera_optical_frame"
        calibration = load_calibration(tmp_path / "calibrations/a/camera.yaml")
        assert (info.width, info.height) == (calibration.width, calibration.height) == (image.width, image.height)
        np.testing.assert_array_equal(info.k, calibration.camera_matrix)
        assert info.distortion_model == "plumb_bob"
        assert picture_of(image).max() > 100  # something is seen, and lit
