"""Executable `simulator`: makes simulated worlds look like real arms, in lockstep on simulated time.

Per robot: publishes `joint_states` and what the scene senses, follows `velocity_controller/commands`
and the commands of a gripper that the task moves, and repeats the last command without end, as ros2_control does.
Publishes `/clock`.
"""

import sys
import time
from functools import partial

import numpy as np
from geometry_msgs.msg import PoseStamped
from rosgraph_msgs.msg import Clock as ClockMessage
from std_srvs.srv import Trigger

from naf_robot.core import run_files
from naf_robot.core.clock import SteadyClock
from naf_robot.core.records import FloatArray
from naf_robot.nodes import convert, topics
from naf_robot.nodes.diagnostics import OK, WARN, Diagnostics, Status
from naf_robot.nodes.executable import STEADY, ExecutableNode, run
from naf_robot.nodes.qos import latched, reliable
from naf_robot.nodes.simulated_drives import SimulatedDrives, gripper_of
from naf_robot.nodes.simulated_robot import SimulatedRobot, save_calibrations
from naf_robot.run.robot_parts import moved_grippers
from naf_robot.run.worlds import make_simulator
from naf_robot.sim.lockstep import Lockstep
from naf_robot.sim.pacing import Pacing
from naf_robot.sim.simulated_time import SimulatedTime


class SimulatorNode(ExecutableNode):
    """All robots' worlds behind the topics of real arms."""

    def __init__(self) -> None:
        super().__init__("simulator")
        robots = tuple(self.config.robots)
        self.simulator = make_simulator(self.config, robots)
        grippers = moved_grippers(self.config, robots)
        start_s, parties = self.config.simulation.start_timeout_s, tuple(map(gripper_of, grippers))
        self.lockstep = Lockstep(robots, start_s, SteadyClock(), parties)
        self.goals: dict[str, FloatArray] = {}
        settings, period_s = self.config.simulation, self.simulator.control_period_s
        self.time = SimulatedTime(self.run_dir / run_files.SIMULATED_TICKS, period_s)
        self.pacing = Pacing(settings.real_time_factor, period_s, settings.answer_timeout_s, time.monotonic())
        for robot in robots:
            save_calibrations(self.config, robot, self.simulator, self.run_dir)
        self.simulated = {robot: SimulatedRobot(self, robot, self.config, self.simulator) for robot in robots}
        self.clock_publisher = self.create_publisher(ClockMessage, topics.CLOCK, reliable(1))
        self.diagnostics = Diagnostics(self, STEADY, self.report)
        self.drives = SimulatedDrives(
            self,
            {name: len(robot.joints) for name, robot in self.simulated.items()},
            self.simulator,
            self.lockstep,
            self.time,
            settings.drive_timeout_s,
            self.diagnostics.refuse,
            grippers,
        )
        for robot in robots:
            self.create_subscription(PoseStamped, f"{robot}/{topics.TARGET}", partial(self.on_target, robot), latched())
        self.create_service(Trigger, "simulator/reset", self.on_reset)
        self.node_parameters.show(robots=list(robots), control_period_s=period_s)
        self.node_parameters.change("real_time_factor", self.pacing.change, settings.real_time_factor)
        self.started_s = time.monotonic()

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
            self.drives.stop_silent()
            self.simulator.step()
            try:
                self.time.advance()
            except OSError as error:
                self.diagnostics.refuse("reserving simulated time", error)
        return 0

    def spin_until(self, limit_s: float) -> bool:
        """Handle at most one callback before `limit_s`; false when it is over or the end is asked for."""
        left_s = limit_s - time.monotonic()
        if left_s <= 0.0 or self.stop_requested:
            return False
        self.spin_once(min(0.1, left_s))
        return True

    def publish_tick(self) -> None:
        """State first, then the clock; DDS keeps no order between them, so the stamps say what belongs together."""
        now_ns = self.time.now_ns
        now = convert.stamp(now_ns * 1e-9)
        self.lockstep.begin(now_ns)
        for robot in self.simulated.values():
            robot.publish(convert.seconds(now))
        self.clock_publisher.publish(ClockMessage(clock=now))

    def report(self) -> Status:
        """Speed and missed ticks."""
        wall_s = time.monotonic() - self.started_s
        values = {"simulated time [s]": self.time.now_ns * 1e-9, "real time factor": self.time.passed_s / wall_s}
        values |= {f"missed ticks {robot}": count for robot, count in self.lockstep.missed.items()}
        values |= {f"answered ticks {robot}": count for robot, count in self.lockstep.answered.items()}
        of_topics, silent = self.drives.topics()
        waiting = f"; no commands: {'; '.join(silent)}" if silent else ""
        return WARN if silent else OK, f"simulating{waiting}", values | of_topics


def main() -> int:
    """Entry point."""
    return run(SimulatorNode)


if __name__ == "__main__":
    sys.exit(main())
