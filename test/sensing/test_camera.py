"""The camera as a sensor: encodings, compressed pictures, crop, resize, and frames that are refused in one sentence."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.core.errors import ConfigError
from naf_robot.sensing.camera import CHANNELS, MAX_PIXELS, fill_compressed, fill_image, picture_of
from naf_robot.sensing.registry import make_sensor
from naf_robot.sensing.tick import TickAssembler, TickLimits

RANDOM = np.random.default_rng(0)


def picture(height: int = 4, width: int = 5) -> np.ndarray:
    return RANDOM.integers(0, 256, (height, width, 3)).astype(np.uint8)


def image(frame: np.ndarray, encoding: str = "rgb8") -> SimpleNamespace:
    message = SimpleNamespace()
    fill_image(message, frame, encoding)
    return message


def compressed(frame: np.ndarray, kind: str = "PNG", mode: str = "RGB") -> SimpleNamespace:
    buffer = io.BytesIO()
    Image.fromarray(frame).convert(mode).save(buffer, kind)
    return SimpleNamespace(format="rgb8; compressed", data=buffer.getvalue())


def sensor(**settings):
    return make_sensor("camera", (), {"camera": settings})


def seen(message: SimpleNamespace, **settings) -> np.ndarray:
    return sensor(**settings).read(message)["camera"]


@pytest.mark.parametrize("encoding", sorted(CHANNELS))
def test_frames_of_every_encoding_and_with_padded_rows(encoding: str):
    frame, channels = picture(), CHANNELS[encoding]
    if encoding == "mono8":
        frame = np.repeat(frame[:, :, :1], 3, axis=2)
    message = image(frame, encoding)
    np.testing.assert_array_equal(picture_of(message), frame)
    order = [2, 1, 0] if encoding.startswith("bgr") else [0, 1, 2]
    assert bytes(message.data[:channels])[:3] == bytes(frame[0, 0, order])[:channels]
    rows = np.frombuffer(message.data, np.uint8).reshape(4, 5 * channels)
    message.data, message.step = np.pad(rows, ((0, 0), (0, 1))).tobytes(), 5 * channels + 1
    np.testing.assert_array_equal(picture_of(message), frame)
    message.data = message.data[:-1]
    with pytest.raises(RefusedMessage, match=rf"4 x 5 has rows of {message.step} and {4 * message.step - 1} bytes"):
        picture_of(message)


def test_another_encoding_or_size_is_refused_in_one_sentence():
    message = image(picture())
    message.encoding = "yuv422"
    with pytest.raises(RefusedMessage, match="encoded as 'yuv422'; valid: rgb8, bgr8, rgba8, bgra8, mono8"):
        picture_of(message)
    with pytest.raises(RefusedMessage, match=r"camera must have shape \(64, 64, 3\), got \(4, 5, 3\)"):
        seen(image(picture()))
    asked = {"frame_height": 4, "frame_width": 6, "height": 2, "width": 2, "resize": True}
    for made, settings in ((image(picture()), {}), (compressed(picture()), {"transport": "compressed"})):
        with pytest.raises(RefusedMessage, match=r"image is 5 x 4; sensors.camera says frames of 6 x 4$"):
            seen(made, **asked, **settings)


OTHERS = """
    rgb16 bgr16 rgba16 mono16 8UC1 8UC3 16UC1 32FC1 yuv422 yuv422_yuy2 uyvy yuyv nv12 nv21 nv24
    bayer_rggb8 bayer_bggr8 bayer_gbrg8 bayer_grbg8 bayer_rggb16
