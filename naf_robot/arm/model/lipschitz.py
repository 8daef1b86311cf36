"""How far a joint's motion can move a point at most, whatever the posture: bounds computed once per arm."""

import coal
import numpy as np
import pinocchio

from naf_robot.core.records import FloatArray

CORNERS = 64  # of the regular polygon that stands for a circle, drawn around it so that it bounds from outside


def lipschitz_bounds(model: pinocchio.Model, joint: int, points: FloatArray) -> dict[int, float]:
    """For each joint that carries `joint`, and itself, how fast a unit of its motion can move a point [m/rad].

    `points` (k, 3), in the frame of `joint` [m], span a convex hull; the bound holds for every point in it.
    Turning about an axis, points stay in a solid of revolution: its rings are what the joint before carries on.
    """
    data, found = model.createData(), {}
    while joint != 0:
        item = model.joints[joint]
        jacobian = pinocchio.computeJointJacobian(model, data, pinocchio.neutral(model), joint)
        column = jacobian.reshape(6, model.nv)[:, item.idx_v]
        slide, turn = column[:3], column[3:]
        axis = turn if turn.any() else slide
        height = points @ axis
        radius = float(np.linalg.norm(points - np.outer(height, axis), axis=1).max())
        found[joint] = float(np.linalg.norm(slide)) + radius * float(np.linalg.norm(turn))
        if turn.any():
            points = np.concatenate([ring(axis, level, radius) for level in (height.min(), height.max())])
        if slide.any():
            ends = (float(model.lowerPositionLimit[item.idx_q]), float(model.upperPositionLimit[item.idx_q]))
            points = np.concatenate([points + end * slide for end in ends])
        placement = model.jointPlacements[joint]
        points = points @ placement.rotation.T + placement.translation
        joint = model.parents[joint]
    return found


def ring(axis: FloatArray, height: float, radius: float) -> FloatArray:
    """Corners (k, 3) of a polygon around the circle of `radius` about `axis`, a unit vector (3,), at `height` [m]."""
    first = np.cross(axis, np.eye(3)[int(np.abs(axis).argmin())])
    first /= np.linalg.norm(first)
    angle = np.linspace(0.0, 2.0 * np.pi, CORNERS, endpoint=False)[:, None]
    outer = radius / np.cos(np.pi / CORNERS)
    return height * axis + outer * (np.cos(angle) * first + np.sin(angle) * np.cross(axis, first))


def hull(item: pinocchio.GeometryObject) -> FloatArray:
    """Points (k, 3) around a collision shape, in the frame of the joint that carries it [m]."""
    shape = item.geometry
    if isinstance(shape, coal.Cylinder):
        up = np.array((0.0, 0.0, 1.0))
        points = np.concatenate([ring(up, level, shape.radius) for level in (-shape.halfLength, shape.halfLength)])
    elif isinstance(shape, coal.ConvexBase):
        points = np.array(shape.points())
    else:
        shape.computeLocalAABB()
        box = np.array((shape.aabb_local.min_, shape.aabb_local.max_))
        points = np.array([(box[i, 0], box[j, 1], box[k, 2]) for i in (0, 1) for j in (0, 1) for k in (0, 1)])
    return points @ item.placement.rotation.T + item.placement.translation
