"""What the door consists of: solids, joints and the place of the IMU, without any simulator's types.

Bodies and frames: the frame stands in the world with its origin on the hinge axis at the lever's height
(`tasks.door_geometry`); the panel turns on the frame about the hinge, with the same origin; the lever turns on the
panel about its axis at `DoorGeometry.lever_axis`. The door's parts do not collide with one another, only with the arm.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from naf_robot.core.types import Vector3
from naf_robot.sim.scenes.door import DoorSceneConfig
from naf_robot.tasks.door_geometry import HINGE_AXIS, LEVER_AXIS

POST = 0.02  # [m] half width of the frame's posts
GAP = 0.01  # [m] between frame and panel
LEVER_MASS = 0.25  # [kg]
NECK_SHARE = 0.4  # of the lever's mass; the bar has the rest
WOOD, METAL, WALL = (0.72, 0.55, 0.38, 1.0), (0.35, 0.37, 0.4, 1.0), (0.85, 0.85, 0.82, 1.0)

Colour = tuple[float, float, float, float]


@dataclass(frozen=True)
class Solid:
    """A box of `half_size` (3,) [m] about `start`, or a capsule of `radius` [m] from `start` to `end`."""

    shape: Literal["box", "capsule"]
    start: Vector3
    colour: Colour
    mass: float = 1.0  # [kg]; the frame does not move
    half_size: Vector3 = (0.0, 0.0, 0.0)
    end: Vector3 = (0.0, 0.0, 0.0)
    radius: float = 0.0
    name: str = ""  # of a solid whose size or friction varies


@dataclass(frozen=True)
class Hinge:
    """A joint about `axis` within `limits` [rad]; `armature` [kg m^2] keeps it stable."""

    axis: Vector3
    limits: tuple[float, float]
    armature: float


@dataclass(frozen=True)
class DoorParts:
    """The three bodies' solids, their joints and the IMU's place on the panel's back."""

    frame: tuple[Solid, ...]
    panel: tuple[Solid, ...]
    lever: tuple[Solid, ...]
    hinge: Hinge
    lever_hinge: Hinge
    imu_position: Vector3


def door_parts(config: DoorSceneConfig, panel_name: str, bar_name: str) -> DoorParts:
    """The parts of the door that `config` describes, with its nominal physics."""
    shape = config.geometry
    half = (shape.panel_thickness / 2.0, shape.panel_width / 2.0, shape.panel_height / 2.0)
    panel = Solid("box", (0.0, -half[1], 0.0), WOOD, mass=config.physics.panel_mass, half_size=half, name=panel_name)
    origin = (0.0, 0.0, 0.0)
    neck = Solid(
        "capsule",
        (shape.lever_distance, 0.0, 0.0),
        METAL,
        mass=NECK_SHARE * LEVER_MASS,
        end=origin,
        radius=shape.lever_radius,
    )
    bar = Solid(
        "capsule",
        origin,
        METAL,
        mass=(1.0 - NECK_SHARE) * LEVER_MASS,
        end=(0.0, shape.lever_length, 0.0),
        radius=shape.lever_radius,
        name=bar_name,
    )
    return DoorParts(
        frame=_frame(config),
        panel=(panel,),
        lever=(neck, bar),
        hinge=Hinge(HINGE_AXIS, config.hinge_range, 0.01),
        lever_hinge=Hinge(LEVER_AXIS, (0.0, np.pi / 2.0), 0.002),
        imu_position=(half[0], -0.75 * shape.panel_width, 0.1),
    )


def _frame(config: DoorSceneConfig) -> tuple[Solid, ...]:
    shape = config.geometry
    tall = shape.panel_height / 2.0
    post = (POST, POST, tall + 2.0 * POST + GAP)
    sides = [(0.0, y, 0.0) for y in (POST + GAP, -shape.panel_width - POST - GAP)]
    lintel = Solid(
        "box",
        (0.0, -shape.panel_width / 2.0, tall + POST + GAP),
        WALL,
        half_size=(POST, shape.panel_width / 2.0 + GAP, POST),
    )
    return (*(Solid("box", side, WALL, half_size=post) for side in sides), lintel)
