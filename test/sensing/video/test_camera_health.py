"""Picture checks, stamps, the pace of files, and a reader that opens its source again."""

import re

import numpy as np
import pytest

from naf_robot.sensing.video.capture import ENDED, NEEDED, Backoff, Capture, Frame
from naf_robot.sensing.video.config import CameraNodeConfig
from naf_robot.sensing.video.health import CameraHealth, PictureChecks, warnings_of
from naf_robot.sensing.video.source import SourceError
from naf_robot.sensing.video.stamps import MonotonicStamps, Pacer, age_of

CONFIG = CameraNodeConfig()
NOISE = np.random.default_rng(0)


def noisy(level: float) -> np.ndarray:
    return np.clip(NOISE.normal(level, 3.0, (480, 640, 3)), 0, 255).astype(np.uint8)


def warned(pictures, rate_hz: float = 30.0, expected_hz: float = 30.0) -> str:
    health = CameraHealth()
    for number, picture in enumerate(pictures):
        health.take(picture, 100.0 + number / rate_hz, number / rate_hz, 0.01)
    return "; ".join(warnings_of(health.report(100.0 + len(pictures) / rate_hz), expected_hz, CONFIG))


def test_a_healthy_camera_is_not_warned_of():
    assert warned([noisy(100.0) for _ in range(10)]) == ""
    assert warned([noisy(100.0)[:, :, 0] for _ in range(10)]) == ""  # grey


@pytest.mark.parametrize(
    ("pictures", "rates", "said"),
    [
        ([noisy(3.0) for _ in range(5)], {}, r"^too dark: brightness \d.\d of 255, expected at least 12$"),
        ([noisy(254.0) for _ in range(5)], {}, r"^overexposed: \d+ % of the pixels are white, expected at most 50 %$"),
        ([noisy(100.0)] * 70, {}, r"^frozen: identical pictures for 2.3 s$"),
        ([noisy(100.0) for _ in range(10)], {"rate_hz": 20.0}, r"^low rate: 20.0 frames/s of 30$"),
        ([noisy(100.0) for _ in range(10)], {"rate_hz": 20.0, "expected_hz": 0.0}, r"^$"),  # no rate is known
    ],
)
def test_each_fault_of_the_pictures_is_named(pictures, rates, said: str):
    assert re.search(said, warned(pictures, **rates))


def test_lights_that_go_on_again_end_the_warning():
    checks = PictureChecks()
    for number in range(3):
        checks.take(noisy(2.0), float(number))
    assert checks.report()["brightness"] < 12.0
    assert checks.report() == {}
    checks.take(noisy(100.0), 3.0)
    assert checks.report()["brightness"] == pytest.approx(100.0, abs=1.0)


def test_frames_are_counted_with_rate_gaps_and_latency():
    health = CameraHealth()
    for number in (*range(5), *range(8, 12)):
        health.take(noisy(100.0), number / 30.0, number / 30.0, 0.002 * (number + 1))
    values = health.report(0.4)
    assert values["sensor camera messages"] == 9
    assert values["sensor camera missing"] == 3
    assert values["largest latency [ms]"] == 24.0
    assert 2.0 < values["latency [ms]"] < 24.0
    assert health.silent_s(11 / 30.0 + 1.5) == pytest.approx(1.5)


def test_stamps_never_go_back_but_follow_a_clock_that_was_set_anew():
    stamps, second = MonotonicStamps(), 10**9
    found = [stamps.stamp_ns(now_ns, age_s) for now_ns, age_s in (
        (100 * second, 0.01), (100 * second, 0.02), (100 * second + 1, 0.0), (99 * second + 500, 0.0),
    )]  # fmt: skip
    assert found[0] == 100 * second - 10**7
    assert found[1] > found[0]
    assert sorted(set(found)) == found
    assert stamps.stamp_ns(50 * second) == 50 * second


def test_the_age_that_a_device_says_counts_only_if_it_can_be():
    assert age_of(99.98, 100.0) == pytest.approx(0.02)
    for impossible in (0.0, 100.5, 42.0, float("nan")):
        assert age_of(impossible, 100.0) == 0.0


def test_a_file_keeps_its_rate_and_does_not_hurry_after_a_pause():
    pacer = Pacer(10.0)
    assert pacer.wait_s(0.0) == 0.0
    assert pacer.wait_s(0.02) == pytest.approx(0.08)
    assert pacer.wait_s(0.25) == 0.0  # late, and made up for
    assert pacer.wait_s(0.25) == pytest.approx(0.05)
    assert pacer.wait_s(5.0) == 0.0
    assert pacer.wait_s(5.0) == pytest.approx(0.1)