"""


@pytest.mark.parametrize("encoding", OTHERS.split())
def test_every_other_encoding_is_refused_with_those_that_are_valid(encoding: str):
    """Whatever its bytes look like: planes of NV12 have the rows of a larger grey picture."""
    message = image(picture(6, 8), "mono8")
    message.encoding = encoding
    with pytest.raises(RefusedMessage, match="; valid: " + ", ".join(CHANNELS)):
        picture_of(message)


def test_a_frame_of_no_declared_size_has_a_bound_that_is_seen_before_it_is_decompressed(monkeypatch):
    """A grey PNG of 8000 x 5000 has some 40 kB and becomes 120 MB."""
    buffer = io.BytesIO()
    Image.new("L", (8_000, 5_000)).save(buffer, "PNG", compress_level=1)
    bomb = SimpleNamespace(format="mono8; png", data=buffer.getvalue())
    monkeypatch.setattr(Image.Image, "convert", lambda *given: pytest.fail("was decompressed"))
    with pytest.raises(RefusedMessage, match=f"is 8000 x 5000; without .*frame_height at most {MAX_PIXELS} pixels"):
        seen(bomb, transport="compressed", resize=True)
    monkeypatch.undo()
    frame = picture(40, 60)
    monkeypatch.setattr("naf_robot.sensing.camera.MAX_PIXELS", 40 * 60 - 1)
    declared = {"frame_height": 40, "frame_width": 60, "height": 40, "width": 60}
    np.testing.assert_array_equal(seen(compressed(frame), transport="compressed", **declared), frame)
    for message, settings in ((compressed(frame), {"transport": "compressed"}), (image(frame), {})):
        with pytest.raises(RefusedMessage, match="is 60 x 40; without"):
            seen(message, height=40, width=60, **settings)


def test_crop_and_resize_take_the_mean_of_the_area_of_each_pixel():
    frame = picture(480, 640)
    square = seen(image(frame, "bgr8"), crop={"left": 80, "width": 480}, resize=True, height=48, width=48)
    expected = frame[:, 80:560].astype(float).reshape(48, 10, 48, 10, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(square, expected, atol=1.0)
    part = seen(image(frame), crop={"left": 3, "top": 7, "width": 5, "height": 4}, height=4, width=5)
    np.testing.assert_array_equal(part, frame[7:11, 3:8])
    with pytest.raises(RefusedMessage, match=r"must have shape \(4, 4, 3\), got \(4, 5, 3\)"):
        seen(image(frame), crop={"left": 3, "top": 7, "width": 5, "height": 4}, height=4, width=4)


def test_a_crop_that_is_not_within_the_frame_is_refused_when_it_can_be_known():
    outside = {"left": 4, "width": 3}
    with pytest.raises(RefusedMessage, match="column 4 to 7 and row 0 to 4 is not within a frame of 5 x 4"):
        seen(image(picture()), crop=outside, height=4, width=3)
    with pytest.raises(ConfigError, match=r"sensors.camera.crop from column 4 to 7 .* not within a frame of 5 x 4"):
        sensor(crop=outside, frame_height=4, frame_width=5)
    with pytest.raises(ConfigError, match="both frame_height and frame_width"):
        sensor(frame_height=4)


def test_compressed_frames_have_their_own_topic_and_come_back_without_loss():
    made, frame = sensor(transport="compressed", height=4, width=5), picture()
    assert (made.topic, made.message) == ("camera/image_raw/compressed", "sensor_msgs/msg/CompressedImage")
    message = SimpleNamespace()
    fill_compressed(message, frame)
    np.testing.assert_array_equal(made.read(message)["camera"], frame)
    grey = np.repeat(frame[:, :, :1], 3, axis=2)
    np.testing.assert_array_equal(made.read(compressed(grey, mode="L"))["camera"], grey)
    smooth = np.full((4, 5, 3), (200, 30, 90), np.uint8)
    found = made.read(compressed(smooth, "JPEG"))["camera"].astype(int)
    np.testing.assert_allclose(found, smooth, atol=4)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (SimpleNamespace(format="jpeg", data=b"no picture"), "format 'jpeg': it is no PNG or JPEG picture"),
        (SimpleNamespace(format="", data=b""), "format '': it is no PNG or JPEG picture"),
        (SimpleNamespace(format="jpeg", data=compressed(picture(64, 64), "JPEG").data[:500]), "no PNG or JPEG picture"),
        (compressed(picture(), "JPEG", "CMYK"), "its pixels are CMYK; valid: RGB"),
    ],
)
def test_what_cannot_be_decompressed_is_refused_in_one_sentence(message: SimpleNamespace, text: str):
    with pytest.raises(RefusedMessage, match=text) as refused:
        seen(message, transport="compressed")
    assert "\n" not in str(refused.value)


def test_a_tick_has_the_newest_frame_within_its_age():
    state, made = make_sensor("joint_states", ("a",)), sensor(height=2, width=2, max_age_s=0.08)
    limits = TickLimits(state_age_s=0.1, answer_wait_s=0.0, sensor_wait_s=0.0)
    assembler = TickAssembler(state, (made,), 0.05, False, limits)
    numbers = {"joint_position": np.zeros(1), "joint_velocity": np.zeros(1)}
    frames = [picture(2, 2) for _ in range(3)]
    for frame, stamp_s in zip(frames, (9.933, 9.967, 9.95), strict=True):  # the last one was overtaken
        assembler.arrive("camera", stamp_s, {"camera": frame}, 10.0)
    for now_s, fresh in ((10.0, True), (10.05, False)):
        assembler.arrive("joint_states", now_s, numbers, now_s)
        signals = assembler.poll(now_s, 0.0).signals
        assert ("camera" in signals) == fresh
        if fresh:
            np.testing.assert_array_equal(signals["camera"], frames[1])
