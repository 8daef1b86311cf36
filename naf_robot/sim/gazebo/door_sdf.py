"""The described door as a model of SDFormat."""

from xml.etree.ElementTree import Element

import numpy as np

from naf_robot.arm.model.bodies import Pose
from naf_robot.core.records import FloatArray
from naf_robot.core.types import Vector3
from naf_robot.sensing import rotation
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
from naf_robot.sim.gazebo.touching import EVERYTHING
from naf_robot.sim.scenes.door import DoorPhysics, DoorSceneConfig
from naf_robot.sim.scenes.door_parts import DoorParts, Hinge, Solid, door_parts

DOOR, FRAME, PANEL, LEVER = "door", "door_frame", "door_panel", "door_lever"
HINGE_JOINT, LEVER_JOINT = "door_hinge", "door_handle"
UNTURNED = np.array([0.0, 0.0, 0.0, 1.0])
CAPSULE_AXIS = (0.0, 0.0, 1.0)  # of a capsule in its own frame
RAILS = ("door_x", "door_y", "door_z")  # joints that carry the frame to its place
RAIL_EFFORT = 1e6  # [N] with which they hold it there
RAIL_MASS = 10.0  # [kg] of each of the frame and what carries it: they do not move while the robot does


def add_door(world: Element, config: DoorSceneConfig, physics: DoorPhysics) -> None:
    """Add the door with these `physics` to `world`: a frame that can be placed, a panel on it, a lever on the panel.

    Springs, damping, dry friction and the bolt are not in it: whoever simulates exerts them (`gazebo.door_scene`), as
    they may differ from episode to episode.
    """
    parts, shape = door_parts(config, PANEL, LEVER), config.geometry
    model = add(world, "model", name=DOOR)
    carrier = "world"
    for rail, axis in zip(RAILS, np.eye(3), strict=True):
        name = FRAME if rail == RAILS[-1] else f"{rail}_rail"
        link = _link(model, name)
        add_inertia(link, RAIL_MASS, np.zeros(3), np.eye(3))
        joint = add_joint(model, rail, "prismatic", carrier, name)
        add_axis(joint, axis, (-UNBOUNDED, UNBOUNDED), RAIL_EFFORT)
        carrier = name
    _add_solids(link, parts.frame, physics)
    panel = _link(model, PANEL)
    (solid,) = parts.panel
    _add_body(panel, [(physics.panel_mass, np.asarray(solid.start), _box(physics.panel_mass, solid))], parts.hinge)
    _add_solids(panel, parts.panel, physics)
    _add_hinge(model, HINGE_JOINT, parts.hinge, FRAME, PANEL)
    lever = _link(model, LEVER)
    add_pose(lever, Pose(np.array(shape.lever_axis), UNTURNED), relative_to=PANEL)
    scaled = _scaled_lever(parts, physics)
    _add_body(lever, [(each.mass, _middle(each), _rod(each)) for each in scaled], parts.lever_hinge)
    _add_solids(lever, scaled, physics)
    _add_hinge(model, LEVER_JOINT, parts.lever_hinge, PANEL, LEVER)


def _link(model: Element, name: str) -> Element:
    link = add(model, "link", name=name)
    add(link, "gravity", name == LEVER)  # nothing else can fall
    return link


def _add_hinge(model: Element, name: str, hinge: Hinge, parent: str, child: str) -> None:
    add_axis(add_joint(model, name, "revolute", parent, child), hinge.axis, hinge.limits, UNBOUNDED)


def _add_body(link: Element, masses: list[tuple[float, FloatArray, FloatArray]], hinge: Hinge) -> None:
    """The inertia of several solids, each with mass, centre and inertia about it, and the armature of their `hinge`."""
    total = sum(mass for mass, _, _ in masses)
    centre = sum((mass * place for mass, place, _ in masses), np.zeros(3)) / total
    inertia = hinge.armature * np.eye(3)  # about the hinge alone it has an effect
    for mass, place, own in masses:
        offset = place - centre
        inertia = inertia + own + mass * (offset @ offset * np.eye(3) - np.outer(offset, offset))
    add_inertia(link, total, centre, inertia)


def _box(mass: float, solid: Solid) -> FloatArray:
    x, y, z = np.square(solid.half_size)
    return mass / 3.0 * np.diag([y + z, x + z, x + y])


def _middle(solid: Solid) -> FloatArray:
    return 0.5 * np.add(solid.start, solid.end)


def _rod(solid: Solid) -> FloatArray:
    """Inertia (3, 3) of a capsule about its middle, taken as a cylinder of its whole length."""
    along = np.subtract(solid.end, solid.start)
    straight = float(np.linalg.norm(along))
    axis, length = along / straight, straight + 2.0 * solid.radius
    across = solid.mass * (3.0 * solid.radius**2 + length**2) / 12.0
    lengthwise = 0.5 * solid.mass * solid.radius**2
    return across * np.eye(3) + (lengthwise - across) * np.outer(axis, axis)


def _scaled_lever(parts: DoorParts, physics: DoorPhysics) -> tuple[Solid, ...]:
    """The lever's solids, its bar of the size that `physics` give it."""
    scale = physics.lever_scale
    return tuple(
        Solid(
            each.shape,
            _times(each.start, scale),
            each.colour,
            each.mass,
            end=_times(each.end, scale),
            radius=scale * each.radius,
            name=each.name,
        )
        if each.name
        else each
        for each in parts.lever
    )


def _times(point: Vector3, factor: float) -> Vector3:
    x, y, z = point
    return (factor * x, factor * y, factor * z)


def _add_solids(link: Element, solids: tuple[Solid, ...], physics: DoorPhysics) -> None:
    for number, solid in enumerate(solids):
        for tag in ("collision", "visual"):
            made = add(link, tag, name=f"{link.get('name')}_{number}_{tag}")
            geometry = add(made, "geometry")
            if solid.shape == "box":
                add_pose(made, Pose(np.array(solid.start), UNTURNED))
                add(add(geometry, "box"), "size", 2.0 * np.array(solid.half_size))
            else:
                along = np.subtract(solid.end, solid.start)
                add_pose(made, Pose(_middle(solid), rotation.between(CAPSULE_AXIS, along)))
                capsule = add(geometry, "capsule")
                add(capsule, "radius", solid.radius)
                add(capsule, "length", float(np.linalg.norm(along)))
            if tag == "collision":
                add_surface(made, physics.surface_friction, EVERYTHING)
            else:
                add_colour(made, solid.colour)
