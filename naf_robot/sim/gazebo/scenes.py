"""Builds the described scenes in Gazebo: each adds its models to the world and reads its own sensors."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol
from xml.etree.ElementTree import Element

from naf_robot.core.config import Config
from naf_robot.core.records import FloatArray
from naf_robot.core.registry import Registry
from naf_robot.sensing.signals import Signals
from naf_robot.sim.gazebo.door_scene import DoorScene
from naf_robot.sim.gazebo.free_scene import FreeScene
from naf_robot.sim.gazebo.server import Models
from naf_robot.sim.scenes.registry import scene_config


class Scene(Protocol):
    """What stands around one robot; each robot has a scene of its own."""

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the models that it adds."""
        ...

    @property
    def frames(self) -> Mapping[str, str]:
        """Frame of a sensor's readings by its name, where that is not the robot's base."""
        ...

    def build(self, world: Element) -> None:
        """Add the models to a world of SDFormat, as they are after the last `place`."""
        ...

    def bind(self, server: Models) -> None:
        """Look up the joints in a server that runs what was built."""
        ...

    def place(self, goal_position: FloatArray | None, at_home: bool) -> bool:
        """Reset the scene around `goal_position` (3,) [m] with the next step; `at_home`: the arm is put at home, too.

        True where the models must be built anew for that.
        """
        ...

    def hold(self) -> None:
        """Keep in its place in the next step what nothing but a drive keeps there."""
        ...

    def before_step(self, time_s: float) -> None:
        """Act before the physics step that begins at `time_s`: springs, latches, sensors."""
        ...

    def after_run(self) -> None:
        """Read the state that the steps came to."""
        ...

    def signals(self) -> Signals:
        """The scene's own sensors."""
        ...

    def calibrations(self) -> dict[str, Config]:
        """Calibrations of the sensors, by sensor name."""
        ...

    def reseed(self, seed: int) -> None:
        """Restart the random streams of the scene from `seed`."""
        ...


Builder = Callable[[Any, int, int, float], Scene]  # description, seed, number of the robot, physics step [s]

BUILDERS: Registry[Builder] = Registry("scene", {"free": FreeScene, "door": DoorScene}, "the Gazebo simulator")
register = BUILDERS.register  # under the name of the scene's description in `sim.scenes.registry`


def make_scene(name: str, values: Mapping[str, Any], seed: int, number: int, physics_step_s: float) -> Scene:
    """The scene called `name`, described by plain `values`, for the robot with this `number`.

    Raises:
        UnknownNameError: listing the scenes there are, or the keys of the scene's description.
        ConfigError: a value of the wrong type or range.
    """
    config = scene_config(name, values)
    return BUILDERS[name](config, seed, number, physics_step_s)
