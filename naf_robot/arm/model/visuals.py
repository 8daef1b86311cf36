"""What there is to see of a description: its visual shapes, and the collision shapes of links that have none."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element

from naf_robot.arm.model.description import Description, parse
from naf_robot.arm.model.urdf_values import number, placement, vector
from naf_robot.core.records import FloatArray

Colour = tuple[float, float, float, float]  # red, green, blue, opacity, each from 0 to 1
GREY: Colour = (0.75, 0.77, 0.8, 1.0)
NUMBERS_OF_COLOUR = re.compile(r"[^\s,]+")


@dataclass(frozen=True, eq=False)
class Visual:
    """One shape to see. `size` [m]: sides of a box, radius and length of a cylinder or capsule, radius of a sphere.

    Of a mesh it is the factors on its coordinates, and `file` is where it is.
    """

    link: str
    kind: Literal["box", "capsule", "cylinder", "mesh", "sphere"]
    size: tuple[float, ...]
    placement: FloatArray  # (4, 4) in the frame of the link [m]
    colour: Colour | None  # None: the mesh has its own, or none is stated
    file: Path | None = None


def read_visuals(description: Description) -> tuple[Visual, ...]:
    """Every visual shape of `description`; of links that have none, or whose mesh is not there, the collision shapes.

    Raises:
        RobotModelError: a size or a placement that is no number.
    """
    robot = parse(description.text, description.source)
    materials = [*robot.iter("material"), *robot.findall("material")]  # those of the robot itself count most
    named = {each.get("name", ""): colour for each in materials if (colour := _colour_of(each)) is not None}
    found: list[Visual] = []
    for link in robot.findall("link"):
        name = link.get("name", "")
        shown = [shape for element in link.findall("visual") for shape in _visuals(element, name, named)]
        if not shown or any(shape.file is not None and not shape.file.is_file() for shape in shown):
            shown = [
                shape for element in link.findall("collision") for shape in _visuals(element, name, named)
            ] or shown
        found += shown
    return tuple(found)


def _visuals(element: Element, link: str, named: dict[str, Colour]) -> list[Visual]:
    where = f"visual shape of link {link!r}"
    material = element.find("material")
    colour = None
    if material is not None:
        colour = _colour_of(material) or named.get(material.get("name", ""))
    placed = placement(element, where).homogeneous
    found = []
    for shape in element.findall("geometry/*"):
        if shape.tag == "mesh":
            scale = tuple(vector(shape, "scale", where, (1.0, 1.0, 1.0)).tolist())
            file = Path(shape.get("filename", ""))
            found.append(Visual(link, "mesh", scale, placed, colour, file))
        elif shape.tag == "box":
            sides = tuple(vector(shape, "size", where, (0.0, 0.0, 0.0)).tolist())
            found.append(Visual(link, "box", sides, placed, colour or GREY))
        elif shape.tag == "sphere":
            found.append(Visual(link, "sphere", (number(shape, "radius", where),), placed, colour or GREY))
        elif shape.tag in ("cylinder", "capsule"):
            sizes = (number(shape, "radius", where), number(shape, "length", where))
            kind: Literal["cylinder", "capsule"] = "cylinder" if shape.tag == "cylinder" else "capsule"
            found.append(Visual(link, kind, sizes, placed, colour or GREY))
    return found


def _colour_of(material: Element) -> Colour | None:
    """The colour that `material` states itself; None where it states none that can be read."""
    element = material.find("color")
    texts = NUMBERS_OF_COLOUR.findall(element.get("rgba", "")) if element is not None else []
    try:
        red, green, blue, opacity = (min(max(float(text), 0.0), 1.0) for text in texts)
    except ValueError:
        return None
    return (red, green, blue, opacity)
