"""Adds the arm's velocity servos to a MuJoCo model."""

import mujoco
import numpy as np

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.sim.servos import servos_of
from naf_robot.sim.simulator import SimulatorConfig

DAMPING_SHARE = 0.013  # of the speed that a joint's damping may cost; controllers of arms compensate what costs more


def add_servos(spec: mujoco.MjSpec, kinematics: ArmModel, config: SimulatorConfig) -> None:
    """Add one velocity servo per controlled joint, named as the joint.

    Friction is compensated, and damping that would cost more than `DAMPING_SHARE`, as arms' own controllers do. Joints
    that follow others are held to them as stiffly as the physics step admits.
    """
    for follower in spec.equalities:
        follower.solref[:2] = (2.0 * config.physics_step_s, 1.0)
        follower.solimp[:2] = (0.999, 0.9999)
    for name in kinematics.description.mimics:
        joint = spec.joint(name)
        joint.damping, joint.frictionloss = np.zeros_like(joint.damping), 0.0
    servos = servos_of(kinematics, config)
    values = (servos.gain.tolist(), servos.effort.tolist(), servos.armature.tolist())
    for name, gain, bound, armature in zip(kinematics.joint_names, *values, strict=True):
        joint = spec.joint(name)
        joint.armature = armature
        if joint.damping[0] > DAMPING_SHARE * gain:
            joint.damping = np.zeros_like(joint.damping)
        joint.frictionloss = 0.0
        servo = spec.add_actuator(name=name, trntype=mujoco.mjtTrn.mjTRN_JOINT, target=name)
        servo.set_to_velocity(kv=gain)
        servo.forcelimited = 1
        servo.forcerange = [-bound, bound]
