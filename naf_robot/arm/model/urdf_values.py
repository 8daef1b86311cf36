"""Values of URDF elements: numbers, vectors and placements, each refused with its place where it is malformed."""

import math
from xml.etree.ElementTree import Element

import numpy as np
import pinocchio

from naf_robot.core.errors import RobotModelError
from naf_robot.core.records import FloatArray


def number(element: Element, name: str, where: str, default: float | None = None) -> float:
    """Attribute `name` of `element`, a finite number; `default` where it is left out.

    Raises:
        RobotModelError: it is missing without a default, or no finite number.
    """
    text = element.get(name)
    if text is None:
        if default is None:
            raise RobotModelError(f"{where}: <{element.tag}> lacks {name}")
        return default
    return float(_numbers(text, 1, f"{name} of <{element.tag}>", where)[0])


def vector(element: Element, name: str, where: str, default: tuple[float, float, float]) -> FloatArray:
    """Attribute `name` of `element`, three finite numbers: shape (3,).

    Raises:
        RobotModelError: it is anything else.
    """
    text = element.get(name)
    return np.array(default) if text is None else _numbers(text, 3, f"{name} of <{element.tag}>", where)


def placement(element: Element | None, where: str) -> pinocchio.SE3:
    """The `<origin>` of `element` ([m], rad about fixed axes x, y, z); identity where it has none.

    Raises:
        RobotModelError: its values are not three finite numbers each.
    """
    origin = None if element is None else element.find("origin")
    if origin is None:
        return pinocchio.SE3.Identity()
    roll, pitch, yaw = (vector(origin, "rpy", where, (0.0, 0.0, 0.0)) / 2.0).tolist()
    sin_r, sin_p, sin_y = math.sin(roll), math.sin(pitch), math.sin(yaw)
    cos_r, cos_p, cos_y = math.cos(roll), math.cos(pitch), math.cos(yaw)
    rotation = pinocchio.Quaternion(  # by the same arithmetic as pinocchio's own reader of URDFs
        cos_r * cos_p * cos_y + sin_r * sin_p * sin_y,
        sin_r * cos_p * cos_y - cos_r * sin_p * sin_y,
        cos_r * sin_p * cos_y + sin_r * cos_p * sin_y,
        cos_r * cos_p * sin_y - sin_r * sin_p * cos_y,
    )
    rotation.normalize()
    return pinocchio.SE3(rotation.toRotationMatrix(), vector(origin, "xyz", where, (0.0, 0.0, 0.0)))


def write_placement(element: Element, placed: pinocchio.SE3) -> None:
    """Make `placed` the `<origin>` of `element`."""
    origin = element.find("origin")
    if origin is None:
        origin = Element("origin")
        element.insert(0, origin)
    origin.set("xyz", texts(placed.translation))
    origin.set("rpy", texts(pinocchio.rpy.matrixToRpy(placed.rotation)))


def texts(values: FloatArray) -> str:
    """Numbers as an attribute, exact to the last bit."""
    return " ".join(repr(float(value)) for value in values)


def _numbers(text: str, count: int, what: str, where: str) -> FloatArray:
    try:
        values = np.array([float(part) for part in text.split()])
    except ValueError:
        values = np.empty(0)
    if len(values) != count or not np.isfinite(values).all():
        wanted = "a finite number" if count == 1 else f"{count} finite numbers"
        raise RobotModelError(f"{where}: {what} must be {wanted}, got {text!r}")
    return values
