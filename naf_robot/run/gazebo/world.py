"""The world that Gazebo runs as a process of its own: one door per robot, at the place of its arm; arms come later."""

from xml.etree.ElementTree import Element

import msgspec

from naf_robot.core.errors import ConfigError
from naf_robot.run.config import RunConfig
from naf_robot.run.gazebo.controllers import UPDATE_S
from naf_robot.sim.gazebo.door_model import DoorSetup, add_placed_door
from naf_robot.sim.gazebo.elements import VERSION, document, text_of
from naf_robot.sim.gazebo.world_sdf import add_world
from naf_robot.sim.scenes.registry import scene_config

WORLD = "naf_robot"  # name of the world
WALL = 1.0  # speed of the simulation, where it has no limit: that would be too fast where nobody waits for answers


def gazebo_world(config: RunConfig) -> str:
    """The world of `config` as SDFormat, with what stands around each robot; its time passes by itself.

    Raises:
        ConfigError: robots stand at the same place, or the scene has something that a running Gazebo cannot change or
            that is not made for it.
    """
    _check_places(config)
    scene, step_s = config.make_task().scene, config.simulator.physics_step_s
    described = scene_config(scene, config.simulator.scene)
    root = Element("sdf", version=VERSION)
    world = add_world(root, WORLD, step_s)
    factor = world.find("physics/real_time_factor")
    assert factor is not None
    factor.text = text_of(config.simulation.real_time_factor or WALL)
    if scene not in ("free", "door"):
        raise ConfigError(
            f"task {config.task_name!r} has the scene {scene!r}, which is made for simulators in process alone: use "
            "naf-robot train, or a task with scene free or door"
        )
    if scene == "door":
        for number, (robot, own) in enumerate(config.robots.items()):
            setup = DoorSetup(
                robot=robot,
                scene=msgspec.to_builtins(described),
                seed=config.seed,
                number=number,
                step_s=step_s,
                period_s=UPDATE_S,
            )
            add_placed_door(world, described, setup, own.base_pose)
    return document(root)


def _check_places(config: RunConfig) -> None:
    places: dict[tuple[float, ...], str] = {}
    for robot, own in config.robots.items():
        if (other := places.setdefault(own.base_pose, robot)) != robot:
            raise ConfigError(
                f"{other!r} and {robot!r} would stand in one another in Gazebo's world: give one of them another "
                f"place, such as robots.{robot}.base_pose=[0, 3, 0, 0, 0, 0]"
            )
