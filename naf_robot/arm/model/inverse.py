"""Postures that bring the tool to a point, within joint limits: to find out what an arm can reach, not to move it."""

from collections.abc import Iterable

import numpy as np

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.model.limits import JointLimits
from naf_robot.core.records import FloatArray

ITERATIONS = 60
DAMPING = 0.03  # [m], of the least squares
LONGEST_STEP = 0.3  # [rad] of a joint in one iteration
CLOSE = 1e-3  # [m] at which the search ends


def nearest_posture(
    model: ArmModel, limits: JointLimits, point: FloatArray, starts: Iterable[FloatArray]
) -> tuple[FloatArray, float]:
    """The posture (n,) [rad] with the tool nearest to `point` (3,) [m], base frame, and the distance left [m].

    Damped least squares from each of `starts` until one arrives; the limits hold in every iteration.
    """
    best, least = np.zeros(model.size), np.inf
    for start in starts:
        posture = np.clip(start, limits.min_position, limits.max_position)
        for _ in range(ITERATIONS):
            tool, jacobian = model.tool_jacobian(posture)
            error = point - tool
            distance = float(np.linalg.norm(error))
            if distance < least:
                best, least = posture, distance
            if distance < CLOSE:
                return best, least
            moved = posture + _step(jacobian, error)
            held = (moved < limits.min_position) | (moved > limits.max_position)
            if held.any():  # what a joint at its limit cannot do, the others are asked for
                moved = posture + _step(np.where(held, 0.0, jacobian), error)
            posture = np.clip(moved, limits.min_position, limits.max_position)
    return best, least


def _step(jacobian: FloatArray, error: FloatArray) -> FloatArray:
    step: FloatArray = jacobian.T @ np.linalg.solve(jacobian @ jacobian.T + DAMPING**2 * np.eye(3), error)
    longest = float(np.abs(step).max())
    return step * (LONGEST_STEP / longest) if longest > LONGEST_STEP else step
