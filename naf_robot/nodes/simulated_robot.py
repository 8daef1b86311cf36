"""One simulated robot on the graph: publishes its sensors' readings, with stamps of the graph's time."""

from collections.abc import Sequence
from pathlib import Path

from rclpy.node import Node

from naf_robot.core.config import dump_yaml
from naf_robot.core.files import replace_file
from naf_robot.nodes.qos import OF_ROLE
from naf_robot.nodes.sensor_messages import message_type, to_message
from naf_robot.run.config import RunConfig
from naf_robot.run.frames import base_frame
from naf_robot.run.robot_parts import arm_of, state_sensor, task_sensors
from naf_robot.sensing.registry import make_sensor, raw_sensors
from naf_robot.sensing.sensor import Sensor
from naf_robot.sim.simulator import Simulator


class SimulatedRobot:
    """Publishes joint states, and of the task's sensors those that the robot's world has."""

    def __init__(self, node: Node, robot: str, config: RunConfig, simulator: Simulator) -> None:
        self.robot = robot
        self.joints = arm_of(config, robot).joints
        self._simulator = simulator
        wanted = task_sensors(config, robot)
        self._sensors: Sequence[Sensor] = (
            *raw_sensors(wanted, simulator.signals(robot), config.sensors),
            state_sensor(config, robot),  # last: with it a tick is complete
        )
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
        for sensor in self._sensors:
            for stamp_s, reading in sensor.readings(signals, now_s):
                stamp_s = stamp_s + ahead_s if sensor.kind == "stream" else stamp_s
                self._publishers[sensor.name].publish(to_message(sensor, reading, stamp_s, self._frames[sensor.name]))


def save_calibrations(config: RunConfig, robot: str, simulator: Simulator, run_dir: Path) -> None:
    """Write the calibrations of a robot's simulated sensors where an operator's routine would."""
    for name, calibration in simulator.calibrations(robot).items():
        sensor = make_sensor(name, (), config.sensors)
        path = run_dir / sensor.calibration.format(robot=robot)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, f"# Calibration of {name}, simulated.\n{dump_yaml(calibration)}".encode())
