"""The Gazebo simulator: each robot's arm in its scene, stepped in lockstep in this process."""

from collections.abc import Mapping

from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.core.records import FloatArray
from naf_robot.core.seeding import stream
from naf_robot.sensing.signals import Signals
from naf_robot.sim.gazebo.robot_world import RobotWorld
from naf_robot.sim.imperfections import ImperfectSensors
from naf_robot.sim.registry import World
from naf_robot.sim.robot_state import checked_command
from naf_robot.sim.simulator import steps_per_period


class GazeboSimulator:
    """Implements `sim.simulator.Simulator`: one gz-sim server per robot.

    Raises:
        ConfigError: the physics step does not divide the control period, a scene's setting is wrong, or something is
            asked for that only MuJoCo's worlds have.
        RobotModelError: a description is not sound.
        NafRobotError: gz-sim does not load, or not the world.
    """

    def __init__(self, world: World) -> None:
        if world.config.gravity_compensation != 1.0 or world.geometries:
            raise ConfigError(
                "the Gazebo simulator compensates gravity wholly and senses no poses of geometries: leave "
                "simulator.gravity_compensation at 1, and run tasks that need such poses in MuJoCo"
            )
        self.robots = tuple(world.arms)
        self.control_period_s = world.control_period_s
        self._steps = steps_per_period(world.control_period_s, world.config.physics_step_s)
        self._worlds = {name: RobotWorld(world, name, number) for number, name in enumerate(self.robots)}
        self._sensors = {
            name: ImperfectSensors(world.config.imperfections, stream(world.seed, "sensors", name))
            for name in self.robots
        }
        self.frames: Mapping[str, str] = self._worlds[self.robots[0]].scene.frames
        self._periods = 0
        for name in self.robots:
            self.reset(name, None, at_home=True)

    @property
    def time_s(self) -> float:
        """Simulated time since construction [s], counted in whole control periods."""
        return self._periods * self.control_period_s

    def robot_world(self, robot: str) -> RobotWorld:
        """The robot's arm and scene.

        Raises:
            UnknownNameError: there is no such robot.
        """
        if robot not in self._worlds:
            raise UnknownNameError("robot", robot, self.robots)
        return self._worlds[robot]

    def command(self, robot: str, velocity: FloatArray) -> None:
        """Set the joint velocities (n,) [rad/s] that hold until the next command.

        Raises:
            SimulationError: the command has the wrong shape or is not finite; the last one stays.
        """
        world = self.robot_world(robot)
        world.target = checked_command(robot, velocity, world.size)

    def step(self) -> None:
        """Advance every world by one control period.

        Raises:
            SimulationError: a state is not finite or faster than the configured bound, or gz-sim stopped.
        """
        for world in self._worlds.values():
            world.run(self._steps, self.time_s)
        self._periods += 1
        for name, world in self._worlds.items():
            self._sensors[name].update(world.signals())

    def signals(self, robot: str) -> Signals:
        """The current sensor readings with the configured imperfections."""
        self.robot_world(robot)
        return self._sensors[robot].read()

    def reset(self, robot: str, goal_position: FloatArray | None, at_home: bool) -> None:
        """Reset the scene; with `at_home` also put the arm at home, at rest, commanded zero."""
        world = self.robot_world(robot)
        world.reset(goal_position, at_home)
        self._sensors[robot].restart(world.signals(), at_home)

    def calibrations(self, robot: str) -> Mapping[str, Config]:
        """What an operator would find by calibrating the robot's sensors; found by simulated calibration."""
        return self.robot_world(robot).calibrations()

    def reseed(self, seed: int) -> None:
        """Restart every random stream, so that everything after the next reset depends on `seed` alone."""
        for name, world in self._worlds.items():
            world.scene.reseed(seed)
            self._sensors[name].random = stream(seed, "sensors", name)


def make_simulator(world: World) -> GazeboSimulator:
    """Entry of the registry of simulators."""
    return GazeboSimulator(world)
