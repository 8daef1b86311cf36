"""One simulated robot on the graph: publishes its sensors' readings, with stamps of the graph's time."""

from collections.abc import Sequence
from pathlib import Path

from rclpy.node import Node

from naf_robot.core.config import dump_yaml
from naf_robot.core.files import replace_file
from naf_robot.nodes.qos import OF_ROLE
from naf_robot.nodes.sensor_messages import message_type, to_message
from naf_robot.nodes.simulated_camera import SimulatedCamera
from naf_robot.run.config import RunConfig
from naf_robot.run.frames import base_frame, frame_of
from naf_robot.run.robot_parts import arm_of, state_sensor, task_sensors
from naf_robot.sensing.registry import CAMERA, make_sensor, raw_sensors, sensor_config
from naf_robot.sensing.sensor import Sensor
from naf_robot.sim.camera import CameraFile
from naf_robot.sim.simulator import Simulator


class SimulatedRobot:
    """Publishes joint states, and of the task's sensors those that the robot's world has."""

    def __init__(self, node: Node, robot: str, config: RunConfig, simulator: Simulator) -> None:
        self.robot = robot
        self.joints = arm_of(config, robot).joints
        self._simulator = simulator
        wanted = task_sensors(config, robot)
        self._sensors: Sequence[Sensor] = (
            *raw_sensors(wanted, simulator.signals(robot), config.sensor_settings),
            state_sensor(config, robot),  # last: with it a tick is complete
        )
        self._camera = _camera(node, robot, config, simulator) if CAMERA in {s.name for s in self._sensors} else None
        self._sensors = tuple(sensor for sensor in self._sensors if sensor.name != CAMERA)
        base = base_frame(config, robot)
        self._frames = {sensor.name: simulator.frames.get(sensor.name, base) for sensor in self._sensors}
        self._publishers = {
            sensor.name: node.create_publisher(
                message_type(sensor.message), f"{robot}/{sensor.topic}", OF_ROLE[sensor.qos]
            )
            for sensor in self._sensors
        }

    def publish(self, now_s: float) -> None:
        """Publish the sensors' readings at `now_s` on the graph; a stream's stamps are moved from simulated time."""
        signals = self._simulator.signals(self.robot)
        ahead_s = now_s - self._simulator.time_s
        if self._camera is not None:
            self._camera.publish(signals[CAMERA], now_s)
        for sensor in self._sensors:
            for stamp_s, reading in sensor.readings(signals, now_s):
                stamp_s = stamp_s + ahead_s if sensor.kind == "stream" else stamp_s
                self._publishers[sensor.name].publish(to_message(sensor, reading, stamp_s, self._frames[sensor.name]))


def _camera(node: Node, robot: str, config: RunConfig, simulator: Simulator) -> SimulatedCamera:
    """The camera of `robot`, with the calibration that its simulator has of it."""
    calibration = simulator.calibrations(robot).get(CAMERA)
    known = calibration.intrinsics() if isinstance(calibration, CameraFile) else None
    frame = frame_of(robot, config.robot(robot).camera.frame)
    return SimulatedCamera(node, robot, sensor_config(CAMERA, config.sensor_settings), known, frame)


def save_calibrations(config: RunConfig, robot: str, simulator: Simulator, run_dir: Path) -> None:
    """Write the calibrations of a robot's simulated sensors where an operator's routine would."""
    for name, calibration in simulator.calibrations(robot).items():
        sensor = make_sensor(name, (), config.sensor_settings)
        path = run_dir / sensor.calibration.format(robot=robot)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, f"# Calibration of {name}, simulated.\n{dump_yaml(calibration)}".encode())
