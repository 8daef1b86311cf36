"""What the simulator publishes of one robot's door: an IMU's readings, or else the angles themselves."""

from pathlib import Path

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Imu, JointState

from naf_robot.core.config import build
from naf_robot.nodes import convert, topics
from naf_robot.nodes.door_messages import HANDLE, HINGE, imu_message
from naf_robot.nodes.qos import IMU, SENSOR
from naf_robot.run.config import RunConfig
from naf_robot.sensing.imu import from_rows
from naf_robot.sensing.imu_calibration import save_calibration
from naf_robot.sensing.signals import Signals
from naf_robot.sim.imu import ImuConfig
from naf_robot.sim.mujoco.door_by_hand import calibrate_all
from naf_robot.sim.scenes.door import DoorSceneConfig


class SimulatedDoor:
    """One robot's door; publishes nothing where the scene has none."""

    def __init__(self, node: Node, robot: str, config: RunConfig, signals: Signals) -> None:
        self._publisher = None
        self._frame = ""
        if "door_imu" in signals:
            self._frame = _imu(config).frame
            self._publisher = node.create_publisher(Imu, f"{robot}/{topics.DOOR_IMU}", IMU)
        elif "door_angle" in signals:
            self._publisher = node.create_publisher(JointState, f"{robot}/{topics.DOOR_STATE}", SENSOR)

    def publish(self, signals: Signals, now_s: float) -> None:
        """Publish what the door's sensors said during the period that ends at `now_s`."""
        if self._publisher is None:
            return
        if "door_imu" in signals:
            for reading in from_rows(signals["door_imu"], now_s, self._frame):
                self._publisher.publish(imu_message(reading))
            return
        angles = np.concatenate((signals["door_angle"], signals["handle_angle"]))
        self._publisher.publish(convert.joint_state((HINGE, HANDLE), convert.stamp(now_s), angles))


def calibrate_simulated(config: RunConfig, run_dir: Path) -> None:
    """Take every simulated IMU through the guided routine, as an operator would; the files that `door_sensor` reads."""
    if config.make_task().scene != "door" or _scene(config).imu is None:
        return
    calibrations = calibrate_all(_scene(config), config.seed, len(config.robots))
    for robot, calibration in zip(config.robots, calibrations, strict=True):
        save_calibration(calibration, run_dir / config.door_sensor.calibration.format(robot=robot))


def _imu(config: RunConfig) -> ImuConfig:
    return _scene(config).imu or ImuConfig()


def _scene(config: RunConfig) -> DoorSceneConfig:
    return build(DoorSceneConfig, config.simulator.scene, "simulator.scene")
