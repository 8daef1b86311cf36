"""One arm as the flat arrays that path_check.c works on."""

import ctypes
from collections.abc import Sequence

import numpy as np
import pinocchio

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.projection.config import SelfCollisionConfig
from naf_robot.arm.projection.self_collision import SelfCollision
from naf_robot.arm.projection.velocity_bounds import HARD_SHARE
from naf_robot.arm.projection.workspace import HalfSpace, KeepOutBox, Sphere, ToolLimit
from naf_robot.core.records import FloatArray

WAYPOINTS = 8
MOST_JOINTS, MOST_LIMITS, MOST_PAIRS = 32, 64, 3000  # sizes of arrays in path_check.c, and of its counts
KINDS = {Sphere: 0, HalfSpace: 1, KeepOutBox: 2}
INTEGERS = ("joints", "limits", "pairs", "shapes", "tool_joint")
# Arrays in the order of `Arm` in path_check.c.
ARRAYS = (
    *("parent", "order", "sliding", "constant", "cosine", "sine", "offset", "axis", "tool", "kind", "numbers"),
    *("margin", "tool_lipschitz", "lipschitz", "shape_joint", "segment", "radius", "pair", "acceleration"),
)
NUMBERS = ("delay_s", "hard_share", "stop_distance", "pair_margin", "slow_distance", "approach_speed")
WORK = (
    *("position", "last_sent", "starts", "values", "least", "asked", "velocity", "positions", "rate", "found"),
    *("excess", "queries", "point", "gradient"),
)


class ArmStruct(ctypes.Structure):
    """`Arm` of path_check.c."""

    _fields_ = [
        *((name, ctypes.c_int32) for name in INTEGERS),
        *((name, ctypes.c_void_p) for name in ARRAYS),
        *((name, ctypes.c_double) for name in NUMBERS),
        *((name, ctypes.c_void_p) for name in WORK),
        ("period_s", ctypes.c_double),
        ("count", ctypes.c_int32),
    ]


class CompiledArm:
    """An arm's constants and working arrays; the latter are attributes of the same names as in path_check.c."""

    def __init__(
        self,
        model: ArmModel,
        tool_limits: Sequence[ToolLimit],
        collision: SelfCollision | None,
        config: SelfCollisionConfig,
        acceleration: FloatArray,
        delay_s: float,
    ) -> None:
        n, m = model.size, len(tool_limits)
        self._kept: dict[str, np.ndarray] = {**_chain(model), **_limits(tool_limits)}
        self._kept |= _shapes(collision) if collision is not None else _no_shapes()
        self._kept |= {
            "tool_lipschitz": model.tool_lipschitz_bounds(),
            "lipschitz": collision.lipschitz if collision is not None else np.empty((0, n)),
            "acceleration": acceleration,
        }
        pairs, shapes = len(self._kept["pair"]), len(self._kept["radius"])
        self.position, self.last_sent, self.velocity = np.zeros(n), np.zeros(n), np.zeros(n)
        self.starts, self.values, self.least = np.zeros((2, n)), np.zeros((2, m)), np.zeros((2, pairs))
        self.asked = np.zeros(2 * pairs, dtype=np.int32)
        self.positions, self.rate = np.zeros((WAYPOINTS, n)), np.zeros(n)
        self.found = np.zeros((WAYPOINTS * (m + pairs), 2), dtype=np.int32)
        self.excess, self.queries = np.zeros(WAYPOINTS * m), np.zeros((WAYPOINTS * pairs, 2))
        self.point, self.gradient = np.zeros((3, 3)), np.zeros(n)
        self.struct = ArmStruct(joints=n, limits=m, pairs=pairs, shapes=shapes, tool_joint=_tool_joint(model))
        for name in ARRAYS:
            kept = self._kept[name]
            kind = np.int32 if kept.dtype.kind in "ib" else np.float64
            self._kept[name] = np.ascontiguousarray(kept, dtype=kind)
            setattr(self.struct, name, self._kept[name].ctypes.data)
        for name in WORK:
            setattr(self.struct, name, getattr(self, name).ctypes.data)
        values = (
            *(delay_s, HARD_SHARE, config.stop_distance, config.margin),
            *(config.slow_distance, config.approach_speed),
        )
        for name, value in zip(NUMBERS, values, strict=True):
            setattr(self.struct, name, value)
        self.address = ctypes.c_void_p(ctypes.addressof(self.struct))


