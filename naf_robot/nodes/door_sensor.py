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
from naf_robot.nodes.diagnostics import ERROR, OK, WARN, Diagnostics, Status
from naf_robot.nodes.executable import STEADY, ExecutableNode, run
from naf_robot.nodes.qos import OF_ROLE
from naf_robot.nodes.sensor_messages import message_type, to_message
from naf_robot.sensing.door.angle import DoorAngleEstimator, DoorAngleState
from naf_robot.sensing.door.calibration import (
    CalibrationError,
    CalibrationRoutine,
    RoutinePhase,
    load_calibration,
    save_calibration,
)
from naf_robot.sensing.imu import ImuReading, decode_imu
from naf_robot.sensing.registry import make_sensor, sensor_config
from naf_robot.sensing.signals import Signals
from naf_robot.tasks.door_geometry import HINGE_AXIS

GIVES = ("door_state", "door_orientation")


class DoorSensorNode(ExecutableNode):
    """One door's estimator and its calibration on the graph."""

    def __init__(self) -> None:
        super().__init__("door_sensor")
        self.robot = self.robot_parameter()
        self.settings = sensor_config("door_imu", self.config.sensors)
        self.imu = make_sensor("door_imu", (), self.config.sensors)
        self.sensors = [make_sensor(name, (), self.config.sensors) for name in GIVES]
        self.path = self.run_dir / self.settings.calibration.format(robot=self.robot)
        self.estimator: DoorAngleEstimator | None = None
        self.routine: CalibrationRoutine | None = None
        self.trouble = "no IMU reading yet"
        self.outputs = [
            self.create_publisher(message_type(sensor.message), sensor.topic, OF_ROLE[sensor.qos])
            for sensor in self.sensors
        ]
        self.create_subscription(Imu, self.imu.topic, self.on_imu, OF_ROLE[self.imu.qos])
        self.create_service(Trigger, "door_sensor/calibrate", self.on_calibrate)
        self.create_service(Trigger, "door_sensor/closed", self.on_closed)
        self.create_timer(0.5, self.on_calibration_file, clock=STEADY)
        self.diagnostics = Diagnostics(self, STEADY, self.report)
        self.on_calibration_file()

    def on_calibration_file(self) -> None:
        """Take up the calibration as soon as there is one."""
        if self.estimator is not None:
            return
        try:
            calibration = load_calibration(self.path)
        except CalibrationError as error:
            self.trouble = str(error)
            return
        self.estimator = DoorAngleEstimator(calibration, HINGE_AXIS, self.settings.angle)

    def on_imu(self, message: Imu) -> None:
        """One reading: to the routine while it runs, else to the estimator; publish what is then known."""
        try:
            reading = decode_imu(message)
        except RefusedMessage as refused:
            self.diagnostics.refuse("imu", refused)
            return
        if self.routine is not None:
            self.calibrate_with(self.routine, reading)
        elif self.estimator is not None:
            self.estimate_with(self.estimator, reading)

    def estimate_with(self, estimator: DoorAngleEstimator, reading: ImuReading) -> None:
        """Update, and publish if there is an angle."""
        age_s = self.now_s() - reading.stamp_s
        reason = estimator.update(reading)
        if age_s > self.settings.angle.max_age_s:
            reason = f"stale: stamped {age_s:.2f} s ago, allowed {self.settings.angle.max_age_s} s"
        if reason is not None:
            self.trouble = reason
            self.diagnostics.refuse("imu", reason)
            return
        estimate, self.trouble = estimator.estimate(reading.stamp_s)
        if estimate is None:
            return
        signals: Signals = {
            "door_angle": np.array([estimate.angle]),
            "door_rate": np.array([estimate.rate]),
            "door_orientation": estimate.orientation,
        }
        for sensor, output in zip(self.sensors, self.outputs, strict=True):
            output.publish(to_message(sensor, signals, estimate.stamp_s, f"{self.robot}/base_link"))

    def calibrate_with(self, routine: CalibrationRoutine, reading: ImuReading) -> None:
        """One step of the guided routine; its end is a file and a fresh estimator."""
        phase = routine.phase
        try:
            done = routine.add(reading) is RoutinePhase.DONE
        except CalibrationError as error:
            self.routine, self.trouble = None, str(error)
            self.get_logger().error(str(error))
            return
        if routine.phase is not phase:
            self.get_logger().info(f"calibration: {routine.phase.value}")
        if done and routine.calibration is not None:
            save_calibration(routine.calibration, self.path)
            self.get_logger().info(f"calibration saved to {self.path}")
            self.routine = None
            self.estimator = DoorAngleEstimator(routine.calibration, HINGE_AXIS, self.settings.angle)

    def on_calibrate(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Begin the guided routine with the IMU that is heard next."""
        frames = [info.node_name for info in self.get_publishers_info_by_topic(self.resolve_topic_name(self.imu.topic))]
        if not frames:
            response.success, response.message = False, "nobody publishes door/imu; start the IMU's driver first"
            return response
        self.routine = CalibrationRoutine(None, self.settings.routine, self.settings.heading)
        response.success, response.message = True, self.routine.phase.value
        return response

    def on_closed(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """An operator says that the door is closed: start anew from zero."""
        response.success = self.estimator is not None
        response.message = "starting from zero; keep the door closed" if response.success else self.trouble
        if self.estimator is not None:
            self.estimator.known_closed()
        return response

    def report(self) -> Status:
        """What is known of the door, or why nothing is."""
        if self.routine is not None:
            return WARN, f"calibrating: {self.routine.phase.value}", {}
        if self.estimator is None:
            return ERROR, self.trouble, {}
        estimate, reason = self.estimator.estimate(self.now_s())
        values: dict[str, object] = {"times known closed": self.estimator.closings, "calibration": self.path}
        if estimate is None:
            return WARN, self.trouble if self.estimator.state is not DoorAngleState.TRACKING else reason, values
        values |= {
            "angle [deg]": round(np.degrees(estimate.angle), 2),
            "standard deviation [deg]": round(np.degrees(estimate.deviation), 3),
            "gyro bias [deg/s]": round(np.degrees(estimate.bias), 3),
        }
        return OK, reason, values


def main() -> int:
    """Entry point."""
    return run(DoorSensorNode)


if __name__ == "__main__":
    sys.exit(main())
