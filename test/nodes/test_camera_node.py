"""The node `camera`: a video file becomes pictures on the graph, and what gives none is said in one sentence."""

import io
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from diagnostic_msgs.msg import DiagnosticArray
from graph import graph
from PIL import Image as Pillow
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.nodes.camera import use_room_for_pictures
from naf_robot.nodes.qos import SENSOR, reliable
from naf_robot.nodes.video_capture import VideoCapture, load_opencv
from naf_robot.run.config import resolve, save
from naf_robot.sensing.camera import picture_of
from naf_robot.sensing.sensor import stamp_of
from naf_robot.sensing.video.config import CameraNodeConfig
from naf_robot.sensing.video.source import SourceError, parse_source

SIZE, RED = (64, 48), (20, 30, 200)  # width and height; blue, green, red


def opencv():
    """OpenCV, silenced as the node does it; what FFmpeg says is decided when it is first used."""
    pytest.importorskip("cv2", reason="needs OpenCV: pip install 'naf_robot[camera]'")
    return load_opencv()


def film(path: Path, frames: int = 6) -> Path:
    """A red film with a bar that moves, 30 frames per second."""
    cv2 = opencv()
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, SIZE)
    for number in range(frames):
        picture = np.full((SIZE[1], SIZE[0], 3), RED, np.uint8)
        picture[:, 8 * number : 8 * number + 8] = 0
        writer.write(picture)
    writer.release()
    return path


@pytest.mark.ros
def test_pictures_come_as_soon_as_there_is_a_film_and_in_every_form_that_is_listened_to(tmp_path: Path):
    made, place = film(tmp_path / "made.avi"), tmp_path / "film.avi"
    camera = {
        "source": str(place),
        "loop": True,
        "width": SIZE[0],
        "height": SIZE[1],
        "retry_s": 0.05,
        "max_retry_s": 0.1,
        "low_rate": 0.0,  # a burdened machine is no slow camera here
    }
    save(resolve("reach", overrides=[{"robots": ["a"], "camera": camera}]), tmp_path / "config.yaml")
    statuses: list = []
    got: dict[type, list] = {Image: [], CompressedImage: [], CameraInfo: []}
    with graph() as g:
        g.node.create_subscription(
            DiagnosticArray, "/diagnostics", lambda array: statuses.extend(array.status), reliable(10)
        )
        for kind, name in (
            (Image, "image_raw"),
            (CompressedImage, "image_raw/compressed"),
            (CameraInfo, "camera_info"),
        ):
            g.node.create_subscription(kind, f"/a/camera/{name}", got[kind].append, SENSOR)
        spec = NodeSpec(
            "camera", "naf_robot.nodes.camera", namespace="a", parameters={"config": str(tmp_path / "config.yaml")}
        )
        child = g.start(spec, tmp_path / "log")
        g.wait_for(lambda: statuses, what="diagnostics")
        assert statuses[-1].message == f"file '{place}' cannot be opened: No such file or directory"
        assert not any(got.values())
        made.rename(place)
        g.wait_for(lambda: all(len(each) > 8 for each in got.values()), what="pictures in every form")
        g.wait_for(lambda: "capturing" in statuses[-1].message, what="diagnostics with pictures")
        assert g.end(child) == 0
    values = {pair.key: pair.value for pair in statuses[-1].values}
    assert statuses[-1].message == "capturing frames of 64 x 48"
    assert values["size"] == "64 x 48"
    assert (values["listeners"], values["listeners to compressed"]) == ("1", "1")
    assert values["expected rate [Hz]"] == "30.0"
    assert float(values["latency [ms]"]) > 0.0
    stamps = [stamp_of(each) for each in got[Image]]
    assert stamps == sorted(set(stamps))
    first, jpeg, info = got[Image][0], got[CompressedImage][0], got[CameraInfo][0]
    assert (first.encoding, first.header.frame_id) == ("bgr8", "a/camera_optical_frame")
    np.testing.assert_allclose(picture_of(first)[24, 60].astype(int), RED[::-1], atol=12)
    assert jpeg.format == "bgr8; jpeg compressed bgr8"
    decoded = np.asarray(Pillow.open(io.BytesIO(bytes(jpeg.data))))
    np.testing.assert_allclose(decoded[24, 60].astype(int), RED[::-1], atol=16)
    assert (info.width, info.height) == SIZE
    assert set(stamps) & {stamp_of(each) for each in got[CameraInfo]}


