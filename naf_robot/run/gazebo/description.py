"""A robot's URDF for Gazebo with gz_ros2_control: hardware, controllers, no gravity, mesh files by addresses."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from naf_robot.arm.model.description import Description, parse
from naf_robot.run.gazebo.controllers import interface_of
from naf_robot.run.robot import RobotConfig
from naf_robot.run.viewing import for_viewers

WORLD, OTHER_WORLD = "world", "world_link"  # a link of the first name is Gazebo's world
HARDWARE = "gz_ros2_control/GazeboSimSystem"
PLUGIN = {"filename": "gz_ros2_control-system", "name": "gz_ros2_control::GazeboSimROS2ControlPlugin"}
POSITION_GAIN = 0.5  # share of a position's error that is made good in one period of the controllers
LIMIT_MARGIN = (
    0.05  # [rad or m] a joint that reaches its limit in Gazebo sticks there: the safety projection stops before
)
JOINTS_WITH_LIMITS = ("revolute", "prismatic")


def gazebo_description(robot: str, own: RobotConfig, description: Description, controllers: Path) -> str:
    """The URDF of `robot`, whose arm is `own.arm` as `description` resolves it.

    Its joints begin at home and take commands as `own.output` says; the others are fixed, as everywhere. Gravity acts
    on no link, as the controllers of such arms compensate it. The controllers of the file `controllers` are in the
    robot's namespace. Systems and hardware that the maker names for another simulator or for the real arm are left out.
    """
    root = description.root
    urdf = parse(for_viewers(description), description.source)
    for element in [each for each in urdf if each.tag not in ("link", "joint", "material")]:
        urdf.remove(element)
    urdf.set("name", robot)
    for joint in urdf.findall("joint"):
        _widen(joint)
    if root != WORLD:
        _rename(urdf, WORLD, OTHER_WORLD)
        _fix(urdf, root)
    for link in urdf.findall("link"):
        SubElement(SubElement(urdf, "gazebo", {"reference": link.get("name", "")}), "gravity").text = "false"
    _add_hardware(urdf, robot, own, description)
    plugin = SubElement(SubElement(urdf, "gazebo"), "plugin", PLUGIN)
    SubElement(plugin, "parameters").text = str(controllers)
    SubElement(plugin, "position_proportional_gain").text = str(POSITION_GAIN)
    SubElement(SubElement(plugin, "ros"), "namespace").text = f"/{robot}"
    return ElementTree.tostring(urdf, encoding="unicode")


def _widen(joint: Element) -> None:
    limit = joint.find("limit")
    if limit is None or joint.get("type") not in JOINTS_WITH_LIMITS:
        return
    for end, sign in (("lower", -1.0), ("upper", 1.0)):
        limit.set(end, repr(float(limit.get(end, "0")) + sign * LIMIT_MARGIN))


def _rename(urdf: Element, link: str, other: str) -> None:
    for element in (*urdf.findall("link"), *urdf.findall("joint/parent"), *urdf.findall("joint/child")):
        for key in ("name", "link"):
            if element.get(key) == link:
                element.set(key, other)


def _fix(urdf: Element, root: str) -> None:
    """Fasten the link `root` to the world; the place of the model is given where it is put into it."""
    SubElement(urdf, "link", {"name": WORLD})
    joint = SubElement(urdf, "joint", {"name": f"{WORLD}_to_{root}", "type": "fixed"})
    SubElement(joint, "parent", {"link": WORLD})
    SubElement(joint, "child", {"link": root})


def _add_hardware(urdf: Element, robot: str, own: RobotConfig, description: Description) -> None:
    control = SubElement(urdf, "ros2_control", {"name": robot, "type": "system"})
    SubElement(SubElement(control, "hardware"), "plugin").text = HARDWARE
    for name, home in zip(own.arm.joints, own.arm.home, strict=True):
        joint = SubElement(control, "joint", {"name": name})
        SubElement(joint, "command_interface", {"name": interface_of(own.output_kind)})
        position = SubElement(joint, "state_interface", {"name": "position"})
        SubElement(position, "param", {"name": "initial_value"}).text = repr(float(home))
        SubElement(joint, "state_interface", {"name": "velocity"})
    for name in description.mimics:
        joint = SubElement(control, "joint", {"name": name})
        for state in ("position", "velocity"):
            SubElement(joint, "state_interface", {"name": state})
