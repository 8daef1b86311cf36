"""What every simulator promises, whatever its physics: checks that take a simulator's name."""

import numpy as np
import pytest

from naf_robot.core.errors import SimulationError, UnknownNameError
from naf_robot.run.config import resolve
from naf_robot.sim.registry import World, make_simulator
from naf_robot.sim.simulator import SimulatorConfig

ARM = resolve("reach").robot("robot_1").arm
DOOR_ARM = resolve("door_pull").robot("robot_1").arm
PERIOD = 0.05


def simulator(backend, robots=("a",), arm=ARM, scene="free", settings=None, seed=0, **config):
    arms = dict.fromkeys(robots, arm)
    return make_simulator(backend, World(arms, scene, SimulatorConfig(**config), PERIOD, seed, settings or {}))


def steps(world, count):
    for _ in range(count):
        world.step()


def time_advances_by_control_periods(backend):
    world = simulator(backend)
    assert world.time_s == 0.0
    steps(world, 7)
    assert world.time_s == pytest.approx(7 * PERIOD)
    assert world.robots == ("a",)
    assert world.control_period_s == PERIOD


def the_last_command_holds_and_the_arm_does_not_sag(backend):
    world = simulator(backend)
    steps(world, 40)
    np.testing.assert_allclose(world.signals("a")["joint_position"], ARM.home, atol=2e-3)
    velocity = np.array([0.2, -0.15, 0.1, 0.2, -0.2, 0.15, 0.25])
    world.command("a", velocity)
    steps(world, 30)
    signals = world.signals("a")
    np.testing.assert_allclose(signals["joint_velocity"], velocity, atol=0.03)
    assert {name: value.shape for name, value in signals.items() if name.startswith("joint")} == dict.fromkeys(
        ("joint_position", "joint_velocity", "joint_effort"), (7,)
    )


def joints_stay_within_their_limits(backend):
    world, limits = simulator(backend), ARM.model().limits()
    world.command("a", np.array([0.0, 0.0, 0.0, -2.0, 0.0, 0.0, 0.0]))
    steps(world, 60)
    position = world.signals("a")["joint_position"][3]
    assert position == pytest.approx(limits.min_position[3], abs=0.1)


def bad_commands_and_unknown_robots_are_refused_and_the_last_command_stays(backend):
    world = simulator(backend)
    world.command("a", np.full(7, 0.2))
    for bad in (np.full(7, np.nan), np.full(7, np.inf), np.zeros(6), np.zeros((7, 1))):
        with pytest.raises(SimulationError, match="velocity command of 'a' must be 7 finite numbers"):
            world.command("a", bad)
    for call in (
        lambda: world.command("c", np.zeros(7)),
        lambda: world.signals("c"),
        lambda: world.reset("c", None, at_home=True),
        lambda: world.calibrations("c"),
    ):
        with pytest.raises(UnknownNameError, match="unknown robot 'c'; valid: a"):
            call()
    steps(world, 10)
    assert world.signals("a")["joint_velocity"][0] > 0.15


def a_seeded_reset_depends_on_the_seed_alone_to_the_last_bit(backend, scene="free", draw="none"):
    noise = {"imperfections": {"position_noise": 0.01, "dropout": 0.2, "sensor_delay_periods": 1}}
    settings = {"variation": {"draw": draw}} if scene == "door" else {}
    config = resolve("reach", overrides=[{"simulator": noise}]).simulator
    arms = {"a": DOOR_ARM}

    def world():
        return make_simulator(backend, World(arms, scene, config, PERIOD, 0, settings))

    def rollout(used):
        used.reseed(5)
        used.reset("a", np.array([0.8, 0.2, 0.5]), at_home=True)
        random, seen = np.random.default_rng(0), []
        for _ in range(30):
            used.command("a", random.uniform(-0.5, 0.5, 7))
            used.step()
            seen.append(np.concatenate([np.ravel(value) for _, value in sorted(used.signals("a").items())]))
        return np.concatenate(seen)

    fresh, used = world(), world()
    used.command("a", np.full(7, 0.3))
    steps(used, 33)
    first = rollout(fresh)
    np.testing.assert_array_equal(first, rollout(used))
    np.testing.assert_array_equal(first, rollout(fresh))


PROMISES = (
    time_advances_by_control_periods,
    the_last_command_holds_and_the_arm_does_not_sag,
    joints_stay_within_their_limits,
    bad_commands_and_unknown_robots_are_refused_and_the_last_command_stays,
    a_seeded_reset_depends_on_the_seed_alone_to_the_last_bit,
)
