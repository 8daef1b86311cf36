"""The objects around the arm: each scene adds its bodies to the world and reads its own sensors."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import mujoco
import numpy as np

from naf_robot.core.config import Config, build
from naf_robot.core.errors import UnknownNameError
from naf_robot.core.records import FloatArray
from naf_robot.sensing.signals import Signals
from naf_robot.sim.mujoco.door_scene import DoorScene
from naf_robot.sim.scenes.door import DoorSceneConfig


class Scene(Protocol):
    """One scene; a world has one instance, shared by all robots' states of that world."""

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

    def reseed(self, seed: int) -> None:
        """Restart the random streams of the scene from `seed`."""
        ...


class FreeSceneConfig(Config, frozen=True):
    """Nothing to configure."""


class FreeScene:
    """Nothing but a marker at the goal."""

    def __init__(self, config: FreeSceneConfig, seed: int = 0) -> None:
        self.config = config

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add the marker, a mocap body without contact."""
        marker = spec.worldbody.add_body(name="goal", mocap=True)
        marker.add_geom(
            type=mujoco.mjtGeom.mjGEOM_SPHERE,
            size=[0.02, 0.0, 0.0],
            rgba=[0.1, 0.7, 0.2, 0.6],
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

    def reseed(self, seed: int) -> None:
        """Nothing is drawn."""


@dataclass(frozen=True)
class SceneEntry:
    """A scene's configuration record and its constructor (config, seed of what it draws)."""

    config: type[Config]
    make: Callable[[Any, int], Scene]


SCENES: dict[str, SceneEntry] = {
    "free": SceneEntry(FreeSceneConfig, FreeScene),
    "door": SceneEntry(DoorSceneConfig, DoorScene),
}


def make_scene(name: str, values: Mapping[str, Any] | None = None, seed: int = 0) -> Scene:
    """The scene called `name`, configured from plain `values` (defaults where they are silent).

    Raises:
        UnknownNameError: listing the scenes there are, or the keys of the scene's configuration.
        ConfigError: a value of the wrong type or range.
    """
    if name not in SCENES:
        raise UnknownNameError("scene", name, SCENES)
    entry = SCENES[name]
    return entry.make(build(entry.config, values or {}, "simulator.scene"), seed)
