"""The simulator as a process: lockstep, the held command, the reset."""

import signal
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from graph import Graph, graph
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.nodes import convert
from naf_robot.nodes.qos import COMMAND, SENSOR, reliable
from naf_robot.run.config import resolve, save

pytestmark = pytest.mark.ros


class Bench:
    """Answers the ticks of a simulator with two robots."""

    def __init__(self, g: Graph, folder: Path, **simulation: float) -> None:
        self.graph = g
        settings = {"answer_timeout_s": 0.5, "start_timeout_s": 0.0} | simulation
        config = resolve("reach", overrides=[{"robots": ["a", "b"], "simulation": settings}])
        save(config, folder / "config.yaml")
        self.home = np.array(config.robot("a").arm.home)
        self.states: dict[str, list[JointState]] = {"a": [], "b": []}
        self.clock: list[int] = []
        self.answering = {"a": False, "b": False}
        self.command = {"a": np.zeros(7), "b": np.zeros(7)}
        self.publishers = {}
        for robot in self.states:
            g.node.create_subscription(
                JointState, f"/{robot}/joint_states", lambda m, robot=robot: self.on_state(robot, m), SENSOR
            )
            topic = f"/{robot}/velocity_controller/commands"
            self.publishers[robot] = g.node.create_publisher(Float64MultiArray, topic, COMMAND)
        g.node.create_subscription(
            Clock, "/clock", lambda m: self.clock.append(m.clock.sec * 10**9 + m.clock.nanosec), reliable(10)
        )
        parameters = {"config": str(folder / "config.yaml")}
        self.spec = NodeSpec("simulator", "naf_robot.nodes.simulator", parameters=parameters)
        self.child = g.start(self.spec, folder / "log")
        g.wait_for(lambda: self.states["a"] and self.states["b"] and self.clock, what="the first tick")

    def on_state(self, robot: str, message: JointState) -> None:
        self.states[robot].append(message)
        if self.answering[robot]:
            self.publishers[robot].publish(convert.command(self.command[robot], message.header.stamp))

    def velocity(self, robot: str) -> np.ndarray:
        return np.array(self.states[robot][-1].velocity)


@pytest.fixture
def bench(tmp_path: Path):
    with graph() as g:
        yield Bench(g, tmp_path)


def test_time_advances_by_whole_control_periods_and_states_carry_it(bench: Bench):
    bench.answering = {"a": True, "b": True}
    bench.graph.wait_for(lambda: len(bench.clock) > 100)
    steps = np.diff(bench.clock)
    assert set(steps.tolist()) == {50_000_000}
    stamps = [s.header.stamp.sec * 10**9 + s.header.stamp.nanosec for s in bench.states["a"]]
    assert set(stamps) & set(bench.clock)


def test_in_lockstep_each_command_acts_for_exactly_one_tick(bench: Bench):
    bench.answering = {"a": True, "b": True}
    bench.graph.wait_for(lambda: len(bench.states["a"]) > 20)
    bench.command["a"] = np.array([0.2, 0, 0, 0, 0, 0, 0])
    begin = len(bench.states["a"])
    bench.graph.wait_for(lambda: len(bench.states["a"]) > begin + 40)
    assert bench.velocity("a")[0] == pytest.approx(0.2, abs=0.01)
    positions = [s.position[0] for s in bench.states["a"][begin + 10 : begin + 40]]
    np.testing.assert_allclose(np.diff(positions), 0.2 * 0.05, atol=1e-3)
    assert not np.abs(bench.velocity("b")).max() > 1e-3


