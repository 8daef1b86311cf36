"""What the simulator says of sensors on the graph: each reading once, with the stamp of the instant it is of."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from graph import graph
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Imu, JointState

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.nodes.qos import SENSOR, STREAM, reliable
from naf_robot.run.config import resolve, save
from naf_robot.sensing.sensor import stamp_of

pytestmark = pytest.mark.ros
PERIOD = 0.05


class Ears:
    """Hears the IMU of robot `a`, the joint states and the clock; nobody answers, so time runs at real speed."""

    def __init__(self, g, folder: Path, task: str, **imperfections) -> None:
        self.clock_s, self.stamps, self.late_s, self.states, self.door = 0.0, [], [], [], []
        simulation = {"answer_timeout_s": 0.02, "start_timeout_s": 0.0}
        overrides = {"robots": ["a"], "simulation": simulation, "simulator": {"imperfections": imperfections}}
        save(resolve(task, overrides=[overrides]), folder / "config.yaml")
        g.node.create_subscription(Imu, "/a/door/imu", self.on_imu, STREAM)
        g.node.create_subscription(JointState, "/a/joint_states", self.states.append, SENSOR)
        g.node.create_subscription(JointState, "/a/door/state", self.door.append, SENSOR)
        g.node.create_subscription(Clock, "/clock", self.on_clock, reliable(10))
        parameters = {"config": str(folder / "config.yaml")}
        g.start(NodeSpec("simulator", "naf_robot.nodes.simulator", parameters=parameters), folder / "log")

    def on_clock(self, message: Clock) -> None:
        self.clock_s = message.clock.sec + message.clock.nanosec * 1e-9

    def on_imu(self, message: Imu) -> None:
        assert message.header.frame_id == "door_imu"
        self.stamps.append(stamp_of(message))
        newest_s = stamp_of(self.states[-1]) if self.states else 0.0
        self.late_s.append(newest_s - self.stamps[-1])


@pytest.mark.parametrize("imperfections", [{}, {"sensor_delay_periods": 2}, {"dropout": 0.4}])
def test_no_reading_is_repeated_or_stamped_anew(tmp_path: Path, imperfections):
    with graph() as g:
        ears = Ears(g, tmp_path, "door_real", **imperfections)
        g.wait_for(lambda: len(ears.stamps) > 200, 60.0, "two hundred readings")
        steps = np.diff(ears.stamps)
        assert (steps > 0.0).all()
        np.testing.assert_allclose(steps / 0.01, np.round(steps / 0.01), atol=1e-3)  # its own sampling times
        if "dropout" in imperfections:
            assert steps.max() > 0.04  # a lost period stays lost
        delay_s = PERIOD * imperfections.get("sensor_delay_periods", 0)
        assert min(ears.late_s[50:]) >= delay_s - PERIOD - 1e-6  # the state of the same tick comes after the readings
        assert not ears.door  # that is for door_sensor to say


def test_a_door_without_an_imu_says_its_angles_with_the_ticks_stamp(tmp_path: Path):
    with graph() as g:
        ears = Ears(g, tmp_path, "door_pull")
        g.wait_for(lambda: len(ears.door) > 20 and len(ears.states) > 20, 60.0, "angles")
        assert list(ears.door[-1].name) == ["door_hinge", "door_handle"]
        assert len({stamp_of(m) for m in ears.door} & {stamp_of(m) for m in ears.states}) > 10
        assert not ears.stamps
