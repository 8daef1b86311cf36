"""Inertia that a description lacks or states wrongly, repaired so that every model of the arm can move."""

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement

import numpy as np
import pinocchio

from naf_robot.arm.model.joint_tree import MOVING, end_of
from naf_robot.arm.model.shapes import Shape
from naf_robot.arm.model.urdf_values import number, placement, texts
from naf_robot.core.records import FloatArray

DENSITY = 1000.0  # [kg/m^3] of links whose inertia is made of their collision shapes
SMALL_MASS, SMALL_RADIUS = 0.1, 0.05  # [kg], [m] of the sphere that stands for a link without any shape
SMALLEST = 1e-4  # [m] radius of gyration below which an inertia is none
LEAST_SPREAD = 1e-4  # of the largest principal second moment of mass: a body has some extent in every direction
TERMS = ("ixx", "ixy", "ixz", "iyy", "iyz", "izz")


def repair_inertia(robot: Element, shapes: Sequence[Shape], where: str) -> list[str]:
    """Give what moves an inertia that bodies can have; returns what was changed, in sentences.

    A link whose mass or inertia is not positive, or next to zero, has none. Where all links that one joint moves have
    none, those with collision shapes get theirs. An inertia that no body can have is changed as little as possible.
    """
    notes, moving = [], _moved_together(robot)
    links = {link.get("name", ""): link for link in robot.findall("link")}
    stated = {name: found for name, link in links.items() if (found := _stated(link, where)) is not None}
    for name, (mass, centre, inertia) in stated.items():
        possible = _possible(inertia)
        if possible is not inertia:
            _write(links[name], mass, centre, possible)
            notes.append(f"the inertia of link {name!r} is one that no body can have; the nearest possible one is used")
    for group in moving:
        if any(name in stated for name in group):
            continue
        own = {name: [shape for shape in shapes if shape.link == name] for name in group}
        with_shapes = [name for name in group if own[name]]
        for name in with_shapes or group[:1]:
            mass, centre, inertia = _of_shapes(own[name]) if own[name] else _small()
            _write(links[name], mass, centre, inertia)
            source = f"its collision shapes at {DENSITY:g} kg/m3" if own[name] else "a small sphere"
            notes.append(f"link {name!r} moves and has no inertia; that of {source} is used, {mass:.2g} kg")
    for name, link in links.items():
        element = link.find("inertial")
        if element is not None and name not in stated and not _is_positive(element, where):
            link.remove(element)
    return notes


def _moved_together(robot: Element) -> list[list[str]]:
    """The links that each moving joint moves rigidly: its child, and what is fixed to that."""
    below: dict[str, list[str]] = {}
    for joint in robot.findall("joint"):
        if joint.get("type") not in MOVING:
            below.setdefault(end_of(joint, "parent"), []).append(end_of(joint, "child"))
    groups = []
    for joint in robot.findall("joint"):
        if joint.get("type") in MOVING:
            group = [end_of(joint, "child")]
            for name in group:
                group += below.get(name, [])
            groups.append(group)
    return groups


def _stated(link: Element, where: str) -> tuple[float, pinocchio.SE3, FloatArray] | None:
    """Mass [kg], placement of the centre of mass, inertia (3, 3) [kg m^2] about it; None if not positive."""
    element = link.find("inertial")
    if element is None or not _is_positive(element, where):
        return None
    place = f"link {link.get('name')!r} in {where}"
    return _mass(element, place), placement(element, place), _matrix(element, place)


def _is_positive(element: Element, where: str) -> bool:
    inertia = _matrix(element, where)
    mass = _mass(element, where)
    return mass > 0.0 and float(np.trace(inertia)) > mass * SMALLEST**2


def _mass(element: Element, where: str) -> float:
    mass = element.find("mass")
    return 0.0 if mass is None else number(mass, "value", where, 0.0)


def _matrix(element: Element, where: str) -> FloatArray:
    inertia = element.find("inertia")
    if inertia is None:
        return np.zeros((3, 3))
    xx, xy, xz, yy, yz, zz = (number(inertia, term, where, 0.0) for term in TERMS)
    return np.array(((xx, xy, xz), (xy, yy, yz), (xz, yz, zz)))


def _possible(inertia: FloatArray) -> FloatArray:
    """`inertia`, or the nearest one whose second moments of mass are all positive.

    Those are half the trace less the inertia; they are positive exactly where the inertia is positive definite and
    its principal moments fulfil the triangle inequality, which simulators ask for.
    """
    moments, axes = np.linalg.eigh(np.trace(inertia) / 2.0 * np.eye(3) - inertia)
    if moments[0] > 0.0:
        return inertia
    moments = np.maximum(moments, LEAST_SPREAD * moments[-1])
    second = axes @ np.diag(moments) @ axes.T
    return np.trace(second) * np.eye(3) - second


def _of_shapes(shapes: Iterable[Shape]) -> tuple[float, pinocchio.SE3, FloatArray]:
    total = pinocchio.Inertia.Zero()
    for shape in shapes:
        mass = DENSITY * shape.geometry.computeVolume()
        about_centre = DENSITY * shape.geometry.computeMomentofInertiaRelatedToCOM()
        own = pinocchio.Inertia(mass, shape.geometry.computeCOM(), about_centre)
        total += own.se3Action(shape.placement)
    return total.mass, pinocchio.SE3(np.eye(3), total.lever), _possible(np.array(total.inertia))


def _small() -> tuple[float, pinocchio.SE3, FloatArray]:
    return SMALL_MASS, pinocchio.SE3.Identity(), np.eye(3) * 0.4 * SMALL_MASS * SMALL_RADIUS**2


def _write(link: Element, mass: float, centre: pinocchio.SE3, inertia: FloatArray) -> None:
    for element in link.findall("inertial"):
        link.remove(element)
    inertial = SubElement(link, "inertial")
    rpy = texts(pinocchio.rpy.matrixToRpy(centre.rotation))
    SubElement(inertial, "origin", {"xyz": texts(centre.translation), "rpy": rpy})
    SubElement(inertial, "mass", {"value": repr(float(mass))})
    rows = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
    values = {term: repr(float(inertia[row])) for term, row in zip(TERMS, rows, strict=True)}
    SubElement(inertial, "inertia", values)
