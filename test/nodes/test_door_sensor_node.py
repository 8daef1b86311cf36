"""The door sensor as a process: messages in, angle out, silence with a reason where there is none."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import QuaternionStamped
from graph import Graph, graph
from sensor_msgs.msg import Imu, JointState
from std_srvs.srv import Trigger

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.nodes import convert
from naf_robot.nodes.qos import SENSOR, STREAM, reliable
from naf_robot.nodes.sensor_messages import to_message
from naf_robot.run.config import resolve, save
from naf_robot.sensing.door.calibration import DoorImuCalibration, load_calibration, save_calibration
from naf_robot.sensing.imu import ImuReading, row_of
from naf_robot.sensing.registry import make_sensor

pytestmark = pytest.mark.ros

IMU_SENSOR = make_sensor("door_imu")
CALIBRATION = DoorImuCalibration(frame="imu", gravity=(0.0, 0.0, 1.0), hinge_axis=(0.0, 0.0, -1.0))


class Driver:
    """Plays an IMU's driver on wall time, 100 Hz, in the robot's namespace."""

    def __init__(self, g: Graph, folder: Path, calibrated: bool) -> None:
        self.graph = g
        patient = {"max_age_s": 2.0, "max_gap_s": 1.0}  # a burdened machine is no sensor loss here
        save(
            resolve("door_real", overrides=[{"robots": ["a"], "sensors": {"door_imu": {"angle": patient}}}]),
            folder / "config.yaml",
        )
        self.path = folder / "door_imu" / "a.yaml"
        if calibrated:
            save_calibration(CALIBRATION, self.path)
        self.angles: list[JointState] = []
        self.orientations: list[QuaternionStamped] = []
        self.reasons: list[str] = []
        node = g.node
        self.publisher = node.create_publisher(Imu, "/a/door/imu", STREAM)
        node.create_subscription(JointState, "/a/door/state", self.angles.append, SENSOR)
        node.create_subscription(QuaternionStamped, "/a/door/orientation", self.orientations.append, SENSOR)
        node.create_subscription(DiagnosticArray, "/diagnostics", self.on_diagnostics, reliable(10))
        parameters = {"config": str(folder / "config.yaml"), "robot": "a"}
        spec = NodeSpec("door_sensor", "naf_robot.nodes.door_sensor", namespace="a", parameters=parameters)
        g.start(spec, folder / "log")
        g.wait_for(lambda: self.publisher.get_subscription_count() > 0, what="the sensor listens")

    def on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self.reasons += [status.message, *(pair.value for pair in status.values)]

    def now_s(self) -> float:
        return convert.seconds(self.graph.node.get_clock().now().to_msg())

    def send(self, rate: float = 0.0, frame: str = "imu", age_s: float = 0.0) -> None:
        reading = ImuReading(self.now_s() - age_s, frame, np.array([0.0, 0.0, -rate]), np.array([0.0, 0.0, 9.81]))
        self.publisher.publish(to_message(IMU_SENSOR, {"door_imu": row_of(reading)}, reading.stamp_s, frame))
        self.graph.spin_for(0.01)

    def send_until(self, condition, **values) -> None:
        for _ in range(1500):
            if condition():
                return
            self.send(**values)
        raise AssertionError(f"did not happen; reasons: {set(self.reasons)}")

    def told(self, text: str) -> bool:
        return any(text in reason for reason in self.reasons)


def test_the_angle_follows_the_gyro_and_stale_readings_silence_it(tmp_path: Path):
    with graph() as g:
        driver = Driver(g, tmp_path, calibrated=True)
        driver.send_until(lambda: driver.angles)
        assert list(driver.angles[0].name) == ["door_hinge"]
        driver.send_until(lambda: driver.angles[-1].position[0] > 0.3, rate=0.5)
        g.wait_for(lambda: driver.orientations and driver.orientations[-1].quaternion.z < -0.1)
        assert driver.orientations[-1].header.frame_id == "a/base_link"
        count = len(driver.angles)
        driver.send_until(lambda: driver.told("stale: stamped"), rate=0.5, age_s=5.0)
        assert len(driver.angles) <= count + 1


def test_a_wrong_frame_is_refused_by_name(tmp_path: Path):
    with graph() as g:
        driver = Driver(g, tmp_path, calibrated=True)
        driver.send_until(
            lambda: driver.told("IMU frame 'camera' is not the calibrated one; expected 'imu'"), frame="camera"
        )
        assert not driver.angles


def test_without_calibration_there_is_no_angle_until_the_routine_made_one(tmp_path: Path):
    with graph() as g:
        driver = Driver(g, tmp_path, calibrated=False)
        driver.send_until(lambda: driver.told("no door IMU calibration at"))
        assert not driver.angles
        answer = g.call(Trigger, "/a/door_sensor/calibrate", Trigger.Request())
        assert answer.success
        assert answer.message == "keep the door closed and still"
        driver.send_until(lambda: driver.told("swing the door open towards the robot"))
        for rate in (1.0, -1.0):
            until_s = driver.now_s() + 1.0  # a second each way, however many readings a busy machine sends in it
            while driver.now_s() < until_s:
                driver.send(rate=rate)
        driver.send_until(driver.path.is_file)
        found = load_calibration(driver.path)
        assert found.frame == "imu"
        np.testing.assert_allclose(found.hinge_axis, (0.0, 0.0, -1.0), atol=0.01)
        driver.send_until(lambda: driver.angles)
