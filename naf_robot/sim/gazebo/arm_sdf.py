"""An arm's description as a model of SDFormat: one link for each joint that moves, with all that it carries."""

import xml.etree.ElementTree as ElementTree
from itertools import combinations
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import pinocchio

from naf_robot.arm.model.contacts import untouchable_pairs
from naf_robot.arm.model.kinematics import ENDLESS, ArmModel
from naf_robot.arm.model.shapes import Shape
from naf_robot.sim.gazebo.elements import (
    UNBOUNDED,
    add,
    add_axis,
    add_colour,
    add_inertia,
    add_pose,
    add_surface,
)
from naf_robot.sim.gazebo.hull_mesh import write_hull
from naf_robot.sim.gazebo.touching import masks
from naf_robot.sim.registry import LinkPairs

ARM = "arm"  # name of the model
BASE, WELD = "naf_robot_base", "naf_robot_weld"
BASE_MASS = 1.0  # [kg] of what does not move; it has no effect
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
    kinematics = arm.pinocchio_model
    axes = _axes(arm)
    names = [BASE, *(f"{name}_body" for name in kinematics.names[1:])]  # names of links and joints must all differ
    weld = add(model, "joint", name=WELD, type="fixed")
    add(weld, "parent", "world")
    add(weld, "child", BASE)
    links = []
    for number, name in enumerate(names):
        link = add(model, "link", name=name)
        add(link, "gravity", False)
        links.append(link)
        if number == 0:
            add_inertia(link, BASE_MASS, np.zeros(3), np.eye(3))
            continue
        parent = names[kinematics.parents[number]]
        add_pose(link, kinematics.jointPlacements[number], relative_to=parent)
        own = kinematics.inertias[number]
        add_inertia(link, own.mass, own.lever, own.inertia)
        kind, axis = axes[kinematics.names[number]]
        joint = add(model, "joint", name=kinematics.names[number], type=kind)
        add(joint, "parent", parent)
        add(joint, "child", name)
        index = kinematics.joints[number].idx_v
        lower, upper = kinematics.lowerPositionLimit[index], kinematics.upperPositionLimit[index]
        endless = upper - lower >= 2.0 * ENDLESS
        add_axis(joint, axis, (-UNBOUNDED, UNBOUNDED) if endless else (lower, upper), UNBOUNDED)
    _add_shapes(links, arm, folder, ignored)


def _axes(arm: ArmModel) -> dict[str, tuple[str, np.ndarray]]:
    """Kind and axis (3,) of each moving joint, in the frame of its child."""
    found = {}
    for joint in ElementTree.fromstring(arm.description.text).findall("joint"):
        element = joint.find("axis")
        axis = np.array([1.0, 0.0, 0.0] if element is None else element.get("xyz", "1 0 0").split(), dtype=float)
        kind = "prismatic" if joint.get("type") == "prismatic" else "revolute"
        found[joint.get("name", "")] = (kind, axis / max(float(np.linalg.norm(axis)), 1e-12))
    return found


def _add_shapes(links: list[Element], arm: ArmModel, folder: Path, ignored: LinkPairs) -> None:
    """Every collision shape on the link of the joint that moves it; it is what is seen, too."""
    kinematics, shapes = arm.pinocchio_model, arm.description.shapes
    carriers = {
        shape.link: kinematics.frames[kinematics.getFrameId(shape.link, pinocchio.FrameType.BODY)] for shape in shapes
    }
    apart = untouchable_pairs(arm) | {frozenset(pair) for pair in ignored}
    touching = {
        frozenset(pair)
        for pair in combinations(carriers, 2)
        if frozenset(pair) not in apart and carriers[pair[0]].parentJoint != carriers[pair[1]].parentJoint
    }
    mask = masks(list(carriers), touching)
    for number, shape in enumerate(shapes):
        carrier = carriers[shape.link]
        link, placed = links[carrier.parentJoint], carrier.placement * shape.placement
        for tag in ("collision", "visual"):
            made = add(link, tag, name=f"{shape.link}_{number}_{tag}")
            add_pose(made, placed)
            _add_geometry(add(made, "geometry"), shape, folder / f"hull_{number}.stl")
            if tag == "collision":
                add_surface(made, FRICTION, mask[shape.link])
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
