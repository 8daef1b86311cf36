"""Gazebo's own topics of one door, which ros_gz_bridge carries to ROS: where it shall stand, and what is sensed."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from naf_robot.core.records import FloatArray
from naf_robot.core.stamps import stamp_of_seconds
from naf_robot.sensing.door.sensors import HANDLE, HINGE
from naf_robot.sensing.sensor import STAMPS
from naf_robot.sensing.signals import Signals
from naf_robot.sim.gazebo.bindings import load
from naf_robot.sim.gazebo.messages import transport_node


class DoorTopics:
    """`target` brings the place of the next episode's door; `door/state` and `door/imu` say what is sensed.

    `placed` is called with each place (3,) [m] in the robot's base frame, from a thread of Gazebo's. Without a frame of
    the IMU there is none.
    """

    def __init__(self, robot: str, imu_frame: str, placed: Callable[[FloatArray], None]) -> None:
        bindings = load()
        self._imu_frame = imu_frame
        self._model, self._imu, pose = (
            getattr(import_module(f"{bindings.messages}.{module}"), name)
            for module, name in (("model_pb2", "Model"), ("imu_pb2", "IMU"), ("pose_pb2", "Pose"))
        )
        self._node = transport_node()
        self._states = self._node.advertise(f"/{robot}/door/state", self._model)
        self._readings = self._node.advertise(f"/{robot}/door/imu", self._imu) if imu_frame else None

        def on_target(message: Any) -> None:
            place = message.position
            placed(np.array([place.x, place.y, place.z]))

        self._node.subscribe(pose, f"/{robot}/target", on_target)

    def publish(self, signals: Signals, now_s: float) -> None:
        """What the scene senses at `now_s` [s]."""
        message = self._model()
        _stamp(message, now_s)
        for name, signal in ((HINGE, "door_angle"), (HANDLE, "handle_angle")):
            joint = message.joint.add()
            joint.name, joint.axis1.position = name, float(signals[signal][0])
        self._states.publish(message)
        if self._readings is None:
            return
        for row, stamp_s in zip(signals["door_imu"], signals["door_imu" + STAMPS], strict=True):
            reading = self._imu()
            _stamp(reading, float(stamp_s))
            frame = reading.header.data.add()
            frame.key = "frame_id"
            frame.value.append(self._imu_frame)
            _fill(reading.orientation, "xyzw", row[0:4])
            _fill(reading.angular_velocity, "xyz", row[4:7])
            _fill(reading.linear_acceleration, "xyz", row[7:10])
            self._readings.publish(reading)


def _stamp(message: Any, time_s: float) -> None:
    message.header.stamp.sec, message.header.stamp.nsec = stamp_of_seconds(time_s)


def _fill(target: Any, names: str, values: FloatArray) -> None:
    for name, value in zip(names, values, strict=True):
        setattr(target, name, float(value))
