"""Executable `door_sensor`, one per robot: the hinge's angle out of an IMU on the door.

Works with any driver that publishes sensor_msgs/Imu on `door/imu`. Publishes nothing it does not
know: without calibration, with stale or broken readings or a lost angle there is silence, and the
reason on `/diagnostics`.
"""

import sys

import numpy as np
from sensor_msgs.msg import Imu
from std_srvs.srv import Trigger

from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.nodes.convert import seconds
from naf_robot.nodes.diagnostics import ERROR, OK, WARN, Diagnostics, Status
from naf_robot.nodes.executable import STEADY, ExecutableNode, run
from naf_robot.nodes.qos import OF_ROLE
from naf_robot.nodes.sensor_messages import message_type, to_message
from naf_robot.run.frames import base_frame
from naf_robot.sensing.door.angle import DoorEstimate
from naf_robot.sensing.door.sensors import DOOR_SENSOR
from naf_robot.sensing.door.tracker import DoorTracker
from naf_robot.sensing.imu import IMU_RATE, decode_imu, row_of
from naf_robot.sensing.registry import make_sensor, sensor_config
from naf_robot.sensing.signals import Signals
from naf_robot.sensing.watch import SensorWatch, diagnostic_values
from naf_robot.tasks.door_geometry import HINGE_AXIS


class DoorSensorNode(ExecutableNode):
    """One door's estimator and its calibration on the graph."""

    control_rank = 0

    def __init__(self) -> None:
        super().__init__("door_sensor")
        self.robot = self.robot_parameter()
        self.frame = base_frame(self.config, self.robot)
        settings = self.config.sensors
        self.imu = make_sensor(DOOR_SENSOR.takes, (), settings)
        path = self.run_dir / self.imu.calibration.format(robot=self.robot)
        self.tracker = DoorTracker(sensor_config(DOOR_SENSOR.takes, settings), path, HINGE_AXIS)
        self.watch = SensorWatch(self.imu, IMU_RATE)
        self.sensors = [make_sensor(name, (), settings) for name in DOOR_SENSOR.gives]
        self.outputs = [
            self.create_publisher(message_type(sensor.message), sensor.topic, OF_ROLE[sensor.qos])
            for sensor in self.sensors
        ]
        self.input = self.watched(self.imu.topic, "imu")
        self.create_subscription(Imu, self.imu.topic, self.on_imu, OF_ROLE[self.imu.qos])
        self.create_service(Trigger, "door_sensor/calibrate", self.on_calibrate)
        self.create_service(Trigger, "door_sensor/closed", self.on_closed)
        self.create_timer(0.5, self.tracker.load, clock=STEADY)
        self.node_parameters.show(calibration=str(path))
        self.diagnostics = Diagnostics(self, STEADY, self.report)
        self.tracker.load()

    def on_imu(self, message: Imu) -> None:
        """One reading: publish the new estimate, and log instructions for the operator."""
        self.input.came(seconds(message.header.stamp))
        try:
            reading = decode_imu(message)
            outcome = self.tracker.take(reading, self.now_s())
        except RefusedMessage as refused:
            self.diagnostics.refuse("imu", refused)
            return
        if outcome.refusal is not None:
            self.diagnostics.refuse("imu", outcome.refusal)
        else:
            self.watch.take(reading.stamp_s, {self.imu.name: row_of(reading)})
        if outcome.progress is not None:
            self.get_logger().info(f"calibration: {outcome.progress}")
        if outcome.failure is not None:
            self.get_logger().error(outcome.failure)
        if outcome.estimate is not None:
            self.publish(outcome.estimate)

    def publish(self, estimate: DoorEstimate) -> None:
        """The angle and the orientation, stamped as the reading that they are of."""
        signals: Signals = {
            "door_angle": np.array([estimate.angle]),
            "door_rate": np.array([estimate.rate]),
            "door_orientation": estimate.orientation,
        }
        for sensor, output in zip(self.sensors, self.outputs, strict=True):
            output.publish(to_message(sensor, signals, estimate.stamp_s, self.frame))

    def on_calibrate(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Begin the guided routine with the IMU of the next reading."""
        response.success = bool(self.get_publishers_info_by_topic(self.resolve_topic_name(self.imu.topic)))
        nobody = f"nobody publishes {self.imu.topic}; start the IMU's driver first"
        response.message = self.tracker.calibrate() if response.success else nobody
        return response

    def on_closed(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """An operator reports that the door is closed: start anew from zero."""
        response.success = self.tracker.known_closed()
        response.message = "starting from zero; keep the door closed" if response.success else self.tracker.trouble
        return response

    def report(self) -> Status:
        """What is known of the door, or why nothing is."""
        now_s = self.now_s()
        estimate, sentence, values = self.tracker.report(now_s)
        of_topic, topic = self.look_at(self.input)
        values |= of_topic | diagnostic_values(self.imu.name, self.watch.report(now_s))
        if estimate is None:
            sentence = f"{sentence} ({topic})"
        if not self.tracker.calibrated:
            return ERROR, sentence, values
        return OK if estimate is not None else WARN, sentence, values


def main() -> int:
    """Entry point."""
    return run(DoorSensorNode)


if __name__ == "__main__":
    sys.exit(main())
