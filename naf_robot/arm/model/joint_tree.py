"""The tree of links and joints of a description: its soundness, and which joints move, follow others or are locked."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.etree.ElementTree import Element, SubElement

import numpy as np
import pinocchio

from naf_robot.arm.model.urdf_values import number, placement, vector, write_placement
from naf_robot.core.errors import ConfigError, RobotModelError, UnknownNameError

MOVING = ("revolute", "continuous", "prismatic")
FREE = ("floating", "planar")
KINDS = (*MOVING, "fixed", *FREE)


class Mimic(NamedTuple):
    """Position of a joint that follows another: `multiplier` times that of `master`, plus `offset` [rad or m]."""

    master: str
    multiplier: float
    offset: float


def check_tree(robot: Element, where: str) -> None:
    """Refuse what is no tree of named links.

    Raises:
        RobotModelError: in one sentence.
    """
    if robot.tag != "robot":
        raise RobotModelError(f"{where} is not a valid URDF: its first element is <{robot.tag}>, not <robot>")
    links, joints = robot.findall("link"), robot.findall("joint")
    for what, elements in (("link", links), ("joint", joints)):
        names = Counter(element.get("name", "") for element in elements)
        for name, count in names.items():
            if not name:
                raise RobotModelError(f"{where}: a {what} has no name")
            if count > 1:
                raise RobotModelError(f"{where} has {count} {what}s called {name!r}; names must differ")
    if not links:
        raise RobotModelError(f"{where} is not a valid URDF: it has no links")
    known, parents = {link.get("name", "") for link in links}, {}
    for joint in joints:
        name, kind = joint.get("name", ""), joint.get("type", "")
        if kind not in KINDS:
            raise RobotModelError(f"joint {name!r} in {where} has type {kind!r}; valid: {', '.join(sorted(KINDS))}")
        for end in ("parent", "child"):
            if (link := end_of(joint, end)) not in known:
                raise RobotModelError(f"{end} link {link!r} of joint {name!r} is not in {where}")
        child = end_of(joint, "child")
        if child in parents:
            raise RobotModelError(f"link {child!r} in {where} is the child of two joints: a URDF must be a tree")
        parents[child] = end_of(joint, "parent")
    roots = sorted(known - parents.keys())
    if len(roots) != 1:
        listed = ", ".join(map(repr, roots)) or "none, its joints form a loop"
        raise RobotModelError(f"{where} must have one link without a parent, it has {listed}")
    for link in known:
        above, steps = link, 0
        while above in parents and steps <= len(parents):
            above, steps = parents[above], steps + 1
        if above in parents:
            raise RobotModelError(f"the joints around link {link!r} in {where} form a loop: a URDF must be a tree")


def end_of(joint: Element, end: str) -> str:
    """Name of the link at the `parent` or `child` end of `joint`."""
    element = joint.find(end)
    return "" if element is None else element.get("link", "")


def lock_joints(
    robot: Element, controlled: Sequence[str], locked: Mapping[str, float], tool_frame: str, where: str
) -> dict[str, Mimic]:
    """Make every joint of `robot` fixed that is not `controlled` and follows none that is.

    Joints are locked at `locked` [rad or m]; one that is not named there at zero, or at the limit nearest to zero.
    One that follows a locked joint is locked where that joint puts it.
    Returned are the joints that follow controlled ones, each in terms of those.

    Raises:
        UnknownNameError: a joint that is not in the description; those that can be named are listed.
        ConfigError: a position to lock a joint at that is outside its limits, or of a joint that is controlled.
        RobotModelError: a controlled joint cannot be, or a floating or planar joint carries the arm.
    """
    joints = {joint.get("name", ""): joint for joint in robot.findall("joint")}
    moving = {name: joint for name, joint in joints.items() if joint.get("type") in MOVING}
    followed = {name: mimic for name, joint in moving.items() if (mimic := _mimic(joint, joints, where)) is not None}
    for name in controlled:
        if name in joints and joints[name].get("type") in FREE:
            raise RobotModelError(
                f"joint {name!r} in {where} is {joints[name].get('type')}; "
                f"only revolute, continuous and prismatic joints can be controlled"
            )
        if name not in moving:
            raise UnknownNameError("joint", name, moving, where)
        if name in followed:
            raise RobotModelError(
                f"joint {name!r} in {where} follows {followed[name].master!r} (<mimic>): control that one instead"
            )
    _check_chain(joints, [*controlled, *_joint_above(joints, tool_frame)], where)
    for name in locked:
        if name not in moving or name in followed:
            free = [each for each in moving if each not in controlled and each not in followed]
            raise UnknownNameError("joint", name, free, "arm.locked")
        if name in controlled:
            raise ConfigError(f"arm.locked has joint {name!r}, which is controlled; take it out of one of the two")
    found: dict[str, Mimic] = {}
    at: dict[str, float] = {}  # where joints are fixed, all found before the first is: fixed joints have no limits
    for name in joints.keys() - set(controlled):
        if name not in followed:
            at[name] = _locked_at(name, joints, locked, where)
            continue
        mimic = _composed(name, followed, where)
        if mimic.master in controlled:
            found[name] = mimic
        else:
            at[name] = mimic.multiplier * _locked_at(mimic.master, joints, locked, where) + mimic.offset
    for name, position in at.items():
        _fix(joints[name], position, where)
    for name, mimic in found.items():
        element = joints[name].find("mimic")
        assert element is not None
        element.attrib.update(joint=mimic.master, multiplier=repr(mimic.multiplier), offset=repr(mimic.offset))
    return {name: found[name] for name in joints if name in found}


def _mimic(joint: Element, joints: Mapping[str, Element], where: str) -> Mimic | None:
    element = joint.find("mimic")
    if element is None:
        return None
    place = f"joint {joint.get('name')!r} in {where}"
    master = element.get("joint", "")
    if master not in joints:
        raise UnknownNameError("joint", master, joints, f"<mimic> of {place}")
    return Mimic(master, number(element, "multiplier", place, 1.0), number(element, "offset", place, 0.0))


def _composed(name: str, followed: Mapping[str, Mimic], where: str) -> Mimic:
    """What `name` follows in the end, where it follows one that follows another."""
    mimic, seen = followed[name], {name}
    while mimic.master in followed:
        if mimic.master in seen:
            raise RobotModelError(f"joints {', '.join(sorted(seen))} in {where} follow each other in a circle")
        seen.add(mimic.master)
        above = followed[mimic.master]
        mimic = Mimic(above.master, mimic.multiplier * above.multiplier, mimic.multiplier * above.offset + mimic.offset)
    return mimic


def _locked_at(name: str, joints: Mapping[str, Element], locked: Mapping[str, float], where: str) -> float:
    joint = joints[name]
    if joint.get("type") not in MOVING:
        return 0.0
    lower, upper = -math.inf, math.inf
    limit = joint.find("limit")
    if joint.get("type") != "continuous" and limit is not None:
        place = f"joint {name!r} in {where}"
        lower, upper = number(limit, "lower", place, 0.0), number(limit, "upper", place, 0.0)
    if name not in locked:
        return min(max(0.0, lower), upper)
    if not lower <= locked[name] <= upper:
        raise ConfigError(
            f"arm.locked has {locked[name]:g} for joint {name!r}, outside its limits of {lower:g} to {upper:g}"
        )
    return locked[name]


def _fix(joint: Element, position: float, where: str) -> None:
    """Make `joint` a fixed one that stands where `position` [rad or m] puts it."""
    place = f"joint {joint.get('name')!r} in {where}"
    if position != 0.0:
        element = joint.find("axis")
        axis = np.array((1.0, 0.0, 0.0)) if element is None else vector(element, "xyz", place, (1.0, 0.0, 0.0))
        length = float(np.linalg.norm(axis))
        if length == 0.0:
            raise RobotModelError(f"{place}: its axis must not be zero")
        axis = axis / length
        if joint.get("type") == "prismatic":
            motion = pinocchio.SE3(np.eye(3), axis * position)
        else:
            motion = pinocchio.SE3(pinocchio.exp3(axis * position), np.zeros(3))
        write_placement(joint, placement(joint, place) * motion)
    joint.set("type", "fixed")
    for tag in ("axis", "limit", "mimic", "dynamics", "calibration", "safety_controller"):
        for element in joint.findall(tag):
            joint.remove(element)


def _joint_above(joints: Mapping[str, Element], link: str) -> list[str]:
    return [name for name, joint in joints.items() if end_of(joint, "child") == link]


def _check_chain(joints: Mapping[str, Element], names: Sequence[str], where: str) -> None:
    above = {end_of(joint, "child"): name for name, joint in joints.items()}
    for name in names:
        on_the_way: str | None = name
        while on_the_way is not None:
            joint = joints[on_the_way]
            if joint.get("type") in FREE:
                raise RobotModelError(
                    f"joint {on_the_way!r} in {where} is {joint.get('type')} and carries the arm; only arms on a fixed "
                    "base are supported: make it fixed in the description"
                )
            on_the_way = above.get(end_of(joint, "parent"))


def state_limits(robot: Element, where: str) -> None:
    """Give every moving joint of `robot` a complete `<limit>`; effort and velocity 0 mean "not stated".

    Raises:
        RobotModelError: a revolute or prismatic joint without limits.
    """
    for joint in robot.findall("joint"):
        if joint.get("type") not in MOVING:
            continue
        place = f"joint {joint.get('name')!r} in {where}"
        limit = joint.find("limit")
        if limit is None and joint.get("type") != "continuous":
            raise RobotModelError(
                f"{place} is {joint.get('type')} and has no <limit>: state its lower and upper position there, or make "
                "it continuous if it turns without end"
            )
        if limit is None:
            limit = SubElement(joint, "limit")
        for name in ("effort", "velocity"):
            if limit.get(name) in (None, "inf") or not number(limit, name, place) > 0.0:
                limit.set(name, "0")
        for name in ("lower", "upper"):
            limit.set(name, repr(number(limit, name, place, 0.0)))
