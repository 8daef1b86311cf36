"""An arm as a model of SDFormat: one link for each joint that moves, with all that it carries."""

from itertools import combinations
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from naf_robot.arm.model.bodies import Body, Pose, bodies_of
from naf_robot.arm.model.contacts import untouchable_pairs
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.model.shapes import Shape
from naf_robot.sim.gazebo.elements import (
    UNBOUNDED,
    add,
    add_axis,
    add_colour,
    add_inertia,
    add_joint,
    add_pose,
    add_surface,
)
from naf_robot.sim.gazebo.hull_mesh import write_hull
from naf_robot.sim.gazebo.touching import masks
from naf_robot.sim.registry import LinkPairs

ARM = "arm"  # name of the model
BASE, WELD = "naf_robot_base", "naf_robot_weld"
FRICTION = 1.0  # sliding friction coefficient of the arm's surfaces
COLOUR = (0.8, 0.55, 0.25, 1.0)


def add_arm(world: Element, arm: ArmModel, folder: Path, ignored: LinkPairs = ()) -> None:
    """Add the arm to `world`, its base fixed at the origin; hulls of meshes are written to `folder`.

    Gravity does not act on it, as the controllers of such arms compensate it. Links collide where the safety projection
    may watch them, and with everything else; pairs that are `ignored` there do not. Joints and their limits are those
    of the description; whoever simulates moves them.
    """
    model = add(world, "model", name=ARM)
    add(model, "self_collide", True)
    bodies = bodies_of(arm)
    mask = _masks(bodies, untouchable_pairs(arm) | {frozenset(pair) for pair in ignored})
    names = [BASE, *(f"{joint_name(body.joint)}_body" for body in bodies[1:])]  # links and joints must all differ
    add_joint(model, WELD, "fixed", "world", BASE)
    number = 0
    for name, body in zip(names, bodies, strict=True):
        link = add(model, "link", name=name)
        add(link, "gravity", False)
        add_inertia(link, body.mass, body.centre, body.inertia)
        if body.joint:
            add_pose(link, body.pose, relative_to=names[body.parent])
            kind = "prismatic" if body.prismatic else "revolute"
            joint = add_joint(model, joint_name(body.joint), kind, names[body.parent], name)
            add_axis(joint, body.axis, body.limits, UNBOUNDED)
        for shape, pose in body.shapes:
            _add_shape(link, shape, pose, number, mask[shape.link], folder)
            number += 1


def joint_name(name: str) -> str:
    """The name in the model of joint `name` of a description: SDFormat reserves some."""
    plain = name.replace("::", "__")
    return f"joint{plain}" if plain.startswith("__") and plain.endswith("__") else plain


def _masks(bodies: list[Body], apart: set[frozenset[str]]) -> dict[str, int]:
    """For the shapes of each link the bits of what they may touch."""
    carriers = {shape.link: number for number, body in enumerate(bodies) for shape, _ in body.shapes}
    touching = {
        frozenset((first, second))
        for first, second in combinations(carriers, 2)
        if frozenset((first, second)) not in apart and carriers[first] != carriers[second]
    }
    return masks(list(carriers), touching)


def _add_shape(link: Element, shape: Shape, pose: Pose, number: int, mask: int, folder: Path) -> None:
    """Shape `number` of the arm, which is what is seen, too."""
    for tag in ("collision", "visual"):
        made = add(link, tag, name=f"shape_{number}_{tag}")
        add_pose(made, pose)
        _add_geometry(add(made, "geometry"), shape, folder / f"hull_{number}.stl")
        if tag == "collision":
            add_surface(made, FRICTION, mask)
        else:
            add_colour(made, COLOUR)


def _add_geometry(geometry: Element, shape: Shape, file: Path) -> None:
    own = shape.geometry
    made = add(geometry, shape.kind)
    if shape.kind == "box":
        add(made, "size", 2.0 * np.asarray(own.halfSide))
    elif shape.kind == "mesh":
        if not file.is_file():
            write_hull(file, own)
        add(made, "uri", file.as_uri())
    else:
        add(made, "radius", own.radius)
        if shape.kind != "sphere":
            add(made, "length", 2.0 * own.halfLength)
