"""Processes beside the system that `real_time.py` measures, each of which writes down when things happened.

    python real_time_processes.py driver FILE SETTINGS    # the stand-in driver of `test/support/driver`
    python real_time_processes.py floor FILE PERIOD_S     # a bare rclpy timer, and nothing else

Both write FILE when they are interrupted: arrays of wall times [ns].
"""

import gc
import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import measuring  # noqa: F401  finds the package and test/support
import numpy as np
import rclpy
from driver.node import StandInDriver
from driver.settings import Settings
from rclpy.executors import SingleThreadedExecutor
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

from naf_robot.nodes import convert

PRIORITY = 50  # of ros2_control's own control thread


class RecordingDriver(StandInDriver):
    """Writes down the stamp of each joint state, and of each command the request that it answers, when it was sent
    and when the middleware had it here."""

    def __init__(self, settings: Settings) -> None:
        self.stated_ns: list[int] = []
        self.commanded_ns: list[tuple[int, int, int]] = []
        self.lock = Lock()
        super().__init__(settings)
        self.nodes = [self.broadcaster]
        Thread(target=self._take_commands, daemon=True).start()

    def _take_commands(self) -> None:
        """By an executor that tells when a message was sent; the events executor does not."""
        executor = SingleThreadedExecutor()
        executor.add_node(self.controller)
        while True:
            executor.spin_once()

    def publish(self) -> None:
        with self.lock:
            super().publish()

    def tell(self) -> None:
        """Nothing: nobody listens, and a driver has no such topic."""

    def message(self, part: dict[str, tuple[float, float, float]]) -> JointState:
        message = super().message(part)
        self.stated_ns.append(message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec)
        return message

    def on_command(self, message: Float64MultiArray, info: dict[str, int]) -> None:  # type: ignore[override]
        with self.lock:
            super().on_command(message)
        answered = convert.answered_ns(message) or 0
        self.commanded_ns.append((answered, info["source_timestamp"], info["received_timestamp"]))

    def written_down(self) -> dict[str, Any]:
        return {
            "stated_ns": np.array(self.stated_ns, np.int64),
            "commanded_ns": np.array(self.commanded_ns, np.int64).reshape(-1, 3),
        }


class Floor:
    """A node with a timer."""

    def __init__(self, period_s: float) -> None:
        self.ticks_ns: list[int] = []
        self.nodes = [Node("floor")]
        self.nodes[0].create_timer(period_s, self.on_timer)

    def on_timer(self) -> None:
        self.ticks_ns.append(time.time_ns())

    def written_down(self) -> dict[str, Any]:
        return {"ticks_ns": np.array(self.ticks_ns, np.int64)}


def like_a_drivers_thread() -> None:
    """Under the priority that real drivers take for themselves, where this user may."""
    with suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))


def main() -> None:
    kind, file, given = sys.argv[1:]
    if kind == "driver":
        like_a_drivers_thread()
    asked: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: asked.append(number))
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    made: RecordingDriver | Floor
    if kind == "driver":
        made = RecordingDriver(Settings(joints=(), home=()).changed(json.loads(given)))
    else:
        made = Floor(float(given))
    gc.freeze()
    executor = EventsExecutor()
    for node in made.nodes:
        executor.add_node(node)
    while not asked:
        executor.spin_once(timeout_sec=0.1)
    part = Path(f"{file}.part.npz")
    np.savez(part, **made.written_down())
    part.rename(file)
    os._exit(0)  # its thread still waits for commands


if __name__ == "__main__":
    main()
