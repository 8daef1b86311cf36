"""docs/add_a_simulator.md, done from outside the package: arms that integrate their commands, without physics."""

import numpy as np
import pytest
from simulator_promises import PROMISES

from naf_robot.core.errors import SimulationError, UnknownNameError
from naf_robot.core.seeding import stream
from naf_robot.run.config import resolve
from naf_robot.run.environments import make_environment
from naf_robot.sim.imperfections import ImperfectSensors
from naf_robot.sim.registry import SIMULATORS, SimulatorEntry, World, register

BACKEND = {"backend": "integrator"}


class Integrator:
    """Implements `Simulator`: joints move exactly as commanded, within their limits."""

    def __init__(self, world: World) -> None:
        self.robots, self.control_period_s, self.frames = tuple(world.arms), world.control_period_s, {}
        self._homes = {robot: np.asarray(arm.home) for robot, arm in world.arms.items()}
        self._limits = {robot: arm.model().limits() for robot, arm in world.arms.items()}
        self._sensors = {
            robot: ImperfectSensors(world.config.imperfections, stream(world.seed, "sensors", robot))
            for robot in self.robots
        }
        self._position = {robot: home.copy() for robot, home in self._homes.items()}
        self._velocity = {robot: np.zeros_like(home) for robot, home in self._homes.items()}
        self._steps = 0
        for robot in self.robots:
            self.reset(robot, None, at_home=True)

    @property
    def time_s(self) -> float:
        return self._steps * self.control_period_s

    def command(self, robot, velocity):
        velocity = np.asarray(velocity, dtype=np.float64)
        if velocity.shape != self._homes[self._known(robot)].shape or not np.isfinite(velocity).all():
            raise SimulationError(
                f"velocity command of {robot!r} must be {len(self._homes[robot])} finite numbers, got {velocity!r}"
            )
        self._velocity[robot] = velocity.copy()

    def step(self):
        self._steps += 1
        for robot in self.robots:
            limits, ahead = self._limits[robot], self._position[robot] + self.control_period_s * self._velocity[robot]
            self._position[robot] = np.clip(ahead, limits.min_position, limits.max_position)
            self._sensors[robot].update(self._true(robot))

    def signals(self, robot):
        return self._sensors[self._known(robot)].read()

    def reset(self, robot, goal_position, at_home):
        self._known(robot)
        if at_home:
            self._position[robot] = self._homes[robot].copy()
            self._velocity[robot] = np.zeros_like(self._homes[robot])
        self._sensors[robot].restart(self._true(robot), at_home)

    def calibrations(self, robot):
        self._known(robot)
        return {}

    def reseed(self, seed):
        for robot, sensors in self._sensors.items():
            sensors.random = stream(seed, "sensors", robot)

    def _true(self, robot):
        position, velocity = self._position[robot].copy(), self._velocity[robot].copy()
        return {"joint_position": position, "joint_velocity": velocity, "joint_effort": np.zeros_like(position)}

    def _known(self, robot):
        if robot not in self._homes:
            raise UnknownNameError("robot", robot, self.robots)
        return robot


@pytest.fixture(autouse=True)
def added():
    register("integrator", SimulatorEntry(Integrator))
    yield
    del SIMULATORS["integrator"]


def test_the_environment_runs_in_it():
    environment = make_environment(resolve("reach", overrides=[BACKEND]))
    observation, _ = environment.reset(seed=0)
    assert environment.observation_space.contains(observation)
    for _ in range(10):
        observation, *_, info = environment.step(np.array([0.1, 0, 0, 0, 0, 0, 0]))
    joint = environment._signals["joint_position"][0]
    assert joint == pytest.approx(0.05 * np.sum([0.1] * 10), abs=0.02)
    assert 0.0 < info["distance"] < 1.0


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_it_keeps_the_protocols_promises(promise):
    promise("integrator")


def test_an_unknown_backend_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"unknown simulator 'dream'; valid: gazebo, integrator, mujoco"):
        make_environment(resolve("reach", overrides=[{"backend": "dream"}]))
