"""The collision shapes of a description, as coal knows them: primitives as they are, meshes as convex hulls."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

import coal
import numpy as np
import pinocchio

from naf_robot.arm.model.meshes import hull_of
from naf_robot.arm.model.urdf_values import number, placement, vector
from naf_robot.core.errors import RobotModelError
from naf_robot.core.records import FloatArray

SIZES = ("halfSide", "radius", "halfLength")  # as coal names them
HUGE = 20.0  # [m]; no link of an arm is so large, but a link of 20 mm in millimetres
KINDS = ("box", "capsule", "cylinder", "mesh", "sphere")


@dataclass(frozen=True, eq=False)
class Shape:
    """One collision shape of a link."""

    link: str
    kind: str  # one of KINDS
    geometry: coal.ShapeBase
    placement: pinocchio.SE3  # in the frame of the link [m]

    def identity(self) -> bytes:
        """What tells this shape from another one."""
        own = self.geometry
        sizes = own.points() if self.kind == "mesh" else [getattr(own, name) for name in SIZES if hasattr(own, name)]
        numbers = [np.ravel(part) for part in (*sizes, self.placement.homogeneous)]
        return f"{self.link} {self.kind} ".encode() + np.concatenate(numbers).round(9).tobytes()

    @property
    def quaternion(self) -> FloatArray:
        """Orientation in the frame of the link, w first: shape (4,)."""
        return np.roll(pinocchio.Quaternion(self.placement.rotation).coeffs(), 1)


def read_shapes(robot: Element, file: Callable[[str], Path], notes: list[str]) -> Iterator[Shape]:
    """Every collision shape below `robot`, whose meshes `file` finds; what is left out is said in `notes`.

    Names of mesh files are made absolute in `robot` itself.

    Raises:
        RobotModelError: a shape has no size, or its mesh cannot be read.
    """
    for link in robot.findall("link"):
        name = link.get("name", "")
        for collision in link.findall("collision"):
            where = f"collision shape of link {name!r}"
            for element in collision.findall("geometry/*"):
                if element.tag in KINDS:
                    made = _geometry(element, file, where)
                    yield Shape(name, element.tag, made, placement(collision, where))
                else:
                    notes.append(f"a {where} is left out: {element.tag!r} is not known; valid: {', '.join(KINDS)}")
            if collision.find("geometry/*") is None:
                notes.append(f"a {where} is left out: it has no geometry")


def links_without_shapes(robot: Element, shapes: tuple[Shape, ...]) -> tuple[str, ...]:
    """Links that have something to see and no collision shape, while others have one."""
    having = {shape.link for shape in shapes}
    seen = [link.get("name", "") for link in robot.findall("link") if link.find("visual/geometry") is not None]
    return tuple(name for name in seen if name not in having) if having else ()


def _geometry(element: Element, file: Callable[[str], Path], where: str) -> coal.ShapeBase:
    if element.tag == "mesh":
        location = element.get("filename", "")
        if not location:
            raise RobotModelError(f"{where}: <mesh> lacks filename")
        try:
            path = file(location)
            made = hull_of(path, vector(element, "scale", where, (1.0, 1.0, 1.0)))
        except RobotModelError as error:
            raise type(error)(f"{where}: {error}") from None
        if (extent := float(np.ptp(made.points(), axis=0).max())) > HUGE:
            raise RobotModelError(
                f"{where}: mesh {str(path)!r} is {extent:.3g} m large; if it is in millimetres, give it "
                'scale="0.001 0.001 0.001"'
            )
        element.set("filename", str(path))
        return made
    if element.tag == "box":
        sides = vector(element, "size", where, (0.0, 0.0, 0.0))
        return coal.Box(*_positive(element, sides, where))
    (radius,) = _positive(element, np.array([number(element, "radius", where)]), where)
    if element.tag == "sphere":
        return coal.Sphere(radius)
    (length,) = _positive(element, np.array([number(element, "length", where)]), where)
    return coal.Capsule(radius, length) if element.tag == "capsule" else coal.Cylinder(radius, length)


def _positive(element: Element, sizes: FloatArray, where: str) -> list[float]:
    if not (sizes > 0.0).all():
        raise RobotModelError(f"{where}: the sizes of <{element.tag}> must be positive, got {sizes.tolist()}")
    found: list[float] = sizes.tolist()
    return found
