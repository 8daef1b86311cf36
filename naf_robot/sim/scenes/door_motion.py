"""What the IMU on the door's back goes through while the door turns: plain kinematics, without any simulator."""

import numpy as np

from naf_robot.core.records import FloatArray
from naf_robot.sensing import rotation
from naf_robot.sensing.imu import GRAVITY
from naf_robot.tasks.door_geometry import HINGE_AXIS

AXIS = np.array(HINGE_AXIS)


def imu_motion(
    place: FloatArray, angle: float, speed: float, acceleration: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Orientation (4,), rate (3,) [rad/s] and specific force (3,) [m/s^2] as `sim.imu.ImuModel.sample` takes them.

    The IMU is at `place` (3,) [m] of the panel, whose hinge is at `angle` [rad], `speed` [rad/s] and `acceleration`
    [rad/s^2]; the hinge is vertical.
    """
    lever = np.cross(AXIS, place)
    force = acceleration * lever + speed**2 * np.cross(AXIS, lever)
    force[2] += GRAVITY
    return rotation.about_axis(AXIS, angle), speed * AXIS, force
