"""The simulated worlds of a run's robots."""

from collections.abc import Sequence

from naf_robot.core.errors import ConfigError
from naf_robot.run.config import RunConfig
from naf_robot.run.robot_parts import arm_of, backend_of
from naf_robot.sim.registry import World
from naf_robot.sim.registry import make_simulator as make_registered
from naf_robot.sim.simulator import Simulator


def make_simulator(config: RunConfig, robots: Sequence[str]) -> Simulator:
    """The worlds of `robots` for the task of `config`, in the simulator that they name.

    Raises:
        ConfigError: they name more than one.
    """
    backends = {backend_of(config, robot) for robot in robots}
    if len(backends) != 1:
        raise ConfigError(f"robots that are simulated together need one simulator, got {sorted(backends)}")
    task = config.make_task()
    world = World(
        arms={robot: arm_of(config, robot) for robot in robots},
        scene=task.scene,
        config=config.simulator,
        control_period_s=task.control_period_s,
        seed=config.seed,
        scene_settings=config.simulator.scene,
        ignored_pairs={robot: config.robot(robot).safety.self_collision.ignored_pairs for robot in robots},
    )
    return make_registered(backends.pop(), world)