def can_be_compiled(model: ArmModel, tool_limits: Sequence[ToolLimit], collision: SelfCollision | None) -> bool:
    """Whether path_check.c knows all kinds of joints and limits that there are."""
    joints = [model.pinocchio_model.joints[k] for k in range(1, model.pinocchio_model.njoints)]
    return (
        len(joints) == model.size <= MOST_JOINTS
        and all(joint.nq == joint.nv == 1 and "Helical" not in joint.shortname() for joint in joints)
        and all(type(limit) in KINDS for limit in tool_limits)
        and len(tool_limits) <= MOST_LIMITS
        and (collision is None or len(collision.names) <= MOST_PAIRS)
    )


def _chain(model: ArmModel) -> dict[str, np.ndarray]:
    arm = model.pinocchio_model
    data, neutral = arm.createData(), pinocchio.neutral(arm)
    places = model.by_joint({joint: float(joint) for joint in range(1, arm.njoints)}).tolist()
    rows: dict[str, list] = {name: [] for name in ARRAYS[:8]}
    for number in range(1, arm.njoints):
        column = pinocchio.computeJointJacobian(arm, data, neutral, number).reshape(6, arm.nv)
        twist = column[:, arm.joints[number].idx_v]  # in the joint's own frame
        slides = not twist[3:].any()
        axis = twist[:3] if slides else twist[3:]
        placement = arm.jointPlacements[number]
        along = np.outer(axis, axis)
        x, y, z = axis.tolist()
        cross = np.array(((0.0, -z, y), (z, 0.0, -x), (-y, x, 0.0)))
        still = np.zeros((3, 3))
        rows["parent"].append(int(arm.parents[number]) - 1)
        rows["order"].append(places.index(float(number)))
        rows["sliding"].append(slides)
        rows["constant"].append(placement.rotation if slides else placement.rotation @ along)
        rows["cosine"].append(still if slides else placement.rotation @ (np.eye(3) - along))
        rows["sine"].append(still if slides else placement.rotation @ cross)
        rows["offset"].append(placement.translation)
        rows["axis"].append(axis)
    tool = arm.frames[arm.getFrameId(model.tool_frame, pinocchio.FrameType.BODY)]
    return {name: np.array(values) for name, values in rows.items()} | {"tool": np.array(tool.placement.translation)}


def _tool_joint(model: ArmModel) -> int:
    arm = model.pinocchio_model
    return int(arm.frames[arm.getFrameId(model.tool_frame, pinocchio.FrameType.BODY)].parentJoint) - 1


def _limits(tool_limits: Sequence[ToolLimit]) -> dict[str, np.ndarray]:
    numbers = np.zeros((len(tool_limits), 6))
    for row, limit in zip(numbers, tool_limits, strict=True):
        if isinstance(limit, Sphere):
            row[:4] = (*limit.centre, limit.radius)
        elif isinstance(limit, HalfSpace):
            row[:4] = (*limit.inward, limit.offset)
        elif isinstance(limit, KeepOutBox):
            row[:] = (*limit.lower, *limit.upper)
    kinds = np.array([KINDS.get(type(limit), -1) for limit in tool_limits])
    return {"kind": kinds, "numbers": numbers, "margin": np.array([limit.margin for limit in tool_limits])}


def _shapes(collision: SelfCollision) -> dict[str, np.ndarray]:
    capsules = collision.capsules()
    return {
        "shape_joint": np.array([joint - 1 for joint, _, _ in capsules], dtype=np.int32),
        "segment": np.array([ends for _, ends, _ in capsules]).reshape(-1, 6),
        "radius": np.array([radius for _, _, radius in capsules]),
        "pair": np.array(collision.shapes_of_pairs(), dtype=np.int32).reshape(-1, 2),
    }


def _no_shapes() -> dict[str, np.ndarray]:
    none = np.empty(0, dtype=np.int32)
    return {"shape_joint": none, "segment": np.empty((0, 6)), "radius": np.empty(0), "pair": none.reshape(0, 2)}
