"""Elements of SDFormat, which is written as text: what makes a world needs no bindings."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from itertools import combinations_with_replacement
from xml.etree.ElementTree import Element

import numpy as np

from naf_robot.arm.model.bodies import Pose
from naf_robot.core.records import FloatArray

VERSION = "1.11"  # of SDFormat, that of Gazebo Harmonic and later
UNBOUNDED = 1e9  # as a limit: none


def add(parent: Element, tag: str, value: object = None, **attributes: str) -> Element:
    """A new last element of `parent`; `value` is its text: a number, a truth value, numbers or text."""
    made = ElementTree.SubElement(parent, tag, attributes)
    if value is not None:
        made.text = text_of(value)
    return made


def text_of(value: object) -> str:
    """`value` as SDFormat writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, np.number)):
        return repr(float(value))
    if isinstance(value, str):
        return value
    assert isinstance(value, Iterable)
    return " ".join(text_of(each) for each in value)


def add_joint(model: Element, name: str, kind: str, parent: str, child: str) -> Element:
    """A joint between two links of `model`, or the world."""
    joint = add(model, "joint", name=name, type=kind)
    add(joint, "parent", parent)
    add(joint, "child", child)
    return joint


def add_pose(parent: Element, pose: Pose, relative_to: str = "") -> None:
    """`pose` as that of `parent`, in the frame of what is called `relative_to`; by default in the one around it."""
    attributes = {"rotation_format": "quat_xyzw"} | ({"relative_to": relative_to} if relative_to else {})
    add(parent, "pose", [*pose.position, *pose.orientation], **attributes)


def add_inertia(link: Element, mass: float, centre: FloatArray, inertia: FloatArray) -> None:
    """Mass [kg], centre of mass (3,) [m] and inertia (3, 3) [kg m^2] about it, in the axes of the link."""
    inertial = add(link, "inertial")
    add(inertial, "pose", [*centre, 0.0, 0.0, 0.0])
    add(inertial, "mass", mass)
    values = add(inertial, "inertia")
    for row, column in combinations_with_replacement(range(3), 2):
        add(values, f"i{'xyz'[row]}{'xyz'[column]}", inertia[row, column])


def add_axis(joint: Element, axis: Iterable[float], limits: tuple[float, float], effort: float) -> None:
    """The axis (3,) of `joint` in its child's frame, its limits [rad or m] and its highest effort [N m or N]."""
    made = add(joint, "axis")
    add(made, "xyz", axis)
    bounds = add(made, "limit")
    for name, value in (("lower", limits[0]), ("upper", limits[1]), ("effort", effort)):
        add(bounds, name, np.clip(value, -UNBOUNDED, UNBOUNDED))


def add_surface(collision: Element, friction: float, mask: int) -> None:
    """Sliding friction coefficient, and the bits one of which another shape must have too to touch this one."""
    surface = add(collision, "surface")
    ode = add(add(surface, "friction"), "ode")
    add(ode, "mu", friction)
    add(ode, "mu2", friction)
    add(add(surface, "contact"), "collide_bitmask", str(mask))


def add_colour(visual: Element, colour: Iterable[float]) -> None:
    """Red, green, blue and opacity, 0 to 1."""
    material = add(visual, "material")
    for name in ("ambient", "diffuse"):
        add(material, name, colour)


def add_plugin(parent: Element, filename: str, name: str) -> Element:
    """A system of gz-sim."""
    return add(parent, "plugin", filename=f"gz-sim-{filename}-system", name=f"gz::sim::systems::{name}")


def document(root: Element) -> str:
    """`root` as the text of a file."""
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"
