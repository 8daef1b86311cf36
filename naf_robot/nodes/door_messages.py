"""Between the door's messages and what `sensing` works with."""

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import QuaternionStamped
from sensor_msgs.msg import Imu, JointState

from naf_robot.core.records import FloatArray
from naf_robot.nodes import convert
from naf_robot.sensing.imu import ImuReading
from naf_robot.sensing.signals import Signals

HINGE, HANDLE = "door_hinge", "door_handle"  # joint names in `door/state`
SIGNAL_OF_JOINT = {HINGE: "door_angle", HANDLE: "handle_angle"}
UNKNOWN = -1.0  # first element of a covariance: the device does not measure this (sensor_msgs/Imu)


def reading_of(message: Imu) -> ImuReading | str:
    """The reading that a message carries; a reason if it lacks what is needed."""
    if message.angular_velocity_covariance[0] == UNKNOWN or message.linear_acceleration_covariance[0] == UNKNOWN:
        return "the IMU says that it measures no angular rate or no acceleration"
    w, a, q = message.angular_velocity, message.linear_acceleration, message.orientation
    known = message.orientation_covariance[0] != UNKNOWN
    return ImuReading(
        convert.seconds(message.header.stamp),
        message.header.frame_id,
        np.array([w.x, w.y, w.z]),
        np.array([a.x, a.y, a.z]),
        np.array([q.x, q.y, q.z, q.w]) if known else None,
    )


def imu_message(reading: ImuReading) -> Imu:
    """A reading as a driver would publish it."""
    message = Imu()
    message.header.stamp = convert.stamp(reading.stamp_s)
    message.header.frame_id = reading.frame
    w, a, q = message.angular_velocity, message.linear_acceleration, message.orientation
    w.x, w.y, w.z = (float(value) for value in reading.rate)
    a.x, a.y, a.z = (float(value) for value in reading.acceleration)
    if reading.orientation is None:
        message.orientation_covariance[0] = UNKNOWN
    else:
        q.x, q.y, q.z, q.w = (float(value) for value in reading.orientation)
    return message


def orientation_message(orientation: FloatArray, stamp: Time, frame: str) -> QuaternionStamped:
    """A quaternion (4,) x, y, z, w in `frame`."""
    message = QuaternionStamped()
    message.header.stamp = stamp
    message.header.frame_id = frame
    q = message.quaternion
    q.x, q.y, q.z, q.w = (float(value) for value in orientation)
    return message


def state_signals(message: JointState) -> Signals | str:
    """The door's angles by signal name; a reason if there is none, or one is not finite."""
    if len(message.position) != len(message.name):
        return f"{len(message.name)} joints but {len(message.position)} positions"
    values = {
        SIGNAL_OF_JOINT[name]: np.array([position])
        for name, position in zip(message.name, message.position, strict=True)
        if name in SIGNAL_OF_JOINT
    }
    if not values:
        return f"needs joint {HINGE!r}, got {list(message.name)}"
    bad = [name for name, value in values.items() if not np.isfinite(value).all()]
    return f"{bad} not finite" if bad else values


def orientation_signals(message: QuaternionStamped) -> Signals | str:
    """The door's orientation; a reason if it is no unit quaternion."""
    q = message.quaternion
    value = np.array([q.x, q.y, q.z, q.w])
    if not abs(float(np.linalg.norm(value)) - 1.0) < 1e-3:
        return f"orientation {value.tolist()} is not a unit quaternion"
    return {"door_orientation": value}
