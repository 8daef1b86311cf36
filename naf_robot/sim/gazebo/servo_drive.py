"""The arm's velocity servos as joint efforts, computed so that they stay stable whatever the physics step."""

import numpy as np

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.core.records import FloatArray
from naf_robot.sim.servos import Servos


class ServoDrive:
    """Servos whose effort is the gain times the error that is left at the end of the physics step.

    With gain K, joint-space inertia M and step h the speed after the step is dq + h M^-1 tau, so that
    tau = (1 + h K M^-1)^-1 K (target - dq). It is what an implicit integrator makes of tau = K (target - dq), which
    by itself diverges where h K exceeds twice the inertia of a joint.
    """

    def __init__(self, arm: ArmModel, servos: Servos, step_s: float) -> None:
        self._arm, self._servos, self._step_s = arm, servos, step_s
        self._gain = np.zeros((arm.size, arm.size))

    def begin(self, position: FloatArray) -> None:
        """The arm is at `position` (n,) [rad]: what holds for the steps of one control period."""
        gain, inertia = np.diag(self._servos.gain), self._arm.inertia(position)
        # (1 + h K M^-1)^-1 K = M (M + h K)^-1 K
        self._gain = inertia @ np.linalg.solve(inertia + self._step_s * gain, gain)

    def effort(self, target: FloatArray, velocity: FloatArray) -> FloatArray:
        """Efforts (n,) [N m] of the next step, at joint `velocity` (n,) for the commanded one, both [rad/s]."""
        return np.clip(self._gain @ (target - velocity), -self._servos.effort, self._servos.effort)
