"""The drives of all simulated robots: they obey commands, and hold the last one unless they watch for silence.

Those of a gripper hold it in any case.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from std_msgs.msg import Float64MultiArray

from naf_robot.arm.control.gripper import GripperConfig
from naf_robot.core.errors import SimulationError
from naf_robot.core.input_watch import InputWatch
from naf_robot.nodes import convert, topics
from naf_robot.nodes.executable import ExecutableNode
from naf_robot.nodes.qos import COMMAND
from naf_robot.sim.lockstep import Lockstep
from naf_robot.sim.pacing import SilentDrives
from naf_robot.sim.simulated_time import SimulatedTime
from naf_robot.sim.simulator import Simulator


class SimulatedDrives:
    """Takes the commands of robots with so many `joints`, and of `grippers` by robot; `lockstep` learns of each that
    answers a tick.

    Drives stop by themselves after `timeout_s` without a command; 0: they hold the last for ever.
    """

    def __init__(
        self,
        node: ExecutableNode,
        joints: Mapping[str, int],
        simulator: Simulator,
        lockstep: Lockstep,
        simulated_time: SimulatedTime,
        timeout_s: float,
        refuse: Callable[[str, object], None],
        grippers: Mapping[str, GripperConfig],
    ) -> None:
        self._node = node
        self._inputs: dict[str, InputWatch] = {}
        self._joints = joints
        self._simulator = simulator
        self._lockstep = lockstep
        self._time = simulated_time
        self._refuse = refuse
        self._silent = SilentDrives(joints, simulated_time.ticks_in(timeout_s))
        for robot in joints:
            topic = f"{robot}/{topics.COMMANDS}"
            self._inputs[robot] = node.watched(topic, f"commands {robot}")
            node.create_subscription(Float64MultiArray, topic, partial(self._on_command, robot), COMMAND)
        for robot, gripper in grippers.items():
            topic = f"{robot}/{gripper.topic}"
            node.create_subscription(Float64MultiArray, topic, partial(self._on_gripper, robot), COMMAND)

    def topics(self) -> tuple[dict[str, object], list[str]]:
        """Values of every robot's topic of commands, and a sentence about each that is silent; once a second."""
        values: dict[str, object] = {}
        silent = []
        for watch in self._inputs.values():
            found, sentence = self._node.look_at(watch, time.monotonic())
            values |= found
            if found[f"{watch.label} rate [Hz]"] == 0.0:
                silent.append(sentence)
        return values, silent

    def stop_silent(self) -> None:
        """Stop the drives that have heard nothing for too long."""
        for robot in self._silent.silent(self._time.tick):
            self._simulator.command(robot, np.zeros(self._joints[robot]))

    def _on_command(self, robot: str, message: Float64MultiArray) -> None:
        """Take a velocity command; it holds until the next."""
        self._inputs[robot].came(time.monotonic())
        computed_ns = convert.judged_ns(message)
        computed_at = None if computed_ns is None else self._time.tick_at(computed_ns)
        if not self._silent.accepts(computed_at, self._time.tick):
            return
        try:
            self._simulator.command(robot, np.array(message.data))
        except SimulationError as error:
            self._refuse("command", error)
            return
        self._silent.commanded(robot, self._time.tick)
        self._lockstep.answer(robot, convert.answered_ns(message))

    def _on_gripper(self, robot: str, message: Float64MultiArray) -> None:
        """Take the efforts of a gripper; they hold until the next."""
        try:
            self._simulator.command_gripper(robot, np.array(message.data))
        except SimulationError as error:
            self._refuse("gripper command", error)
            return
        self._lockstep.answer(gripper_of(robot), convert.answered_ns(message))


def gripper_of(robot: str) -> str:
    """What the gripper of `robot` is called in counts of answered ticks."""
    return f"{robot} gripper"
