"""What stick and string look like, and where they are, without any simulator's types."""

import numpy as np

from naf_robot.core.records import FloatArray
from naf_robot.sensing import rotation
from naf_robot.sensing.geometry_poses import POSITION, ROTATION
from naf_robot.sensing.signals import Signals
from naf_robot.sim.scenes.door_parts import Solid
from naf_robot.sim.scenes.pick_place import TWINE, WOOD, PickPlaceSceneConfig
from naf_robot.tasks.pick_place import STICK

UPRIGHT = (0.0, 0.0, 0.0, 1.0)  # x, y, z, w


def pick_place_solids(config: PickPlaceSceneConfig) -> tuple[Solid, Solid]:
    """The stick about its middle along its z axis, and the string at rest from the stick's top."""
    half = config.stick_length / 2.0 - config.stick_radius
    stick = Solid(
        "capsule", (0.0, 0.0, -half), WOOD, config.stick_mass, end=(0.0, 0.0, half), radius=config.stick_radius
    )
    end = (0.0, 0.0, config.string_length)
    return stick, Solid("capsule", (0.0, 0.0, 0.0), TWINE, 0.0, end=end, radius=config.string_radius)


def stick_pose(config: PickPlaceSceneConfig, signals: Signals) -> tuple[FloatArray, FloatArray]:
    """Middle (3,) [m] and orientation (4,) of the stick as `signals` say, else at rest."""
    if STICK + POSITION not in signals or STICK + ROTATION not in signals:
        return np.array(config.stick_position), np.array(UPRIGHT)
    matrix = np.asarray(signals[STICK + ROTATION], dtype=np.float64).reshape(3, 3)
    return np.asarray(signals[STICK + POSITION], dtype=np.float64), rotation.from_matrix(matrix)
