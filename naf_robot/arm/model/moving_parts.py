"""Where the links of an arm are at a joint position, as few parts as possible: for whoever draws it."""

import numpy as np
import pinocchio

from naf_robot.core.records import FloatArray


class MovingParts:
    """The parts of an arm that move as one: links that no moving joint separates. Part 0 stands still with the base."""

    def __init__(self, model: pinocchio.Model) -> None:
        self._model = model
        self._data = model.createData()

    @property
    def count(self) -> int:
        """Number of parts."""
        return int(self._model.njoints)

    def part_of(self, link: str) -> tuple[int, FloatArray]:
        """The part that `link` belongs to, and the link's placement in it (4, 4) [m]."""
        frame = self._model.frames[self._model.getFrameId(link, pinocchio.FrameType.BODY)]
        return int(frame.parentJoint), np.array(frame.placement.homogeneous)

    def poses(self, full_position: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Where the parts are in the base frame at a position in pinocchio's own order (`ArmModel.full_position`).

        Returns:
            Quaternions (count, 4), w first, and origins (count, 3) [m].
        """
        pinocchio.forwardKinematics(self._model, self._data, full_position)
        quaternions, origins = np.empty((self.count, 4)), np.empty((self.count, 3))
        for index, placed in enumerate(self._data.oMi):
            quaternions[index] = np.roll(pinocchio.Quaternion(placed.rotation).coeffs(), 1)
            origins[index] = placed.translation
        return quaternions, origins
