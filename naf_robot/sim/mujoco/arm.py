"""Compiles an arm's URDF, its velocity servos and a scene into one MuJoCo model."""

import mujoco
import numpy as np

from naf_robot.arm.model.config import ArmConfig
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.core.errors import RobotModelError
from naf_robot.core.resources import find
from naf_robot.sim.mujoco.scenes import Scene
from naf_robot.sim.simulator import SimulatorConfig


def build_model(arm: ArmConfig, kinematics: ArmModel, scene: Scene, config: SimulatorConfig) -> mujoco.MjModel:
    """The compiled model; `scene` is bound to it.

    Gravity is compensated for the arm's own bodies, as the controllers of such arms do.

    Raises:
        RobotModelError: MuJoCo cannot load or compile the URDF; the reason in one sentence.
    """
    path = find(arm.urdf)
    try:
        spec = mujoco.MjSpec.from_file(str(path))
    except ValueError as error:
        raise RobotModelError(f"MuJoCo cannot load URDF {str(path)!r}: {_sentence(error)}") from None
    spec.option.timestep = config.physics_step_s
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 5.0
    spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET  # a divergence must be seen, not reset away
    for body in spec.bodies:
        body.gravcomp = 1.0
    effort = np.minimum(kinematics.limits().max_effort, config.max_servo_effort)
    for name, bound in zip(arm.joints, effort, strict=True):
        spec.joint(name).armature = config.joint_armature
        servo = spec.add_actuator(name=name, trntype=mujoco.mjtTrn.mjTRN_JOINT, target=name)
        servo.set_to_velocity(kv=bound / config.full_effort_error)
        servo.forcelimited = 1
        servo.forcerange = [-bound, bound]
    scene.build(spec)
    try:
        model = spec.compile()
    except ValueError as error:
        raise RobotModelError(
            f"MuJoCo cannot compile URDF {str(path)!r}: {_sentence(error)}{_hint(str(error))}"
        ) from None
    scene.bind(model)
    return model


def _sentence(error: ValueError) -> str:
    """MuJoCo's message on one line; it names the element on further ones."""
    lines = [line.strip() for line in str(error).splitlines()]
    return "; ".join(line for line in lines if line).removeprefix("Error: ")


def _hint(message: str) -> str:
    if "mass and inertia" not in message:
        return ""
    return ": every link that moves needs an <inertial> element with a positive mass and inertia"
