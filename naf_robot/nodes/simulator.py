"""Executable `simulator`: makes simulated worlds look like real arms, in lockstep on simulated time.

Per robot: publishes `joint_states` and what the scene senses, follows `velocity_controller/commands`
and repeats the last command without end, as ros2_control does. Publishes `/clock`.
"""

import sys
import time
from functools import partial

import numpy as np
from geometry_msgs.msg import PoseStamped
from rosgraph_msgs.msg import Clock as ClockMessage
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger

from naf_robot.core import run_files
from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import SimulationError
from naf_robot.core.records import FloatArray
from naf_robot.core.reserved_counter import ReservedCounter
from naf_robot.nodes import convert, topics
from naf_robot.nodes.diagnostics import OK, Diagnostics, Status
from naf_robot.nodes.executable import STEADY, ExecutableNode, run
from naf_robot.nodes.qos import COMMAND, latched, reliable
from naf_robot.nodes.simulated_robot import SimulatedRobot, save_calibrations
from naf_robot.run.worlds import make_simulator
from naf_robot.sim.lockstep import Lockstep
from naf_robot.sim.pacing import Pacing, SilentDrives

TICKS_RESERVED_AT_ONCE = 1000  # a restarted simulator's clock jumps ahead by at most so many, and never goes back


class SimulatorNode(ExecutableNode):
    """All robots' worlds behind the topics of real arms."""

    def __init__(self) -> None:
        super().__init__("simulator")
        robots = tuple(self.config.robots)
        self.simulator = make_simulator(self.config, robots)
        self.lockstep = Lockstep(robots, self.config.simulation.start_timeout_s, SteadyClock())
        self.goals: dict[str, FloatArray] = {}
        self.period_ns = round(self.simulator.control_period_s * 1e9)
        self.ticks = ReservedCounter(self.run_dir / run_files.SIMULATED_TICKS, TICKS_RESERVED_AT_ONCE)
        self.tick_ns = self.ticks.next() * self.period_ns  # from 1: zero means "no time yet" in ROS
        settings = self.config.simulation
        self.drives = SilentDrives(robots, round(settings.drive_timeout_s * 1e9 / self.period_ns))
        self.pacing = Pacing(
            settings.real_time_factor, self.simulator.control_period_s, settings.answer_timeout_s, time.monotonic()
        )
        for robot in robots:
            save_calibrations(self.config, robot, self.simulator, self.run_dir)
        self.simulated = {robot: SimulatedRobot(self, robot, self.config, self.simulator) for robot in robots}
        self.clock_publisher = self.create_publisher(ClockMessage, topics.CLOCK, reliable(1))
        for robot in robots:
            self.create_subscription(
                Float64MultiArray, f"{robot}/{topics.COMMANDS}", partial(self.on_command, robot), COMMAND
            )
            self.create_subscription(PoseStamped, f"{robot}/{topics.TARGET}", partial(self.on_target, robot), latched())
        self.create_service(Trigger, "simulator/reset", self.on_reset)
        self.diagnostics = Diagnostics(self, STEADY, self.report)
        self.started_s, self.started_ns = time.monotonic(), self.tick_ns

    def on_command(self, robot: str, message: Float64MultiArray) -> None:
        """Take a velocity command; it holds until the next."""
        computed_ns = convert.judged_ns(message)
        computed_at = None if computed_ns is None else computed_ns // self.period_ns
        if not self.drives.accepts(computed_at, self.ticks.value):
            return
        try:
            self.simulator.command(robot, np.array(message.data))
        except SimulationError as error:
            self.diagnostics.refuse("command", error)
            return
        self.drives.commanded(robot, self.ticks.value)
        self.lockstep.answer(robot, convert.answered_ns(message))

    def on_target(self, robot: str, message: PoseStamped) -> None:
        """A new goal: lay the scene around it; the arm stays where it is."""
        point = message.pose.position
        self.goals[robot] = np.array([point.x, point.y, point.z])
        self.simulator.reset(robot, self.goals[robot], at_home=False)

    def on_reset(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Put every arm at home and lay every scene anew."""
        for robot in self.config.robots:
            self.simulator.reset(robot, self.goals.get(robot), at_home=True)
        response.success, response.message = True, f"reset {len(self.config.robots)} robots"
        return response

    def free_running(self) -> bool:
        """Whether simulated time advances as fast as the other nodes answer."""
        return self.config.simulation.real_time_factor == 0.0

    def loop(self) -> int:
        """Tick until a stop is requested: publish, wait for the answers, step."""
        while not self.stop_requested:
            self.pacing.begin(time.monotonic(), self.lockstep.expects())
            self.publish_tick()
            while not self.lockstep.complete() and self.spin_until(self.pacing.answers_until_s):
                pass
            self.lockstep.end()
            for robot in self.lockstep.given_up():
                self.get_logger().warning(
                    f"no command of {robot} within simulation.start_timeout_s, "
                    f"{self.config.simulation.start_timeout_s} s: going on without"
                )
            while (left_s := self.pacing.left_s(now_s := time.monotonic())) > 0.0 and self.spin_until(now_s + left_s):
                pass
            for robot in self.drives.silent(self.ticks.value):
                self.simulator.command(robot, np.zeros(len(self.simulated[robot].joints)))
            self.simulator.step()
            self.tick_ns = self.next_tick() * self.period_ns
        return 0

    def spin_until(self, limit_s: float) -> bool:
        """Handle at most one callback before `limit_s`; false when it is over or the end is asked for."""
        left_s = limit_s - time.monotonic()
        if left_s <= 0.0 or self.stop_requested:
            return False
        self.spin_once(min(0.1, left_s))
        return True

    def next_tick(self) -> int:
        """The number of the next tick; a full disk does not stop the simulation."""
        try:
            return self.ticks.next()
        except OSError as error:
            self.diagnostics.refuse("reserving simulated time", error)
            self.ticks.value += 1
            return self.ticks.value

    def publish_tick(self) -> None:
        """State first, then the clock; DDS keeps no order between them, so the stamps say what belongs together."""
        now = convert.stamp(self.tick_ns * 1e-9)
        self.lockstep.begin(self.tick_ns)
        for robot in self.simulated.values():
            robot.publish(convert.seconds(now))
        self.clock_publisher.publish(ClockMessage(clock=now))

    def report(self) -> Status:
        """Speed and missed ticks."""
        wall_s = time.monotonic() - self.started_s
        simulated_s = (self.tick_ns - self.started_ns) * 1e-9
        values = {"simulated time [s]": self.tick_ns * 1e-9, "real time factor": simulated_s / wall_s}
        values |= {f"missed ticks {robot}": count for robot, count in self.lockstep.missed.items()}
        values |= {f"answered ticks {robot}": count for robot, count in self.lockstep.answered.items()}
        return OK, "simulating", values


def main() -> int:
    """Entry point."""
    return run(SimulatorNode)


if __name__ == "__main__":
    sys.exit(main())
