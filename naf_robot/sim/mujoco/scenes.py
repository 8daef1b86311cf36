"""Builds the described scenes in MuJoCo: each adds its bodies to the world and reads its own sensors."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import mujoco
import numpy as np

from naf_robot.core.config import Config
from naf_robot.core.records import FloatArray
from naf_robot.core.registry import Registry
from naf_robot.sensing.signals import Signals
from naf_robot.sim.mujoco.door_scene import DoorScene
from naf_robot.sim.mujoco.pick_place_scene import PickPlaceScene
from naf_robot.sim.scenes.registry import FreeSceneConfig, scene_config


class Scene(Protocol):
    """One scene; a compiled model has one instance, shared by the states of all robots with that model."""

    @property
    def frames(self) -> Mapping[str, str]:
        """Frame of a sensor's readings by its name, where that is not the robot's base."""
        ...

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add bodies, joints and sensors to the arm's model before it is compiled."""
        ...

    def bind(self, model: mujoco.MjModel) -> None:
        """Look up addresses in the compiled model."""
        ...

    def place(
        self, model: mujoco.MjModel, data: mujoco.MjData, goal_position: FloatArray | None, at_home: bool
    ) -> None:
        """Reset the scene around `goal_position` (3,) [m]; `at_home`: the arm was put at home, too."""
        ...

    def before_step(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Act before each physics step (latches and the like)."""
        ...

    def signals(self, model: mujoco.MjModel, data: mujoco.MjData) -> Signals:
        """The scene's own sensors."""
        ...

    def calibrations(self, number: int) -> dict[str, Config]:
        """Calibrations of the sensors of robot `number`, by sensor name."""
        ...

    def reseed(self, seed: int) -> None:
        """Restart the random streams of the scene from `seed`."""
        ...


class FreeScene:
    """Nothing but a marker at the goal."""

    def __init__(self, config: FreeSceneConfig, seed: int = 0, numbers: Sequence[int] = ()) -> None:
        self._config = config
        self.frames: dict[str, str] = {}

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add the marker, a mocap body without contact."""
        marker = spec.worldbody.add_body(name="goal", mocap=True)
        marker.add_geom(
            type=mujoco.mjtGeom.mjGEOM_SPHERE,
            size=[self._config.marker_radius, 0.0, 0.0],
            rgba=list(self._config.marker_colour),
            contype=0,
            conaffinity=0,
        )

    def bind(self, model: mujoco.MjModel) -> None:
        """Nothing to look up."""

    def place(
        self, model: mujoco.MjModel, data: mujoco.MjData, goal_position: FloatArray | None, at_home: bool
    ) -> None:
        """Move the marker."""
        if goal_position is not None:
            data.mocap_pos[0] = np.asarray(goal_position)

    def before_step(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Nothing moves by itself."""

    def signals(self, model: mujoco.MjModel, data: mujoco.MjData) -> Signals:
        """No sensors."""
        return {}

    def calibrations(self, number: int) -> dict[str, Config]:
        """No sensors."""
        return {}

    def reseed(self, seed: int) -> None:
        """Nothing is drawn."""


Builder = Callable[[Any, int, Sequence[int]], Scene]  # description, seed, numbers of the robots that share the scene

BUILDERS: Registry[Builder] = Registry(
    "scene", {"free": FreeScene, "door": DoorScene, "pick_place": PickPlaceScene}, "the MuJoCo simulator"
)
register = BUILDERS.register  # under the name of the scene's description in `sim.scenes.registry`


def make_scene(
    name: str, values: Mapping[str, Any] | None = None, seed: int = 0, numbers: Sequence[int] = (0,)
) -> Scene:
    """The scene called `name`, described by plain `values`, for the robots with these `numbers`.

    Raises:
        UnknownNameError: listing the scenes there are, or the keys of the scene's description.
        ConfigError: a value of the wrong type or range.
    """
    config = scene_config(name, values)
    return BUILDERS[name](config, seed, numbers)