def test_a_film_is_read_once_or_again_and_again(tmp_path: Path):
    path = film(tmp_path / "film.avi", 3)
    once = VideoCapture(parse_source(str(path)), CameraNodeConfig())
    assert (once.rate_hz, once.paced, once.size, once.grey) == (30.0, True, SIZE, True)
    assert [once.read() is None for _ in range(4)] == [False, False, False, True]
    once.close()
    again = VideoCapture(parse_source(str(path)), CameraNodeConfig(loop=True))
    shades = [int(again.read().picture[24, 4].sum()) for _ in range(7)]
    assert [shade < 60 for shade in shades] == [True, False, False, True, False, False, True]
    again.close()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("/dev/null", "device '/dev/null' is no camera that can be opened, or another program is using it"),
        ("text.mp4", "file 'text.mp4' is no video that can be read"),
        ("videotestsrc ! appsink", "this OpenCV was built without GStreamer"),
    ],
)
def test_what_is_no_camera_and_no_film_is_said_in_one_sentence(tmp_path: Path, monkeypatch, capfd, source, said: str):
    cv2 = opencv()
    if "!" in source and cv2.videoio_registry.hasBackend(cv2.CAP_GSTREAMER):
        pytest.skip("this OpenCV has GStreamer")
    monkeypatch.chdir(tmp_path)
    Path("text.mp4").write_text("no film")
    with pytest.raises(SourceError, match=said):
        VideoCapture(parse_source(source), CameraNodeConfig())
    assert capfd.readouterr() == ("", "")  # what OpenCV would say besides


@pytest.mark.parametrize(
    ("caps", "grey"), [("", False), ("video/x-raw,format=GRAY8 ! ", True), ("video/x-bayer ! ", False)]
)
def test_a_pipeline_says_whether_it_is_grey(monkeypatch, caps: str, grey: bool):
    """OpenCV of PyPI has no GStreamer: its capture is stood in for, and gives what it says of NV12."""
    cv2 = opencv()
    sizes = {cv2.CAP_PROP_FRAME_WIDTH: 8.0, cv2.CAP_PROP_FRAME_HEIGHT: 6.0}

    class Pipeline:
        isOpened = release = lambda self: True

        def __init__(self, text: str, backend: int) -> None:
            assert backend == cv2.CAP_GSTREAMER

        def get(self, name: int) -> float:
            return sizes.get(name, 30.0)

    monkeypatch.setattr(cv2, "VideoCapture", Pipeline)
    monkeypatch.setattr(cv2.videoio_registry, "hasBackend", lambda backend: True)
    capture = VideoCapture(parse_source(f"v4l2src ! {caps}appsink"), CameraNodeConfig())
    assert (capture.size, capture.grey) == ((8, 6), grey)


def test_fast_dds_has_room_for_pictures_unless_the_user_says_how():
    given, environment = {"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"}, {}
    use_room_for_pictures(given)
    assert given == {"FASTDDS_BUILTIN_TRANSPORTS": "UDPv4"}
    use_room_for_pictures(environment)
    (path,) = environment.values()
    sizes = [int(each.text) for each in ElementTree.parse(path).iter() if each.tag.endswith("segment_size")]
    assert min(sizes) > 4 * 640 * 480 * 3


def test_without_opencv_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(SourceError, match=r"OpenCV cannot be loaded \(.*cv2.*\); .* pip install 'naf_robot\[camera\]'"):
        load_opencv()
