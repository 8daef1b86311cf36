"""Small URDFs for tests, and meshes in every format."""

import struct
from pathlib import Path

import numpy as np

LIMIT = '<limit lower="-2" upper="2" effort="20" velocity="1.5"/>'
INERTIAL = (
    '<inertial><origin xyz="0 0 0.1"/><mass value="1"/>'
    '<inertia ixx="0.01" iyy="0.01" izz="0.01" ixy="0" ixz="0" iyz="0"/></inertial>'
)
BOX = '<box size="0.05 0.05 0.2"/>'
CORNERS = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.0, 0.2, 0.0], [0.0, 0.0, 0.3]])  # of a tetrahedron
FACES = ((0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3))


def link(name, *shapes, inertial=INERTIAL, origin="0 0 0.1"):
    collisions = "".join(
        f'<collision><origin xyz="{origin}"/><geometry>{shape}</geometry></collision>' for shape in shapes
    )
    return f'<link name="{name}">{inertial}{collisions}</link>'


def joint(name, parent, child, kind="revolute", inside=LIMIT, xyz="0 0 0.3", rpy="0 0 0", axis="0 1 0"):
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>'
        f'<origin xyz="{xyz}" rpy="{rpy}"/><axis xyz="{axis}"/>{inside}</joint>'
    )


def robot(*parts, attributes=""):
    return f'<robot name="r" {attributes}>{"".join(parts)}</robot>'


def two_links(*shapes, inside=LIMIT, kind="revolute", extra=""):
    """`base`, and by the joint `hinge` the link `tool`, which has the collision `shapes`."""
    return robot(link("base", inertial=""), link("tool", *shapes), joint("hinge", "base", "tool", kind, inside), extra)


def gripper(mimic='<mimic joint="finger" multiplier="-2" offset="0.1"/>'):
    """Two hinges `a` and `b`, then `finger` and `thumb`, which follows it; the tool is on the thumb."""
    return robot(
        link("base", BOX, inertial=""),
        *(link(name, BOX) for name in ("upper", "lower", "left", "right")),
        '<link name="tool"/>',
        joint("a", "base", "upper", axis="0 0 1"),
        joint("b", "upper", "lower"),
        joint("finger", "lower", "left", inside='<limit lower="0.2" upper="0.9" effort="5" velocity="1"/>'),
        joint("thumb", "lower", "right", inside=LIMIT + mimic, rpy="0.1 0.2 0.3"),
        joint("mount", "right", "tool", "fixed", ""),
    )


def binary_stl(corners=CORNERS, faces=FACES):
    triangles = (struct.pack("<12fH", 0, 0, 0, *corners[list(face)].ravel(), 0) for face in faces)
    return b"\0" * 80 + struct.pack("<I", len(faces)) + b"".join(triangles)


def ascii_stl():
    loops = "".join(
        "facet normal 0 0 0\nouter loop\n"
        + "".join(f"vertex {x} {y} {z}\n" for x, y, z in CORNERS[list(face)])
        + "endloop\nendfacet\n"
        for face in FACES
    )
    return f"solid s\n{loops}endsolid s\n".encode()


def obj():
    points = "".join(f"v {x} {y} {z}\n" for x, y, z in CORNERS)
    return (points + "".join(f"f {a + 1} {b + 1} {c + 1}\n" for a, b, c in FACES)).encode()


def dae():
    points = " ".join(str(value) for value in CORNERS.ravel())
    faces = " ".join(str(corner) for face in FACES for corner in face)
    return f"""<?xml version="1.0"?><COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1">
<asset><unit name="meter" meter="1"/><up_axis>Z_UP</up_axis></asset><library_geometries><geometry id="g"><mesh>
<source id="p"><float_array id="pa" count="12">{points}</float_array><technique_common>
<accessor source="#pa" count="4" stride="3"><param name="X" type="float"/><param name="Y" type="float"/>
<param name="Z" type="float"/></accessor></technique_common></source>
<vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
<triangles count="4"><input semantic="VERTEX" source="#v" offset="0"/><p>{faces}</p></triangles></mesh></geometry>
</library_geometries><library_visual_scenes><visual_scene id="s"><node><instance_geometry url="#g"/></node>
</visual_scene></library_visual_scenes><scene><instance_visual_scene url="#s"/></scene></COLLADA>""".encode()


MESHES = {"binary.stl": binary_stl, "ascii.STL": ascii_stl, "mesh.obj": obj, "mesh.dae": dae}


def package(folder: Path, name: str, called: str | None = None) -> Path:
    """A ROS package `name` in `folder`, whose own folder may be `called` otherwise."""
    path = folder / (called or name)
    path.mkdir(parents=True)
    (path / "package.xml").write_text(f"<package><name>{name}</name></package>")
    return path
