"""Sensors of a door: its angles, its orientation, and the IMU on its back that `door_sensor` makes both of."""

from array import array
from typing import Any, Literal

import numpy as np

from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.core.array_spec import ArraySpec
from naf_robot.sensing.door.angle import DoorAngleConfig
from naf_robot.sensing.door.calibration import RoutineConfig
from naf_robot.sensing.imu import decode_imu, encode_imu, reading_of_row, row_of
from naf_robot.sensing.sensor import Provider, Sensor, SensorConfig
from naf_robot.sensing.signals import Signals

HINGE, HANDLE = "door_hinge", "door_handle"  # joint names in `door/state`
SIGNAL_OF_JOINT = {HINGE: "door_angle", HANDLE: "handle_angle"}
UNIT_TOLERANCE = 1e-3  # of a quaternion's norm
DOOR_SENSOR = Provider("door_sensor", takes="door_imu", gives=("door_state", "door_orientation"))


class DoorImuConfig(SensorConfig, frozen=True):
    """One IMU on each robot's door, and how `door_sensor` finds the angle out of it."""

    calibration: str = "door_imu/{robot}.yaml"  # file of the IMU's mounting; relative to the run folder
    heading: Literal["relative", "absolute"] = "relative"  # whether the IMU's orientation has an absolute heading
    routine: RoutineConfig = RoutineConfig()  # the guided calibration
    angle: DoorAngleConfig = DoorAngleConfig()  # the estimator


def door_state(config: SensorConfig, joints: tuple[str, ...]) -> Sensor:
    """The hinge's angle, and the handle's where it is measured."""

    def decode(message: Any) -> Signals:
        if len(message.position) != len(message.name):
            raise RefusedMessage(f"door_state has {len(message.name)} joints but {len(message.position)} positions")
        values = {
            SIGNAL_OF_JOINT[name]: np.array([position])
            for name, position in zip(message.name, message.position, strict=True)
            if name in SIGNAL_OF_JOINT
        }
        if "door_angle" not in values:
            raise RefusedMessage(f"door_state needs joint {HINGE!r}, got {list(message.name)}")
        return values

    def encode(message: Any, signals: Signals) -> None:
        known = [joint for joint in (HINGE, HANDLE) if SIGNAL_OF_JOINT[joint] in signals]
        message.name = known
        message.position = array("d", [float(signals[SIGNAL_OF_JOINT[joint]][0]) for joint in known])
        if "door_rate" in signals:
            message.velocity = array("d", signals["door_rate"])

    return Sensor(
        name="door_state",
        topic="door/state",
        message="sensor_msgs/msg/JointState",
        specs=(ArraySpec("door_angle", (1,), "rad"),),
        optional=(ArraySpec("handle_angle", (1,), "rad"),),
        decode=decode,
        encode=encode,
        max_age_s=config.max_age_s,
    )


def door_orientation(config: SensorConfig, joints: tuple[str, ...]) -> Sensor:
    """The door's orientation as a quaternion x, y, z, w in the base frame."""

    def decode(message: Any) -> Signals:
        q = message.quaternion
        value = np.array([q.x, q.y, q.z, q.w])
        if not abs(float(np.linalg.norm(value)) - 1.0) < UNIT_TOLERANCE:
            raise RefusedMessage(f"orientation {value.tolist()} is not a unit quaternion")
        return {"door_orientation": value}

    def encode(message: Any, signals: Signals) -> None:
        q = message.quaternion
        q.x, q.y, q.z, q.w = (float(value) for value in signals["door_orientation"])

    return Sensor(
        name="door_orientation",
        topic="door/orientation",
        message="geometry_msgs/msg/QuaternionStamped",
        specs=(ArraySpec("door_orientation", (4,), "", "base", low=-1.001, high=1.001),),
        decode=decode,
        encode=encode,
        max_age_s=config.max_age_s,
        provider=DOOR_SENSOR,
    )


def door_imu(config: DoorImuConfig, joints: tuple[str, ...]) -> Sensor:
    """The IMU's readings, each with its own stamp."""

    def decode(message: Any) -> Signals:
        return {"door_imu": row_of(decode_imu(message))}

    def encode(message: Any, signals: Signals) -> None:
        encode_imu(message, reading_of_row(signals["door_imu"], 0.0, ""))

    return Sensor(
        name="door_imu",
        topic="door/imu",
        message="sensor_msgs/msg/Imu",
        specs=(ArraySpec("door_imu", (10,), "", "imu"),),
        decode=decode,
        encode=encode,
        kind="stream",
        qos="stream",
        max_age_s=config.max_age_s,
        calibration=config.calibration,
    )
