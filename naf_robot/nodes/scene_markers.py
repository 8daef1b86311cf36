"""Executable `scene_markers`, one per robot, for RViz: the target and the task's scene (a door) as markers.

It only listens: to the target, and to the sensors of the task that say how the scene stands.
"""

import sys
from functools import partial

import numpy as np
from geometry_msgs.msg import Point, PoseStamped, Quaternion, Vector3
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.core.records import FloatArray
from naf_robot.nodes import topics
from naf_robot.nodes.diagnostics import OK, WARN, Diagnostics, Status
from naf_robot.nodes.executable import STEADY, ExecutableNode, run
from naf_robot.nodes.qos import OF_ROLE, latched
from naf_robot.nodes.sensor_messages import message_type
from naf_robot.run.frames import base_frame
from naf_robot.run.robot_parts import task_sensors
from naf_robot.sensing import rotation
from naf_robot.sensing.sensor import Sensor
from naf_robot.sim.scenes.drawing import DRAWINGS, PlacedSolid, draw_nothing
from naf_robot.sim.scenes.registry import scene_config

PERIOD_S = 0.1
TARGET_RADIUS = 0.05  # [m], where the task's success is no distance
YELLOW = ColorRGBA(r=0.95, g=0.8, b=0.1, a=0.5)
UP = np.array([0.0, 0.0, 1.0])


class SceneMarkersNode(ExecutableNode):
    """The scene around one robot."""

    def __init__(self) -> None:
        super().__init__("scene_markers")
        robot = self.robot_parameter()
        self.frame = base_frame(self.config, robot)
        task = self.config.make_task()
        self.scene = scene_config(task.scene, self.config.simulator.scene)
        self.draw = DRAWINGS.get(task.scene, draw_nothing)
        self.radius = float(getattr(getattr(task, "config", None), "success_distance", TARGET_RADIUS))
        self.target: FloatArray | None = None
        self.signals: dict[str, FloatArray] = {}
        self.markers = self.create_publisher(MarkerArray, topics.SCENE_MARKERS, latched())
        self.diagnostics = Diagnostics(self, STEADY, self.status)
        self.create_subscription(PoseStamped, topics.TARGET, self.on_target, latched())
        for sensor in task_sensors(self.config, robot):
            if all(len(spec.shape) == 1 for spec in sensor.specs):  # pictures show themselves
                take = partial(self.on_reading, sensor)
                self.create_subscription(message_type(sensor.message), sensor.topic, take, OF_ROLE[sensor.qos])
        self.create_timer(PERIOD_S, self.show, clock=STEADY)

    def on_target(self, message: PoseStamped) -> None:
        """Where the target or the door's frame is, in the base frame."""
        point = message.pose.position
        self.target = np.array([point.x, point.y, point.z])

    def on_reading(self, sensor: Sensor, message: object) -> None:
        """How the scene stands now."""
        try:
            self.signals |= sensor.decode(message)
        except RefusedMessage as refused:
            self.diagnostics.refuse(sensor.name, refused)

    def show(self) -> None:
        """Publish, if anybody looks."""
        if self.target is None or self.markers.get_subscription_count() == 0:
            return
        solids = self.draw(self.scene, self.target, self.signals)
        markers = [self.target_marker(self.target), *(solid_marker(number, each) for number, each in enumerate(solids))]
        now = self.get_clock().now().to_msg()
        for marker in markers:
            marker.header.frame_id, marker.header.stamp = self.frame, now
        self.markers.publish(MarkerArray(markers=markers))

    def target_marker(self, target: FloatArray) -> Marker:
        """A sphere about `target` (3,): within it reaching is a success."""
        marker = Marker(ns="target", type=Marker.SPHERE, action=Marker.ADD, color=YELLOW)
        marker.pose.position = _point(target)
        marker.pose.orientation.w = 1.0
        marker.scale.x = marker.scale.y = marker.scale.z = 2.0 * self.radius
        return marker

    def status(self) -> Status:
        """Whether there is anything to show."""
        if self.target is None:
            return WARN, f"waiting for a target on {topics.TARGET}: it comes with the first episode", {}
        return OK, "showing the scene", {}


def solid_marker(number: int, placed: PlacedSolid) -> Marker:
    """A box, or a cylinder in place of a capsule, without its header."""
    solid = placed.solid
    r, g, b, a = solid.colour
    marker = Marker(ns=placed.name, id=number, action=Marker.ADD, color=ColorRGBA(r=r, g=g, b=b, a=a))
    if solid.shape == "box":
        marker.type, centre, turn = Marker.CUBE, placed.point(solid.start), placed.turn
        size = 2.0 * np.asarray(solid.half_size)
    else:
        start, end = placed.point(solid.start), placed.point(solid.end)
        marker.type, centre, turn = Marker.CYLINDER, (start + end) / 2.0, _turned_to(end - start)
        size = np.array([2.0 * solid.radius, 2.0 * solid.radius, np.linalg.norm(end - start)])
    marker.pose.position = _point(centre)
    x, y, z, w = (float(value) for value in turn)
    marker.pose.orientation = Quaternion(x=x, y=y, z=z, w=w)
    marker.scale = Vector3(x=float(size[0]), y=float(size[1]), z=float(size[2]))
    return marker


def _turned_to(direction: FloatArray) -> FloatArray:
    """The rotation (4,) that brings the z axis to `direction` (3,)."""
    unit = direction / np.linalg.norm(direction)
    axis = np.cross(UP, unit)
    if not axis.any():
        return rotation.about_axis((1.0, 0.0, 0.0), 0.0 if unit[2] > 0.0 else np.pi)
    return rotation.about_axis(axis, float(np.arccos(np.clip(unit[2], -1.0, 1.0))))


def _point(values: FloatArray) -> Point:
    x, y, z = (float(value) for value in values)
    return Point(x=x, y=y, z=z)


def main() -> int:
    """Entry point."""
    return run(SceneMarkersNode)


if __name__ == "__main__":
    sys.exit(main())
