"""Joint limits out of a `joint_limits.yaml` as ros2_control and MoveIt write it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from naf_robot.arm.model.limits import JointLimitsConfig
from naf_robot.core.config import build, load_yaml
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.core.resources import find

# Keys with another name there that narrow one of ours, and the flag that switches them on.
NARROWING = {
    "soft_lower_limit": ("min_position", max, "has_soft_limits"),
    "soft_upper_limit": ("max_position", min, "has_soft_limits"),
    "max_deceleration": ("max_acceleration", min, "has_deceleration_limits"),
}
OURS = ("min_position", "max_position", "max_velocity", "max_acceleration", "max_effort")
FLAGS = ("has_position_limits", "has_velocity_limits", "has_acceleration_limits", "has_effort_limits")
# Known there, without a counterpart here: jerk is not limited, and the soft limits' gains shape another law.
IGNORED = ("has_jerk_limits", "max_jerk", "angle_wraparound", "k_position", "k_velocity", "joint_name")


def load_joint_limits(path: str) -> dict[str, JointLimitsConfig]:
    """Limits by joint name out of the file at `path`, or below the share folder.

    The joints stand under `joint_limits`. A limit counts if its `has_*` flag is true or absent;
    soft limits narrow positions, and a deceleration limit narrows acceleration.

    Raises:
        ConfigError: the file has no `joint_limits`, or a value is of the wrong type or range.
        UnknownNameError: a key that neither ros2_control nor this package knows.
    """
    joints = load_yaml(find(path)).get("joint_limits")
    if not isinstance(joints, Mapping):
        raise ConfigError(f"limits file {path!r} has no mapping 'joint_limits'")
    return {str(joint): _limits(values, f"joint_limits.{joint} in {path}") for joint, values in joints.items()}


def _limits(values: Mapping[str, Any], where: str) -> JointLimitsConfig:
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where} must be a mapping, got {values!r}")
    switches = {flag for _, _, flag in NARROWING.values()}
    known = {*OURS, *FLAGS, *NARROWING, *IGNORED, *switches}
    for key in values:
        if key not in known:
            raise UnknownNameError("limit", key, known, where)
    stated = {key: values[key] for key in OURS if key in values and values.get(f"has_{key.split('_')[1]}_limits", True)}
    limits = build(JointLimitsConfig, stated, where)
    for key, (ours, narrower, flag) in NARROWING.items():
        if key in values and values.get(flag, True):
            if isinstance(values[key], bool) or not isinstance(values[key], int | float):
                raise ConfigError(f"{key} of {where} must be a number, got {values[key]!r}")
            other = getattr(build(JointLimitsConfig, {ours: values[key]}, f"{key} of {where}"), ours)
            both = [value for value in (getattr(limits, ours), other) if value is not None]
            limits = msgspec.structs.replace(limits, **{ours: narrower(both, default=None)})
    return limits
