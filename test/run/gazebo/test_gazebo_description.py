"""The description of an arm as Gazebo with gz_ros2_control gets it, over all profiles and for a file of a user."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import urdf_texts

from naf_robot.arm.model.description import Description
from naf_robot.core.errors import ConfigError
from naf_robot.run.config import profile_files, resolve
from naf_robot.run.gazebo.controllers import INTERFACES
from naf_robot.run.gazebo.description import LIMIT_MARGIN, gazebo_description
from naf_robot.run.robot import OutputConfig, RobotConfig

CONTROLLERS = Path("/run/gazebo/left.controllers.yaml")


def configured(profile: str, **robot) -> RobotConfig:
    values = {"profile": profile, "robots": ["left"], "backend": "ros2_control", "simulated_time": True}
    return resolve("reach", overrides=[values | robot]).robot("left")


def described(own: RobotConfig, description: Description | None = None) -> ElementTree.Element:
    text = gazebo_description("left", own, description or own.arm.description(), CONTROLLERS)
    return ElementTree.fromstring(text)


@pytest.mark.parametrize("profile", profile_files())
def test_every_profile_has_hardware_controllers_and_no_gravity(profile: str):
    own = configured(profile)
    urdf = described(own)
    (control,) = urdf.findall("ros2_control")
    assert control.findtext("hardware/plugin") == "gz_ros2_control/GazeboSimSystem"
    hardware = {joint.get("name"): joint for joint in control.findall("joint")}
    assert tuple(hardware) == own.arm.joints
    for joint, home in zip(hardware.values(), own.arm.home, strict=True):
        assert [each.get("name") for each in joint.findall("command_interface")] == [INTERFACES[own.output.kind]]
        states = {
            each.get("name"): each.findtext("param[@name='initial_value']") for each in joint.findall("state_interface")
        }
        assert states == {"position": repr(home), "velocity": None}
    weightless = {each.get("reference") for each in urdf.findall("gazebo") if each.findtext("gravity") == "false"}
    assert weightless == {link.get("name") for link in urdf.findall("link")}
    (plugin,) = urdf.findall("gazebo/plugin")
    assert plugin.get("filename") == "gz_ros2_control-system"
    assert plugin.findtext("parameters") == str(CONTROLLERS)
    assert plugin.findtext("ros/namespace") == "/left"
    moving = {joint.get("name") for joint in urdf.findall("joint") if joint.get("type") != "fixed"}
    assert moving == set(own.arm.joints), "what is not controlled is fixed"
    children = {child.get("link") for child in urdf.findall("joint/child")}
    roots = [link.get("name") for link in urdf.findall("link") if link.get("name") not in children]
    assert roots == ["world"], "the arm does not fall"


def test_limits_are_wider_than_those_that_the_projection_keeps():
    own = configured("arm7")
    before, after = ElementTree.fromstring(own.arm.description().text), described(own)
    for name in own.arm.joints:
        (old,), (new,) = (tree.findall(f"joint[@name='{name}']/limit") for tree in (before, after))
        assert float(new.get("lower")) == float(old.get("lower")) - LIMIT_MARGIN
        assert float(new.get("upper")) == float(old.get("upper")) + LIMIT_MARGIN


def test_meshes_have_addresses_and_followers_are_listed_without_a_command(tmp_path: Path):
    mesh = tmp_path / "part.stl"
    mesh.write_bytes(urdf_texts.binary_stl())
    makers = '<ros2_control name="makers" type="system"/><gazebo><plugin filename="makers"/></gazebo>'
    text = urdf_texts.gripper().replace(urdf_texts.BOX, '<mesh filename="part.stl"/>', 1)
    (tmp_path / "arm.urdf").write_text(text.replace("</robot>", f"{makers}</robot>"))
    joints = ("a", "b", "finger")
    description = Description.from_file(tmp_path / "arm.urdf", joints, "tool")
    arm = {"urdf": str(tmp_path / "arm.urdf"), "tool_frame": "tool", "joints": joints, "home": (0.0, 0.0, 0.3)}
    own = configured("arm7")
    own = RobotConfig(arm=type(own.arm)(**arm), safety=own.safety, backend="ros2_control")
    urdf = described(own, description)
    assert {each.get("filename") for each in urdf.iter("mesh")} == {mesh.as_uri()}
    assert [each.get("name") for each in urdf.findall("ros2_control")] == ["left"]
    hardware = {joint.get("name"): joint for joint in urdf.findall("ros2_control/joint")}
    assert set(hardware) == {*joints, "thumb"}
    assert hardware["thumb"].find("command_interface") is None


def test_a_link_that_is_called_world_but_is_none_is_no_anchor(tmp_path: Path):
    text = urdf_texts.two_links(urdf_texts.BOX).replace('"tool"', '"world"')
    description = Description.from_text(text, "arm.urdf", joints=("hinge",), tool_frame="world")
    own = configured("arm7")
    arm = type(own.arm)(urdf="arm.urdf", tool_frame="world", joints=("hinge",), home=(0.0,))
    urdf = described(RobotConfig(arm=arm, safety=own.safety, backend="ros2_control"), description)
    ends = {j.get("name"): (j.find("parent").get("link"), j.find("child").get("link")) for j in urdf.findall("joint")}
    assert ends == {"hinge": ("base", "world_link"), "world_to_base": ("world", "base")}


def test_a_kind_of_output_without_a_controller_is_refused():
    own = configured("arm7")
    with pytest.raises(ConfigError, match=r"output.kind 'torque' has no controller for Gazebo"):
        described(
            RobotConfig(arm=own.arm, safety=own.safety, backend="ros2_control", output=OutputConfig(kind="torque"))
        )


@pytest.mark.parametrize("profile", profile_files())
def test_gazebos_own_parser_reads_it(profile: str):
    pytest.importorskip("gz.math7", reason="Gazebo's Python bindings are not importable")
    sdformat = pytest.importorskip("sdformat14", reason="SDFormat's Python bindings are not importable")
    own = configured(profile)
    root = sdformat.Root()
    root.load_sdf_string(gazebo_description("left", own, own.arm.description(), CONTROLLERS))
    model = root.model()
    assert set(own.arm.joints) <= {model.joint_by_index(number).name() for number in range(model.joint_count())}
    assert not any(model.link_by_index(number).enable_gravity() for number in range(model.link_count()))