def test_attempts_become_rarer_until_one_succeeds():
    backoff = Backoff(0.5, 3.0)
    assert [backoff.next_s() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    backoff.succeeded()
    assert backoff.next_s() == 0.5


class Device:
    """A source that gives what `script` says: a number of frames, then a failure, "end", or a stop."""

    paced, rate_hz, size, grey = False, 30.0, (0, 0), True

    def __init__(self, *script) -> None:
        self.script = list(script)
        self.closed = 0

    def read(self) -> Frame | None:
        if not self.script:
            raise SourceError("unplugged")
        shape = self.script.pop(0)
        return None if shape == "end" else Frame(np.zeros((*shape, 3), np.uint8))

    def close(self) -> None:
        self.closed += 1


def captured(attempts, waits: int, **settings) -> tuple[Capture, list, list]:
    """Run until `waits` pauses were made; each attempt is a device or an error."""
    frames, pauses, attempts = [], [], list(attempts)

    def open_source():
        made = attempts.pop(0) if attempts else SourceError("still not there")
        if isinstance(made, SourceError):
            raise made
        return made

    def wait(seconds: float) -> bool:
        if seconds > 0.0:
            pauses.append(seconds)
        return len(pauses) >= waits

    capture = Capture(open_source, frames.append, wait, CameraNodeConfig(**settings), lambda: 0.0)
    capture.run()
    return capture, frames, pauses


def test_an_unplugged_camera_is_opened_again_until_it_is_back():
    first, second = Device((4, 4), (4, 4)), Device((4, 4))
    missing = SourceError("no such device")
    capture, frames, pauses = captured([first, missing, missing, second], 4, retry_s=0.5, max_retry_s=0.8)
    assert len(frames) == 3
    assert pauses == [0.5, 0.8, 0.8, 0.5]
    assert capture.openings == 2
    assert capture.trouble == "unplugged"
    assert capture.expected_hz == 30.0
    assert (first.closed, second.closed) == (1, 1)


def test_frames_of_another_size_than_asked_are_not_passed_on():
    capture, frames, pauses = captured([Device((4, 6), (4, 6)), Device((8, 6))], 2, width=6, height=8)
    assert len(frames) == 1
    assert pauses == [0.5, 0.5]
    capture, frames, _ = captured([Device((4, 6))], 1, width=6, height=8)
    assert frames == []
    assert capture.trouble.startswith("the source gives frames of 6 x 4, asked were 6 x 8; set width and height")


@pytest.mark.parametrize(
    ("picture", "said"),
    [
        (np.zeros((4, 6, 4), np.uint8), "4 x uint8"),  # BGRx
        (np.zeros((4, 6, 2), np.uint8), "2 x uint8"),  # YUY2
        (np.zeros((4, 6), np.uint16), "1 x uint16"),
    ],
)
def test_pictures_that_no_message_could_hold_are_not_passed_on(picture, said: str):
    class Other(Device):
        def read(self) -> Frame | None:
            super().read()  # which ends after one picture, whether or not that was refused
            return Frame(picture)

    capture, frames, pauses = captured([Other((4, 6))], 1)
    assert (frames, pauses) == ([], [0.5])
    assert capture.trouble.startswith(f"the source gives pictures of {said} per pixel; needed are 3 x uint8 (BGR)")


@pytest.mark.parametrize(
    ("rows", "grey", "said"),
    [
        (6, True, None),
        (9, True, "gives 8 x 9 numbers for frames of 8 x 6, so they are not grey but in planes, such as NV12"),
        (12, False, "gives 8 x 12 numbers for frames of 8 x 6"),  # YUV 4:2:2 in planes
        (6, False, "gives one number per pixel and does not say that it is grey: Bayer"),
    ],
)
def test_only_grey_pictures_pass_as_grey(rows: int, grey: bool, said: str | None):
    class Flat(Device):
        size = (8, 6)

        def read(self) -> Frame | None:
            super().read()
            return Frame(np.zeros((rows, 8), np.uint8))

    Flat.grey = grey
    capture, frames, _ = captured([Flat((1, 1))], 1)
    assert (len(frames) == 1) == (said is None)
    if said is not None:
        assert capture.trouble.startswith(f"the source {said}")
        assert capture.trouble.endswith(NEEDED)


def test_whatever_a_library_raises_the_source_is_opened_again():
    class Broken(Device):
        def read(self) -> Frame | None:
            raise RuntimeError("conversion\n failed")

    broken = Broken()
    capture, frames, _ = captured([broken], 1)
    assert capture.trouble == "reading the source failed: RuntimeError: conversion failed"
    assert broken.closed == 1
    _, frames, _ = captured([Broken(), Device((4, 4))], 2)
    assert len(frames) == 1


def test_a_file_that_has_ended_is_not_opened_again():
    film = Device((4, 4), "end")
    capture, frames, pauses = captured([film], 9)
    assert (len(frames), pauses, capture.ended, capture.trouble) == (1, [], True, ENDED)
    assert film.closed == 1
