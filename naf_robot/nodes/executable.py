"""What every executable does alike: parameters, signals, exit codes and a clean end.

rclpy's own signal handlers shut the context down first, after which nothing can be published.
Here a signal only sets a flag: the node's `close` can still publish (a zero velocity, a final batch), because the
context is still valid.
"""

import gc
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from naf_robot.core.clock import SteadyClock
from naf_robot.core.console import protect_output
from naf_robot.core.errors import ConfigError, NafRobotError
from naf_robot.core.input_watch import InputWatch
from naf_robot.core.ros_environment import check_ros_environment, complete_ros_environment
from naf_robot.nodes.convert import seconds_of
from naf_robot.nodes.parameters import NodeParameters
from naf_robot.nodes.scheduling import give_way, stop_giving_way, use_batch_scheduling, use_real_time_scheduling
from naf_robot.run.config import RunConfig, check_robot, load
from naf_robot.run.stop_times import STOP_BY_SIGTERM

EXECUTORS: dict[str, Callable[[], Executor]] = {
    "single_threaded": SingleThreadedExecutor,
    "events": EventsExecutor,  # half the processor time of the other (benchmarks/lockstep.py)
}
STEADY = Clock(clock_type=ClockType.STEADY_TIME)

INTERNAL_ERROR, USER_ERROR = 1, 2


class BareNode(Node):
    """A node of ours, which need not belong to a run; subclasses override `loop` and `close`."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.node_parameters = NodeParameters(self, name)
        self.config_path = Path(self.node_parameters.get("config"))
        self.executor_name: str = self.node_parameters.get("executor")
        self.use_sim_time: bool = self.get_parameter("use_sim_time").value
        self.process = f"{socket.gethostname()}:{os.getpid()}"  # of the many that may have this node's name
        self.stop_requested = False
        self.spinner: Executor | None = None

    def run_config(self) -> RunConfig:
        """The configuration of the run that the parameter `config` names.

        Raises:
            ConfigError: it names none.
        """
        if not self.config_path.is_file():
            raise ConfigError(
                f"parameter 'config' of node {self.get_name()!r} must name a run's config.yaml, "
                f"got {str(self.config_path)!r}"
            )
        return load(self.config_path)

    def make_executor(self) -> Executor:
        """The executor that the parameter `executor` names."""
        return EXECUTORS[self.executor_name]()

    def now_s(self) -> float:
        """The node's clock, simulated or not [s]."""
        return seconds_of(self.get_clock().now().nanoseconds)

    def use_scheduling(self) -> None:
        """How its threads share the processors with others: as all by default."""

    def spin_once(self, timeout_s: float) -> None:
        """Handle at most one callback, waiting up to `timeout_s` for it."""
        if self.spinner is not None:
            self.spinner.spin_once(timeout_sec=timeout_s)

    def loop(self) -> int:
        """Work until `stop_requested`; the exit code."""
        while not self.stop_requested:
            self.spin_once(0.1)
        return 0

    def close(self) -> None:
        """Publish what must be sent at the end; the context is still valid."""


class ExecutableNode(BareNode):
    """A node with the run's configuration."""

    control_rank: int | None = None  # of a node that an arm waits for: 0 runs before 1; None: no arm does

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.config: RunConfig = self.run_config()
        self.run_dir = self.config_path.parent

    @property
    def identity(self) -> str:
        """The node's full name and its process: what is sent under it has one sender."""
        return f"{self.get_fully_qualified_name()} ({self.process})"

    def robot_parameter(self) -> str:
        """The parameter `robot`, checked against the run's robots."""
        name = self.node_parameters.get("robot") or self.get_namespace().strip("/")
        return check_robot(self.config, name)

    def watched(self, topic: str, label: str) -> InputWatch:
        """What comes on `topic`, for this node's diagnostics."""
        return InputWatch(self.resolve_topic_name(topic), SteadyClock(), label)

    def look_at(self, watch: InputWatch, now_s: float | None = None) -> tuple[dict[str, object], str]:
        """Values of an input and a sentence about it, with its publishers as the graph says; call it once a second.

        `now_s` is in the time of what `InputWatch.came` was called with: that of the node by default.
        """
        watch.publishers = self.count_publishers(watch.topic)
        now_s = self.now_s() if now_s is None else now_s
        return watch.values(now_s), watch.sentence(now_s)

    @property
    def in_lockstep(self) -> bool:
        """Whether the clock is that of our simulator, which waits for the answers to each tick."""
        return self.use_sim_time and self.config.simulated

    def free_running(self) -> bool:
        """Whether simulated time stands still until this node has answered, so that none of its answers is late."""
        return self.in_lockstep and self.config.simulation.real_time_factor == 0.0

    def use_scheduling(self) -> None:
        """Beside arms on wall time those that control them come first, and the others give way."""
        settings = self.config.real_time
        if self.free_running():
            use_batch_scheduling()
        if self.config.simulated_time:
            return
        if self.control_rank is None:
            give_way(settings.trainer_nice)
        else:
            use_real_time_scheduling(settings.control_priority - self.control_rank)


class _StopRequestedError(BaseException):
    """A signal while the node is still being constructed: nothing moves yet, so construction is abandoned."""


def run(make: Callable[[], BareNode]) -> int:
    """Run one node until it ends or a signal asks it to; the exit code.

    0 after a clean end, also by SIGINT and SIGTERM; 2 for a mistake of the user, in one
    sentence; 1 for any other exception, with its traceback.
    """
    asked = False
    node: BareNode | None = None

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        first, asked = not asked, True
        if node is not None:
            node.stop_requested = True
        elif first:
            raise _StopRequestedError

    protect_output()
    try:
        signal.signal(signal.SIGTERM, on_signal)
        if STOP_BY_SIGTERM not in os.environ:
            signal.signal(signal.SIGINT, on_signal)
        complete_ros_environment(os.environ)
        check_ros_environment(os.environ)
        try:
            rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)
        except (RuntimeError, ImportError) as error:  # errors of rcl about its arguments and the middleware
            raise ConfigError(f"ROS 2 does not start: {' '.join(str(error).split())}") from error
        node = make()
        node.use_scheduling()
        gc.freeze()  # what a node is made of stays: a collection need not look at it each time
        executor = node.make_executor()
        executor.add_node(node)
        node.spinner = executor
        node.stop_requested = asked
        return node.loop()
    except _StopRequestedError:
        return 0  # nothing was begun that had to be ended
    except NafRobotError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return USER_ERROR
    except Exception:  # noqa: BLE001  the last resort of a process: say all, stop the arm below, exit non-zero
        traceback.print_exc()
        return INTERNAL_ERROR
    finally:
        if node is not None:
            stop_giving_way()  # whoever asked waits for the last words
            try:
                node.close()
            finally:
                node.destroy_node()
        if rclpy.ok():
            rclpy.shutdown()
