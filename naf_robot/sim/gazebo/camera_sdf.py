"""The camera that looks at a robot, as a model of SDFormat."""

import math
from xml.etree.ElementTree import Element

import numpy as np

from naf_robot.arm.model.bodies import Pose
from naf_robot.sensing import rotation
from naf_robot.sim.camera import SimulatedCameraConfig
from naf_robot.sim.gazebo.elements import add, add_plugin, add_pose

CAMERA = "camera"  # name of the model
NEAR, FAR = 0.01, 100.0  # [m], what is nearer or farther is not seen
ENGINE = "ogre2"  # that renders


def add_camera(
    world: Element, config: SimulatedCameraConfig, frame: tuple[int, int], topic: str, rate_hz: float
) -> None:
    """Add a camera whose pictures of height and width `frame` come on gz-transport's `topic`, `rate_hz` a second."""
    height, width = frame
    system = add_plugin(world, "sensors", "Sensors")
    add(system, "render_engine", ENGINE)
    model = add(world, "model", name=CAMERA)
    add(model, "static", True)
    right, down, forward = config.optical_axes().T
    axes = np.column_stack((forward, -right, -down))  # gz-sim's cameras look along x, with z up
    add_pose(model, Pose(np.array(config.position), rotation.from_matrix(axes)))
    sensor = add(add(model, "link", name=CAMERA), "sensor", name=CAMERA, type="camera")
    add(sensor, "topic", topic)
    add(sensor, "always_on", True)
    add(sensor, "update_rate", rate_hz)
    camera = add(sensor, "camera")
    add(camera, "horizontal_fov", 2.0 * math.atan(width / 2.0 / config.focal_length(height)))
    image = add(camera, "image")
    add(image, "width", str(width))
    add(image, "height", str(height))
    add(image, "format", "R8G8B8")
    if config.multisampling:
        add(image, "anti_aliasing", str(config.multisampling))
    clip = add(camera, "clip")
    add(clip, "near", NEAR)
    add(clip, "far", FAR)
