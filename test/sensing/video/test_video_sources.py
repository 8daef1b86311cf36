"""What a camera's source is by its text, and what is said of one that is no camera or no video."""

from pathlib import Path

import pytest

from naf_robot.core.config import build
from naf_robot.core.errors import ConfigError
from naf_robot.sensing.video import source as sources
from naf_robot.sensing.video.calibration import fill_camera_info, load_calibration, size_trouble
from naf_robot.sensing.video.config import CameraNodeConfig
from naf_robot.sensing.video.source import Source, SourceError, check_source, parse_source


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        ("0", "device", "/dev/video0"),
        (" /dev/v4l/by-id/usb-cam ", "device", "/dev/v4l/by-id/usb-cam"),
        ("film.mp4", "file", "film.mp4"),
        (
            "videotestsrc ! videoconvert ! appsink drop=true",
            "pipeline",
            "videotestsrc ! videoconvert ! appsink drop=true",
        ),
    ],
)
def test_a_source_is_a_device_a_file_or_a_pipeline(text: str, kind: str, found: str):
    assert parse_source(text) == Source(kind, found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("  ", "the camera's source is empty; it must be a device"),
        ("rtsp://camera/stream", "'rtsp://camera/stream' is an address"),
        ("videotestsrc ! autovideosink", "must end in ! appsink"),
    ],
)
def test_what_is_none_of_them_is_refused_at_once(text: str, said: str):
    with pytest.raises(ConfigError, match=said):
        parse_source(text)


def test_what_the_system_says_of_a_source_is_said_before_it_is_opened(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(sources, "DEVICES", tmp_path)
    (tmp_path / "video3").touch()
    missing = f"device '{tmp_path}/video7' cannot be opened: No such file or directory; cameras of this machine: "
    with pytest.raises(SourceError, match=f"^{missing}{tmp_path}/video3$"):
        check_source(parse_source("7"))
    with pytest.raises(SourceError, match="video3' is no camera: it is no device"):
        check_source(parse_source("3"))
    with pytest.raises(SourceError, match=r"^file 'no.mp4' cannot be opened: No such file or directory$"):
        check_source(parse_source("no.mp4"))
    with pytest.raises(SourceError, match="is no video file"):
        check_source(Source("file", str(tmp_path)))
    check_source(Source("device", "/dev/null"))  # a device of another kind: seen when it is opened
    monkeypatch.setattr(sources.os, "access", lambda *_: False)
    with pytest.raises(SourceError, match="may not read device '/dev/null'; add this user to the group video"):
        check_source(Source("device", "/dev/null"))


def test_settings_that_contradict_are_refused():
    for values, said in (
        ({"width": 640}, "both width and height"),
        ({"retry_s": 20.0}, r"max_retry_s \(10\) must not be less than retry_s \(20\)"),
        ({"fourcc": "MJPEG"}, "fourcc"),
        ({"jpeg_quality": 0}, "jpeg_quality"),
    ):
        with pytest.raises(ConfigError, match=said):
            build(CameraNodeConfig, values, "camera")


CALIBRATION = """
image_width: 640
image_height: 480
camera_name: wrist
camera_matrix: {rows: 3, cols: 3, data: [500.0, 0, 320.0, 0, 500.0, 240.0, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0.1, -0.2, 0, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [490.0, 0, 320.0, 0, 0, 490.0, 240.0, 0, 0, 0, 1, 0]}
"""


def test_a_calibration_becomes_camera_info_and_is_of_one_size(tmp_path: Path):
    messages = pytest.importorskip("sensor_msgs.msg", reason="needs the messages of ROS 2")
    path = tmp_path / "wrist.yaml"
    path.write_text(CALIBRATION)
    calibration, message = load_calibration(path), messages.CameraInfo()
    fill_camera_info(message, calibration, 640, 480)
    assert (message.width, message.height, message.distortion_model) == (640, 480, "plumb_bob")
    assert list(message.k[:3]) == [500.0, 0.0, 320.0]
    assert list(message.d) == [0.1, -0.2, 0.0, 0.0, 0.0]
    assert message.p[0] == 490.0
    assert size_trouble(calibration, 640, 480) == ""
    assert size_trouble(calibration, 320, 240) == ("the calibration is of frames of 640 x 480, these are 320 x 240")
    unknown = messages.CameraInfo()
    fill_camera_info(unknown, None, 320, 240)
    assert (unknown.width, unknown.height, unknown.k[0]) == (320, 240, 0.0)  # zeros: not calibrated


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("image_width: 640", "image_width: wide", "needs image_width and image_height"),
        ("distortion_model: plumb_bob", "", "needs distortion_model, such as plumb_bob"),
        ("data: [500.0, 0,", "data: [500.0,", "needs camera_matrix.data, 9 numbers"),
        ("data: [0.1", "data: [.nan", "needs distortion_coefficients.data, finite numbers"),
    ],
)
def test_a_broken_calibration_is_refused_in_one_sentence(tmp_path: Path, old: str, new: str, said: str):
    path = tmp_path / "wrist.yaml"
    path.write_text(CALIBRATION.replace(old, new))
    with pytest.raises(ConfigError, match=f"camera calibration '.*wrist.yaml' {said}"):
        load_calibration(path)
    with pytest.raises(ConfigError, match=r"there is no camera calibration 'none.yaml'"):
        load_calibration(Path("none.yaml"))
