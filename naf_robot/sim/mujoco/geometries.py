"""Poses of named geometries in MuJoCo: the collision shapes that a description or a scene gives a name."""

import mujoco
import numpy as np

from naf_robot.core.errors import UnknownNameError
from naf_robot.sensing.geometry_poses import signals_of
from naf_robot.sensing.signals import Signals


class SensedGeometries:
    """What the sensor `geometry_poses` gives of one compiled model.

    Raises:
        UnknownNameError: a geometry that the model does not have; those that it has are listed.
    """

    def __init__(self, model: mujoco.MjModel, names: tuple[str, ...]) -> None:
        known = [name for number in range(model.ngeom) if (name := model.geom(number).name)]
        for name in names:
            if name not in known:
                raise UnknownNameError("geometry", name, known, "sensors.geometry_poses")
        self._names = names
        self._numbers = np.array([model.geom(name).id for name in names])

    def signals(self, data: mujoco.MjData) -> Signals:
        """Positions and rotation matrices now."""
        return signals_of(self._names, data.geom_xpos[self._numbers], data.geom_xmat[self._numbers])
