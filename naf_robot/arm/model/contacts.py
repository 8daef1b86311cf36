"""Which links may touch: pairs that are not watched for self-collision, and do not collide in simulation."""

from itertools import combinations

import pinocchio

from naf_robot.arm.model.kinematics import ArmModel


def adjacent(model: pinocchio.Model, joint: int, other: int) -> bool:
    """Whether what these joints of `model` carry is one rigid body, or is joined by one moving joint."""
    return joint == other or model.parents[joint] == other or model.parents[other] == joint


def always_touching(arm: ArmModel, geometry: pinocchio.GeometryModel) -> list[int]:
    """Numbers of the collision pairs of `geometry` that touch in every sampled posture.

    So does a description that overlaps its own shapes.
    """
    model, data, shapes = arm.pinocchio_model, arm.pinocchio_model.createData(), pinocchio.GeometryData(geometry)
    always = list(range(len(geometry.collisionPairs)))
    for posture in arm.sampled_postures():
        pinocchio.updateGeometryPlacements(model, data, geometry, shapes, arm.full_position(posture))
        always = [pair for pair in always if pinocchio.computeDistance(geometry, shapes, pair).min_distance <= 0.0]
    return always


def untouchable_pairs(arm: ArmModel) -> set[frozenset[str]]:
    """Pairs of links whose contact means nothing: joined by one joint, disabled by the SRDF, or always touching."""
    model, geometry = arm.pinocchio_model, arm.collision_geometry()
    items = list(geometry.geometryObjects)
    links = [model.frames[item.parentFrame].name for item in items]
    found = set(arm.disabled_pairs)
    for first, second in combinations(range(len(items)), 2):
        pair = frozenset((links[first], links[second]))
        if adjacent(model, items[first].parentJoint, items[second].parentJoint):
            found.add(pair)
        elif pair not in found:
            geometry.addCollisionPair(pinocchio.CollisionPair(first, second))
    for number in always_touching(arm, geometry):
        pair = geometry.collisionPairs[number]
        found.add(frozenset((links[pair.first], links[pair.second])))
    return {pair for pair in found if len(pair) == 2}
