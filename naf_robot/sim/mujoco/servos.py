"""Velocity servos scaled to the arm that they move, so that a small arm and a heavy one follow alike."""

import mujoco
import numpy as np

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.sim.simulator import SimulatorConfig

RESPONSE_S = 0.07  # longest time constant of a servo with the inertia that it moves at most
ACCELERATION = 15.0  # [rad/s^2] of the joints of a heavy arm, for which its servos have the effort
OWN_ACCELERATION = 200.0  # [rad/s^2] that a servo can at least give its own armature
DAMPING_SHARE = 0.013  # of the speed that a joint's damping may cost; controllers of arms compensate what costs more


def add_servos(
    spec: mujoco.MjSpec, kinematics: ArmModel, config: SimulatorConfig, without: tuple[str, ...] = ()
) -> None:
    """Add one velocity servo per controlled joint, named as the joint, but for those `without` one.

    Its force is bounded by the description's effort limit where one is stated, and by `max_servo_effort` or what a
    heavier arm needs. Friction is compensated, and damping that would cost more than `DAMPING_SHARE`, as arms' own
    controllers do. Joints that follow others are held to them as stiffly as the physics step admits.
    """
    for follower in spec.equalities:
        follower.solref[:2] = (2.0 * config.physics_step_s, 1.0)
        follower.solimp[:2] = (0.999, 0.9999)
    for name in kinematics.description.mimics:
        joint = spec.joint(name)
        joint.damping, joint.frictionloss = np.zeros_like(joint.damping), 0.0
    inertia = kinematics.largest_inertia()
    effort = np.minimum(kinematics.limits().max_effort, np.maximum(config.max_servo_effort, ACCELERATION * inertia))
    for name, bound, moved in zip(kinematics.joint_names, effort.tolist(), inertia.tolist(), strict=True):
        if name in without:
            continue
        joint = spec.joint(name)
        joint.armature = min(config.joint_armature, bound / OWN_ACCELERATION)
        gain = max(bound / config.full_effort_error, (moved + joint.armature) / RESPONSE_S)
        if joint.damping[0] > DAMPING_SHARE * gain:
            joint.damping = np.zeros_like(joint.damping)
        joint.frictionloss = 0.0
        servo = spec.add_actuator(name=name, trntype=mujoco.mjtTrn.mjTRN_JOINT, target=name)
        servo.set_to_velocity(kv=gain)
        servo.forcelimited = 1
        servo.forcerange = [-bound, bound]
