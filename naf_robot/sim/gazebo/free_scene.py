"""The scene `free`: nothing but a marker at the goal."""

from xml.etree.ElementTree import Element

import numpy as np

from naf_robot.core.config import Config
from naf_robot.core.records import FloatArray
from naf_robot.sensing.signals import Signals
from naf_robot.sim.gazebo.elements import add, add_colour
from naf_robot.sim.gazebo.server import ModelPlace, Models
from naf_robot.sim.scenes.registry import FreeSceneConfig

GOAL = "goal"
HIDDEN = (0.0, 0.0, -10.0)  # [m], where the marker is before the first goal


class FreeScene:
    """Implements `sim.gazebo.scenes.Scene`."""

    models = (GOAL,)

    def __init__(self, config: FreeSceneConfig, seed: int, number: int, physics_step_s: float) -> None:
        self._config = config
        self._goal: FloatArray = np.array(HIDDEN)
        self._moved = False
        self.frames: dict[str, str] = {}

    def build(self, world: Element) -> None:
        """Add the marker, which nothing touches."""
        model = add(world, "model", name=GOAL)
        add(model, "static", True)
        add(model, "pose", [*self._goal, 0.0, 0.0, 0.0])
        visual = add(add(model, "link", name=GOAL), "visual", name=GOAL)
        add(add(add(visual, "geometry"), "sphere"), "radius", self._config.marker_radius)
        add_colour(visual, self._config.marker_colour)

    def bind(self, server: Models) -> None:
        """Look up the marker."""
        self._marker = ModelPlace(server, GOAL)

    def place(self, goal_position: FloatArray | None, at_home: bool) -> bool:
        """Move the marker with the next step."""
        if goal_position is not None:
            self._goal, self._moved = np.asarray(goal_position, dtype=np.float64), True
        return False

    def hold(self) -> None:
        """Nothing moves by itself."""

    def before_step(self, time_s: float) -> None:
        """Nothing moves by itself."""
        if self._moved:
            self._marker.move(self._goal)
            self._moved = False

    def after_run(self) -> None:
        """Nothing to read."""

    def signals(self) -> Signals:
        """No sensors."""
        return {}

    def calibrations(self) -> dict[str, Config]:
        """No sensors."""
        return {}

    def reseed(self, seed: int) -> None:
        """Nothing is drawn."""
