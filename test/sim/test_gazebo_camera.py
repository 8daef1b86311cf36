"""Gazebo's camera: where it is, how its pictures come, and what is said where it cannot render."""

import os
import threading
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import pytest

from naf_robot.core.errors import NafRobotError
from naf_robot.run.config import resolve
from naf_robot.sensing import rotation
from naf_robot.sim.camera import SimulatedCameraConfig, camera_file, pixel_of
from naf_robot.sim.gazebo import camera_feed
from naf_robot.sim.gazebo.camera_feed import CameraFeed
from naf_robot.sim.gazebo.camera_sdf import add_camera
from naf_robot.sim.registry import SIMULATORS, World, make_simulator
from naf_robot.sim.simulator import SimulatorConfig

FRAME = (48, 64)
MISSING = SIMULATORS["gazebo"].missing()
needs_gazebo = pytest.mark.skipif(MISSING is not None, reason=f"simulator 'gazebo': {MISSING}")


def test_a_point_is_where_the_calibration_says_in_the_pictures_of_the_written_camera():
    config, world = SimulatedCameraConfig(), Element("world")
    add_camera(world, config, FRAME, "/camera", 20.0)
    numbers = [float(word) for word in world.find("model/pose").text.split()]
    place, turn = np.array(numbers[:3]), np.array(numbers[3:])
    sensor = world.find("model/link/sensor/camera")
    focal = FRAME[1] / 2.0 / np.tan(float(sensor.find("horizontal_fov").text) / 2.0)
    for point in np.array(config.look_at) + np.random.default_rng(0).uniform(-0.1, 0.1, (5, 3)):
        ahead, left, up = rotation.rotated(rotation.inverse(turn), point - place)  # gz-sim's camera looks along x
        seen = np.array([-left, -up]) / ahead * focal + (np.array(FRAME[::-1]) - 1.0) / 2.0
        np.testing.assert_allclose(seen, pixel_of(camera_file(config, *FRAME), point), atol=1e-9)


@needs_gazebo
def test_a_picture_is_waited_for_until_it_is_new_enough(monkeypatch):
    from naf_robot.sim.gazebo.messages import image_message, transport_node

    monkeypatch.setattr(camera_feed, "FIRST_S", 20.0)
    topic, node, image = "/naf_robot_test/camera", transport_node(), image_message()
    publisher = node.advertise(topic, image)
    feed, pictures = CameraFeed(topic, FRAME), np.random.default_rng(0).integers(0, 256, (3, *FRAME, 3), np.uint8)
    over = threading.Event()

    def send():
        number = 0
        while not over.wait(0.01):  # as a camera does, until it was seen
            message = image(width=FRAME[1], height=FRAME[0], data=pictures[min(number, 2)].tobytes())
            message.header.stamp.nsec = min(number, 2) + 1
            publisher.publish(message)
            number += 1

    sender = threading.Thread(target=send)
    sender.start()
    try:
        np.testing.assert_array_equal(feed.picture(newer_than_ns=2), pictures[2])
    finally:
        over.set()
        sender.join()
    monkeypatch.setattr(camera_feed, "NEXT_S", 0.05)
    feed._frame = (2, 2)
    with pytest.raises(NafRobotError, match="a picture of 2 x 2 has 12 bytes, got 9216"):
        feed.picture(newer_than_ns=2)
    with pytest.raises(NafRobotError, match=r"sent no picture on '/naf_robot_test/camera' within 0\.05 s"):
        feed.picture(newer_than_ns=3)


def renders() -> bool:
    """Whether gz-sim has its sensors system and there is a display."""
    folders = [*os.environ.get("GZ_SIM_SYSTEM_PLUGIN_PATH", "").split(os.pathsep), "/usr/lib", "/opt/ros"]
    found = any(list(Path(folder).rglob("libgz-sim*sensors-system.so")) for folder in folders if folder)
    return found and bool(os.environ.get("DISPLAY"))


@needs_gazebo
def test_the_camera_sees_the_goal_or_says_what_it_needs(monkeypatch):
    monkeypatch.setattr(camera_feed, "FIRST_S", 10.0)
    arms = {"a": resolve("reach").robot("robot_1").arm}
    world = World(arms, "free", SimulatorConfig(), 0.05, frame=FRAME, scene_settings={"marker_radius": 0.08})
    if not renders():
        with pytest.raises(NafRobotError, match="cameras need its sensors system with a render engine"):
            make_simulator("gazebo", world)
        return
    simulator = make_simulator("gazebo", world)
    simulator.reset("a", np.array(SimulatedCameraConfig().look_at), at_home=True)
    picture = simulator.signals("a")["camera"].astype(float)
    height, width = FRAME
    middle = picture[height // 2, width // 2]
    assert picture.shape == (*FRAME, 3)
    assert middle[1] > middle[0]  # the marker is green
