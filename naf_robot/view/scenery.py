"""What stands around a robot: its target, or its door. `register` adds how another scene is drawn, by the scene's name.

The door is the one that simulators build (`sim.scenes`): a real one is drawn with the same sizes.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from naf_robot.arm.model.visuals import Colour
from naf_robot.core.records import FloatArray
from naf_robot.core.registry import Registry
from naf_robot.run.config import RunConfig
from naf_robot.sensing import rotation
from naf_robot.sensing.signals import Signals
from naf_robot.sim.scenes import door_parts, pick_place_parts
from naf_robot.sim.scenes.registry import scene_config
from naf_robot.tasks.door_geometry import HINGE_AXIS, LEVER_AXIS
from naf_robot.view.solids import UPRIGHT, Body, Pose, Solid, about, capsule

TARGET_COLOUR: Colour = (0.1, 0.65, 0.3, 0.5)
CENTRE_COLOUR: Colour = (0.1, 0.65, 0.3, 1.0)
CENTRE_RADIUS = 0.012  # [m]
NO_RADIUS = 0.02  # [m] of a target whose task has no success distance
HERE = Pose(np.array(UPRIGHT), np.zeros(3))


class Scenery(Protocol):
    """Bodies around one robot, in its base frame."""

    bodies: tuple[Body, ...]

    def poses(self, goal: FloatArray | None, signals: Signals) -> Mapping[str, Pose]:
        """Where bodies are, by name, as far as the goal's position (3,) [m] and readings say; others are hidden."""
        ...

    def words(self, signals: Signals) -> str:
        """What the readings say, in words; "" for nothing."""
        ...


class Target:
    """A ball of the success distance around the point to reach."""

    def __init__(self, config: RunConfig) -> None:
        radius = float(config.task.get("success_distance", NO_RADIUS))
        balls = ((radius, TARGET_COLOUR), (min(CENTRE_RADIUS, radius / 2.0), CENTRE_COLOUR))
        self.bodies: tuple[Body, ...] = (
            Body("target", tuple(Solid("sphere", (size,), HERE, colour) for size, colour in balls)),
        )

    def poses(self, goal: FloatArray | None, signals: Signals) -> Mapping[str, Pose]:
        """The ball at the goal."""
        return {} if goal is None else {"target": Pose(np.array(UPRIGHT), goal)}

    def words(self, signals: Signals) -> str:
        """Nothing is sensed."""
        return ""


class Door:
    """Frame, panel and lever."""

    def __init__(self, config: RunConfig) -> None:
        scene = scene_config("door", config.simulator.scene)
        parts = door_parts.door_parts(scene, "panel", "bar")
        self._lever_axis = scene.geometry.lever_axis
        self._position = np.array(config.task.get("frame_position", scene.position), dtype=np.float64)
        self.bodies = tuple(
            Body(name, tuple(solid for each in solids for solid in _drawn(each)))
            for name, solids in (("door_frame", parts.frame), ("door_panel", parts.panel), ("door_lever", parts.lever))
        )

    def poses(self, goal: FloatArray | None, signals: Signals) -> Mapping[str, Pose]:
        """The door where the goal or the task says; its panel is closed as long as no angle is known."""
        place = self._position if goal is None else goal
        panel = about(HINGE_AXIS, door_angle(signals) or 0.0, place)
        turned = rotation.about_axis(HINGE_AXIS, door_angle(signals) or 0.0)
        axis = place + rotation.rotated(turned, self._lever_axis)
        handle = float(signals["handle_angle"][0]) if "handle_angle" in signals else 0.0
        x, y, z, w = rotation.product(turned, rotation.about_axis(LEVER_AXIS, handle))
        lever = Pose(np.array((w, x, y, z)), axis)
        return {"door_frame": Pose(np.array(UPRIGHT), place), "door_panel": panel, "door_lever": lever}

    def words(self, signals: Signals) -> str:
        """The angles in degrees."""
        angle = door_angle(signals)
        if angle is None:
            return "door: angle not known"
        lever = f", lever {_degrees(float(signals['handle_angle'][0]))}" if "handle_angle" in signals else ""
        return f"door {_degrees(angle)}{lever}"


class PickPlace(Target):
    """The target, and the stick where it is sensed; the string is not drawn, it changes its length."""

    def __init__(self, config: RunConfig) -> None:
        super().__init__(config)
        self._scene = scene_config("pick_place", config.simulator.scene)
        stick, _ = pick_place_parts.pick_place_solids(self._scene)
        self.bodies = (*self.bodies, Body("stick", tuple(_drawn(stick))))

    def poses(self, goal: FloatArray | None, signals: Signals) -> Mapping[str, Pose]:
        """The target at the goal; the stick hangs at rest as long as nothing is sensed."""
        middle, (x, y, z, w) = pick_place_parts.stick_pose(self._scene, signals)
        return {**super().poses(goal, signals), "stick": Pose(np.array((w, x, y, z)), middle)}


def door_angle(signals: Signals) -> float | None:
    """The hinge's angle [rad] as it is sensed, or as the door's orientation has it."""
    if "door_angle" in signals:
        return float(signals["door_angle"][0])
    if "door_orientation" in signals:
        return rotation.twist(signals["door_orientation"], HINGE_AXIS)
    return None


def _degrees(angle: float) -> str:
    return f"{round(float(np.degrees(angle))):d}°"


def _drawn(solid: door_parts.Solid) -> list[Solid]:
    if solid.shape == "capsule":
        return capsule(solid.start, solid.end, solid.radius, solid.colour)
    sides = tuple(2.0 * half for half in solid.half_size)
    return [Solid("box", sides, Pose(np.array(UPRIGHT), np.array(solid.start)), solid.colour)]


SCENERY: Registry[Callable[[RunConfig], Any]] = Registry(
    "scene", {"free": Target, "door": Door, "pick_place": PickPlace}, "the view"
)
register = SCENERY.register  # under the name of the scene's description in `sim.scenes.registry`


def scenery_of(config: RunConfig) -> Scenery:
    """What is drawn around the robots of `config`: of a scene that nobody has registered, the goal alone."""
    made: Scenery = SCENERY.get(config.make_task().scene, Target)(config)
    return made
