"""Everything that is drawn of a robot is in a frame of that robot's own description, for every profile."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from graph import graph
from sensor_msgs.msg import JointState
from visualization_msgs.msg import Marker, MarkerArray

from naf_robot.arm.control.velocity_control import ControlOutput
from naf_robot.arm.model.description import Description
from naf_robot.arm.projection.projection import SafetyProjection, SafetyStatus
from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.core.resources import SOURCE_ROOT
from naf_robot.nodes import convert
from naf_robot.nodes.markers import safety_markers
from naf_robot.nodes.qos import SENSOR, latched
from naf_robot.run.config import profile_files, resolve, save
from naf_robot.run.frames import base_frame, frame_of, frame_prefix
from naf_robot.run.viewing import for_viewers

NODES = SOURCE_ROOT / "naf_robot" / "nodes"


@pytest.mark.parametrize("profile", profile_files())
def test_markers_are_in_the_base_frame_of_the_model_that_is_shown(profile: str):
    config = resolve("reach", overrides=[{"profile": profile, "robots": ["left"]}])
    arm = config.robot("left").arm
    description = arm.description()
    shown = ElementTree.fromstring(for_viewers(description))
    links = {frame_prefix("left") + link.get("name", "") for link in shown.findall("link")}
    moved = {frame_prefix("left") + child.get("link", "") for child in shown.findall("joint/child")}
    base = base_frame(config, "left")
    assert {base} == links - moved, "the one link that nothing moves"
    projection = SafetyProjection(arm.model(), config.safety_of("left"))
    assert frame_of("left", projection.model.base_frame) == base
    velocity = np.full(len(arm.joints), 0.1)
    output = ControlOutput(velocity, SafetyStatus.OK, fault="contact", desired=2.0 * velocity)
    markers = safety_markers(projection, np.array(arm.home), output, base, Time()).markers
    assert {marker.ns for marker in markers} == {"sphere", "tool", "desired", "sent", "fault"}
    assert {marker.header.frame_id for marker in markers} == {base}
    tool = next(marker for marker in markers if marker.ns == "tool").pose.position
    np.testing.assert_allclose([tool.x, tool.y, tool.z], projection.model.tool_position(np.array(arm.home)))


def test_meshes_have_addresses_that_viewers_open(tmp_path: Path):
    mesh = tmp_path / "a part.stl"
    text = (
        f'<robot name="r"><link name="a"><visual><geometry><mesh filename="{mesh}"/></geometry></visual></link></robot>'
    )
    (tmp_path / "r.urdf").write_text(text)
    shown = for_viewers(Description(text, "r.urdf"))
    assert f'filename="file://{tmp_path}/a%20part.stl"' in shown


def test_no_node_assumes_the_name_of_a_link():
    for path in NODES.glob("*.py"):
        assert "base_link" not in path.read_text(encoding="utf-8"), path.name


@pytest.mark.ros
def test_the_scene_is_drawn_where_target_and_sensors_say(tmp_path: Path):
    config = resolve("door_pull", overrides=[{"robots": ["a"]}])
    save(config, tmp_path / "config.yaml")
    found: list[MarkerArray] = []
    parameters = {"config": str(tmp_path / "config.yaml"), "robot": "a"}
    with graph() as g:
        g.node.create_subscription(MarkerArray, "/a/scene/markers", found.append, latched())
        target = g.node.create_publisher(PoseStamped, "/a/target", latched())
        state = g.node.create_publisher(JointState, "/a/door/state", SENSOR)
        g.start(NodeSpec("scene_markers", "naf_robot.nodes.scene_markers", "a", parameters), tmp_path / "log")
        place = np.array([0.8, 0.3, 0.5])
        target.publish(convert.pose(place, Time(), base_frame(config, "a")))
        g.wait_for(lambda: found, what="a closed door")
        closed = parts(found[-1])
        assert {marker.header.frame_id for marker in found[-1].markers} == {"a/base_link"}
        assert position(closed["target"]).tolist() == place.tolist()
        np.testing.assert_allclose(position(closed["door_panel"]), np.add(place, (0.0, -0.21, 0.0)))

        def opened() -> bool:
            state.publish(convert.joint_state(["door_hinge"], Time(), np.array([np.pi / 2.0])))
            return position(parts(found[-1])["door_panel"])[0] < 0.7

        g.wait_for(opened, what="an open door")
        np.testing.assert_allclose(
            position(parts(found[-1])["door_panel"]), np.add(place, (-0.21, 0.0, 0.0)), atol=1e-9
        )
        assert parts(found[-1])["door_lever"].type == Marker.CYLINDER


def parts(message: MarkerArray) -> dict[str, Marker]:
    """The last marker of each namespace."""
    return {marker.ns: marker for marker in message.markers}


def position(marker: Marker) -> np.ndarray:
    point = marker.pose.position
    return np.array([point.x, point.y, point.z])
