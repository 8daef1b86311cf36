"""Several simulators as one: robots with different arms each live in a world of their own kind."""

from collections.abc import Sequence

from naf_robot.core.errors import UnknownNameError
from naf_robot.core.records import FloatArray
from naf_robot.sensing.signals import Signals
from naf_robot.sim.simulator import Simulator


class SimulatorGroup:
    """Implements `Simulator` over simulators of different robots that share one control period."""

    def __init__(self, simulators: Sequence[Simulator]) -> None:
        self.simulators = tuple(simulators)
        self._of = {robot: simulator for simulator in self.simulators for robot in simulator.robots}
        self.robots = tuple(self._of)
        self.control_period_s = self.simulators[0].control_period_s

    @property
    def time_s(self) -> float:
        """Simulated time since construction [s]."""
        return self.simulators[0].time_s

    def command(self, robot: str, velocity: FloatArray) -> None:
        """Set joint velocities (n,) [rad/s] that hold until the next command."""
        self._simulator(robot).command(robot, velocity)

    def step(self) -> None:
        """Advance every world by one control period."""
        for simulator in self.simulators:
            simulator.step()

    def signals(self, robot: str) -> Signals:
        """What the robot's sensors say now."""
        return self._simulator(robot).signals(robot)

    def reset(self, robot: str, goal_position: FloatArray | None, at_home: bool) -> None:
        """Lay the scene anew; with `at_home` also put the arm at home."""
        self._simulator(robot).reset(robot, goal_position, at_home)

    def reseed(self, seed: int) -> None:
        """Begin every stream of random draws anew."""
        for simulator in self.simulators:
            simulator.reseed(seed)

    def _simulator(self, robot: str) -> Simulator:
        if robot not in self._of:
            raise UnknownNameError("robot", robot, self.robots)
        return self._of[robot]
