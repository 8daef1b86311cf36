"""A gripper's joints in MuJoCo: motors that give the commanded efforts."""

import mujoco
import numpy as np

from naf_robot.arm.control.gripper import GripperConfig
from naf_robot.core.errors import SimulationError
from naf_robot.core.records import FloatArray
from naf_robot.sensing.signals import Signals

SETTLING_S = 0.05  # time in which a joint's damping takes most of the speed of its armature


def add_motors(spec: mujoco.MjSpec, gripper: GripperConfig) -> None:
    """Add one motor per joint, named as the joint, bounded by the gripper's highest effort.

    Armature goes with the joint's damping, so that fingers without much inertia are stable.
    """
    for name, bound in zip(gripper.joints, np.abs(gripper.max_effort).tolist(), strict=True):
        joint = spec.joint(name)
        joint.armature = float(joint.damping[0]) * SETTLING_S
        motor = spec.add_actuator(name=name, trntype=mujoco.mjtTrn.mjTRN_JOINT, target=name)
        motor.set_to_motor()
        motor.ctrllimited = 1
        motor.ctrlrange = [-bound, bound]


class MovedGripper:
    """The gripper's joints of one compiled model."""

    def __init__(self, model: mujoco.MjModel, gripper: GripperConfig) -> None:
        self._size, self._home = gripper.size, gripper.home_position
        self._qpos = np.array([model.joint(name).qposadr[0] for name in gripper.joints])
        self._qvel = np.array([model.joint(name).dofadr[0] for name in gripper.joints])
        self._actuators = np.array([model.actuator(name).id for name in gripper.joints])

    def command(self, data: mujoco.MjData, robot: str, effort: FloatArray) -> None:
        """Set the efforts (m,) that hold until the next command.

        Raises:
            SimulationError: not m finite numbers; the last command stays.
        """
        effort = np.asarray(effort, dtype=np.float64)
        if effort.shape != (self._size,) or not np.isfinite(effort).all():
            raise SimulationError(f"gripper command of {robot!r} must be {self._size} finite numbers, got {effort!r}")
        data.ctrl[self._actuators] = effort

    def put_home(self, data: mujoco.MjData) -> None:
        """Put the joints where an episode starts, at rest and without effort."""
        data.qpos[self._qpos] = self._home
        data.qvel[self._qvel] = 0.0
        data.ctrl[self._actuators] = 0.0

    def signals(self, data: mujoco.MjData) -> Signals:
        """What the sensor `gripper_state` gives."""
        return {"gripper_position": data.qpos[self._qpos].copy(), "gripper_velocity": data.qvel[self._qvel].copy()}
