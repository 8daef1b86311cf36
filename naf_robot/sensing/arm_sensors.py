"""Sensors that any arm may have: its joints' states, those of its gripper, and the force from outside on its tool."""

from array import array
from typing import Any

import numpy as np

from naf_robot.arm.model.joint_values import by_name
from naf_robot.core.array_spec import ArraySpec
from naf_robot.sensing.sensor import Sensor, SensorConfig
from naf_robot.sensing.signals import Signals


def joint_states(config: SensorConfig, joints: tuple[str, ...]) -> Sensor:
    """Positions and velocities of `joints`, matched by name; efforts where they are measured."""
    count = (max(1, len(joints)),)

    def decode(message: Any) -> Signals:
        signals = {
            "joint_position": by_name(joints, message.name, message.position, "joint_states position"),
            "joint_velocity": by_name(joints, message.name, message.velocity, "joint_states velocity"),
        }
        if len(message.effort) == len(message.name):
            effort = np.array(message.effort, dtype=np.float64)
            if list(message.name) != list(joints):
                effort = effort[[message.name.index(name) for name in joints]]
            if np.isfinite(effort).all():  # drivers without effort interfaces report NaN
                signals["joint_effort"] = effort
        return signals

    def encode(message: Any, signals: Signals) -> None:
        message.name = list(joints)
        message.position = array("d", signals["joint_position"])
        message.velocity = array("d", signals["joint_velocity"])
        if "joint_effort" in signals:
            message.effort = array("d", signals["joint_effort"])

    return Sensor(
        name="joint_states",
        topic="joint_states",
        message="sensor_msgs/msg/JointState",
        specs=(ArraySpec("joint_position", count, "rad"), ArraySpec("joint_velocity", count, "rad/s")),
        optional=(ArraySpec("joint_effort", count, "N m"),),
        decode=decode,
        encode=encode,
        max_age_s=config.max_age_s,
    )


class GripperStateConfig(SensorConfig, frozen=True):
    """Where a gripper's joint states are."""

    topic: str = "gripper/joint_states"  # topic of the gripper's joint states, in the robot's namespace


def gripper_state(config: GripperStateConfig, joints: tuple[str, ...]) -> Sensor:
    """Positions and velocities of the gripper's `joints`, matched by name; others may be beside them."""
    count = (max(1, len(joints)),)

    def decode(message: Any) -> Signals:
        return {
            "gripper_position": by_name(joints, message.name, message.position, "gripper_state position"),
            "gripper_velocity": by_name(joints, message.name, message.velocity, "gripper_state velocity"),
        }

    def encode(message: Any, signals: Signals) -> None:
        message.name = list(joints)
        message.position = array("d", signals["gripper_position"])
        message.velocity = array("d", signals["gripper_velocity"])

    return Sensor(
        name="gripper_state",
        topic=config.topic,
        message="sensor_msgs/msg/JointState",
        specs=(ArraySpec("gripper_position", count, "rad"), ArraySpec("gripper_velocity", count, "rad/s")),
        decode=decode,
        encode=encode,
        max_age_s=config.max_age_s,
    )


def external_wrench(config: SensorConfig, joints: tuple[str, ...]) -> Sensor:
    """Force and torque from outside on the tool."""

    def decode(message: Any) -> Signals:
        force, torque = message.wrench.force, message.wrench.torque
        return {
            "external_force": np.array([force.x, force.y, force.z]),
            "external_torque": np.array([torque.x, torque.y, torque.z]),
        }

    def encode(message: Any, signals: Signals) -> None:
        force, torque = message.wrench.force, message.wrench.torque
        force.x, force.y, force.z = (float(value) for value in signals["external_force"])
        torque.x, torque.y, torque.z = (float(value) for value in signals["external_torque"])

    return Sensor(
        name="external_wrench",
        topic="external_wrench",
        message="geometry_msgs/msg/WrenchStamped",
        specs=(ArraySpec("external_force", (3,), "N", "tool"), ArraySpec("external_torque", (3,), "N m", "tool")),
        decode=decode,
        encode=encode,
        max_age_s=config.max_age_s,
    )
