"""A robot's description for viewers such as RViz: meshes by addresses that they can open."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from naf_robot.arm.model.description import Description, parse


def for_viewers(description: Description) -> str:
    """The description's text with `file://` addresses, since RViz opens no plain path."""
    robot = parse(description.text, description.source)
    for mesh in robot.iter("mesh"):
        path = mesh.get("filename", "")
        if Path(path).is_absolute():
            mesh.set("filename", Path(path).as_uri())
    return ElementTree.tostring(robot, encoding="unicode")
