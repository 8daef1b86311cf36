"""Velocity servos scaled to the arm that they move, so that a small arm and a heavy one follow alike."""

from dataclasses import dataclass

import numpy as np

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.core.records import FloatArray
from naf_robot.sim.simulator import SimulatorConfig

RESPONSE_S = 0.07  # longest time constant of a servo with the inertia that it moves at most
ACCELERATION = 15.0  # [rad/s^2] of the joints of a heavy arm, for which its servos have the effort
OWN_ACCELERATION = 200.0  # [rad/s^2] that a servo can at least give its own armature


@dataclass(frozen=True)
class Servos:
    """One velocity servo per controlled joint: its effort is `gain` times the velocity's error, within `effort`."""

    gain: FloatArray  # (n,) [N m s/rad]
    effort: FloatArray  # (n,) [N m], highest
    armature: FloatArray  # (n,) [kg m^2], inertia of motor and gear seen at the joint


def servos_of(kinematics: ArmModel, config: SimulatorConfig) -> Servos:
    """The servos of an arm.

    Their effort is bounded by the description's limit where one is stated, and by `max_servo_effort` or what a heavier
    arm needs.
    """
    inertia = kinematics.largest_inertia()
    effort = np.minimum(kinematics.limits().max_effort, np.maximum(config.max_servo_effort, ACCELERATION * inertia))
    armature = np.minimum(config.joint_armature, effort / OWN_ACCELERATION)
    gain = np.maximum(effort / config.full_effort_error, (inertia + armature) / RESPONSE_S)
    return Servos(gain, effort, armature)
