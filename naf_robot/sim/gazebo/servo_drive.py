"""The arm's velocity servos as joint efforts, computed so that they stay stable whatever the physics step."""

import numpy as np

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.core.records import FloatArray
from naf_robot.sim.servos import Servos

STIFFNESS = 100.0  # of what holds a joint that follows, against the inertia that it moves within a physics step
FOLLOWED_STEPS = 4.0  # physics steps in which it makes up for an error of position


class ServoDrive:
    """Servos whose effort is the gain times the error that is left at the end of the physics step.

    With the inertia M of all joints that move, their velocities v and efforts tau, and the step h, the velocities after
    the step are v + h M^-1 tau. A servo exerts K (target - S v) and a joint that follows is held by -J' G (J v + e / T)
    (S selects the controlled joints, J v is the error of velocity and e that of position), both of the velocities
    *after* the step. That is what an implicit integrator makes of them; by themselves they diverge where h K exceeds
    twice the inertia of a joint. What else acted in the step before, a contact above all, is taken to act again: it is
    the part of the change of velocity that the efforts do not explain. So an arm that is held gets the full
    K target after some steps.
    """

    def __init__(self, arm: ArmModel, servos: Servos, step_s: float) -> None:
        self._arm, self._servos, self._step_s = arm, servos, step_s
        names, mimics = arm.moving_joints, arm.description.mimics
        self._select = np.array([[float(name == own) for name in names] for own in arm.joint_names])
        self._follow = np.zeros((len(mimics), len(names)))
        for row, (name, mimic) in enumerate(mimics.items()):
            self._follow[row, names.index(name)] = 1.0
            self._follow[row, names.index(mimic.master)] -= mimic.multiplier
        self._offset = np.array([mimic.offset for mimic in mimics.values()])
        self.restart()

    def restart(self) -> None:
        """The arm was put somewhere: nothing is known of what acted on it."""
        self._before: FloatArray | None = None  # velocities (nv,) of the last step
        self._efforts: FloatArray = np.zeros(len(self._arm.moving_joints))  # in it

    def begin(self, position: FloatArray) -> None:
        """The arm is at `position` (n,) [rad]: what holds for the steps of one control period."""
        h, gain, follow = self._step_s, np.diag(self._servos.gain), self._follow
        self._inertia = inertia = self._arm.full_inertia(position)
        self._hold = follow.T * (STIFFNESS / (h * np.diag(follow @ np.linalg.solve(inertia, follow.T))))  # J' G
        held = np.linalg.inv(inertia + h * self._hold @ follow)
        self._carry = h * held  # what the velocities come to without servos
        self._free, self._pull = held @ inertia, self._carry @ self._hold
        self._push = h * held @ self._select.T
        self._gain = np.linalg.solve(np.eye(len(gain)) + gain @ self._select @ self._push, gain)

    def effort(self, target: FloatArray, position: FloatArray, velocity: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Efforts of the next step: of the servos (n,), and of all joints that move (nv,), [N m].

        `target` (n,) is the commanded velocity, `position` and `velocity` (nv,) are those of all joints that move, in
        their order, [rad] and [rad/s].
        """
        error = (self._follow @ position - self._offset) / (FOLLOWED_STEPS * self._step_s)
        unmoved = self._free @ velocity - self._pull @ error
        if self._before is not None:
            unmoved += self._carry @ (self._inertia @ (velocity - self._before) / self._step_s - self._efforts)
        servos = np.clip(self._gain @ (target - self._select @ unmoved), -self._servos.effort, self._servos.effort)
        after = unmoved + self._push @ servos
        self._before = velocity
        self._efforts = self._select.T @ servos - self._hold @ (self._follow @ after + error)
        return servos, self._efforts