def test_a_silent_robot_keeps_its_last_command_and_does_not_stop_the_other(bench: Bench):
    bench.answering = {"a": True, "b": True}
    bench.command["a"] = np.full(7, 0.05)
    bench.graph.wait_for(lambda: bench.velocity("a")[0] > 0.045)
    bench.answering["a"] = False
    begin = len(bench.clock)
    bench.graph.wait_for(lambda: len(bench.clock) > begin + 60, what="the simulation goes on")
    assert bench.velocity("a")[0] == pytest.approx(0.05, abs=0.005)
    bench.answering["a"] = True
    bench.command["a"] = np.zeros(7)
    bench.graph.wait_for(lambda: abs(bench.velocity("a")[0]) < 1e-3, what="the robot answers again")


def test_a_bad_command_is_refused_and_the_last_one_stays(bench: Bench):
    bench.answering["a"] = True
    bench.command["a"] = np.full(7, 0.05)
    bench.graph.wait_for(lambda: bench.velocity("a")[0] > 0.045)
    bench.command["a"] = np.full(7, np.nan)
    bench.graph.spin_for(0.5)
    assert bench.velocity("a")[0] == pytest.approx(0.05, abs=0.005)


def test_reset_puts_the_arms_home_and_a_signal_ends_it(bench: Bench):
    bench.answering["a"] = True
    bench.command["a"] = np.full(7, 0.2)
    bench.graph.wait_for(lambda: np.abs(np.array(bench.states["a"][-1].position) - bench.home).max() > 0.1)
    bench.command["a"] = np.zeros(7)
    assert bench.graph.call(Trigger, "/simulator/reset", Trigger.Request()).success
    bench.graph.wait_for(lambda: np.allclose(bench.states["a"][-1].position, bench.home, atol=5e-3))
    assert bench.graph.end(bench.child) == 0


def test_drives_with_a_watchdog_stop_by_themselves(tmp_path: Path):
    with graph() as g:
        bench = Bench(g, tmp_path, drive_timeout_s=0.05)
        bench.answering = {"a": True, "b": True}
        bench.command["a"] = np.array([0.3, 0, 0, 0, 0, 0, 0])
        g.wait_for(lambda: bench.velocity("a")[0] > 0.25)
        bench.answering["a"] = False
        begin = len(bench.states["a"])
        g.wait_for(lambda: len(bench.states["a"]) > begin + 10)
        assert np.abs(bench.velocity("a")).max() < 0.01


def test_drives_with_a_watchdog_take_no_command_that_was_judged_from_a_state_long_past(tmp_path: Path):
    """Such as those of a velocity controller that was frozen, and does not know it by its simulated clock."""
    with graph() as g:
        bench = Bench(g, tmp_path, drive_timeout_s=0.05)
        bench.answering["b"] = True
        g.wait_for(lambda: len(bench.states["a"]) > 40)
        old_s = convert.seconds(bench.states["a"][0].header.stamp)
        stale = convert.command(np.full(7, 0.3), None, old_s)
        begin = len(bench.states["a"])
        while len(bench.states["a"]) < begin + 40:
            bench.publishers["a"].publish(stale)
            g.spin_for(0.002)
        assert max(np.abs(state.velocity).max() for state in bench.states["a"][begin:]) < 0.01


def test_a_robot_that_has_not_started_yet_is_waited_for(tmp_path: Path):
    with graph() as g:
        bench = Bench(g, tmp_path, start_timeout_s=60.0)
        bench.answering["a"] = True
        g.spin_for(2.0)
        assert len(bench.clock) < 8  # one tick per answer_timeout_s
        bench.answering["b"] = True
        begin = len(bench.clock)
        g.wait_for(lambda: len(bench.clock) > begin + 60, what="full speed once both take part")


def test_a_restarted_simulator_never_turns_the_clock_back(bench: Bench, tmp_path: Path):
    bench.answering = {"a": True, "b": True}
    bench.graph.wait_for(lambda: len(bench.clock) > 20)
    bench.graph.end(bench.child, signal.SIGKILL)
    before = len(bench.clock)
    bench.graph.start(bench.spec, tmp_path / "log")
    bench.graph.wait_for(lambda: len(bench.clock) > before + 20)
    assert min(np.diff(bench.clock)) > 0
