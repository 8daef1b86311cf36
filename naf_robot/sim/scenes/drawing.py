"""What of a scene is drawn, for viewers: solids where the signals say that they are. Scenes by their names."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from naf_robot.core.records import FloatArray
from naf_robot.core.registry import Registry
from naf_robot.sensing import rotation
from naf_robot.sensing.signals import Signals
from naf_robot.sim.scenes.door import DoorSceneConfig
from naf_robot.sim.scenes.door_parts import Solid, door_parts
from naf_robot.sim.scenes.pick_place import PickPlaceSceneConfig
from naf_robot.sim.scenes.pick_place_parts import UPRIGHT, pick_place_solids, stick_pose
from naf_robot.tasks.door_geometry import HINGE_AXIS, LEVER_AXIS


@dataclass(frozen=True)
class PlacedSolid:
    """`solid` in a frame of its own at `position` (3,) [m], turned by the quaternion `turn` (4,), in the base frame."""

    name: str  # of the body that it belongs to
    solid: Solid
    position: FloatArray
    turn: FloatArray

    def point(self, local: object) -> FloatArray:
        """A point (3,) of the solid's own frame in the base frame [m]."""
        return self.position + rotation.rotated(self.turn, np.asarray(local, dtype=np.float64))


Draw = Callable[[Any, FloatArray, Signals], list[PlacedSolid]]


def draw_nothing(config: object, place: FloatArray, signals: Signals) -> list[PlacedSolid]:
    """An empty scene: the goal has a marker of its own."""
    return []


def draw_door(config: DoorSceneConfig, place: FloatArray, signals: Signals) -> list[PlacedSolid]:
    """The door whose frame is at `place` (3,) [m], closed and its lever at rest where no signal says otherwise."""
    closed = np.zeros(1)
    parts = door_parts(config, "panel", "bar")
    turn = rotation.about_axis(HINGE_AXIS, float(signals.get("door_angle", closed)[0]))
    handle = rotation.about_axis(LEVER_AXIS, float(signals.get("handle_angle", closed)[0]))
    lever = np.asarray(place) + rotation.rotated(turn, config.geometry.lever_axis)
    bodies = (
        ("door_frame", parts.frame, place, rotation.about_axis(HINGE_AXIS, 0.0)),
        ("door_panel", parts.panel, place, turn),
        ("door_lever", parts.lever, lever, rotation.product(turn, handle)),
    )
    return [
        PlacedSolid(name, solid, np.asarray(position, dtype=np.float64), quaternion)
        for name, solids, position, quaternion in bodies
        for solid in solids
    ]


def draw_pick_place(config: PickPlaceSceneConfig, place: FloatArray, signals: Signals) -> list[PlacedSolid]:
    """The stick where it is sensed, at rest where no signal says otherwise, and its string to where that is fixed."""
    middle, turn = stick_pose(config, signals)
    stick, string = pick_place_solids(config)
    top = middle + rotation.rotated(turn, np.array([0.0, 0.0, config.stick_length / 2.0]))
    way = np.asarray(config.anchor) - top
    return [
        PlacedSolid("stick", stick, middle, turn),
        PlacedSolid("string", replace(string, end=tuple(way.tolist())), top, np.array(UPRIGHT)),
    ]


DRAWINGS: Registry[Draw] = Registry(
    "drawing of scene", {"free": draw_nothing, "door": draw_door, "pick_place": draw_pick_place}
)
register = DRAWINGS.register
