"""Reaching for a target that is seen by a camera and not given as numbers."""

from naf_robot.core.array_spec import ArraySpec, ObservationSpec
from naf_robot.core.types import PositiveInt
from naf_robot.tasks.reach import Reach, ReachConfig


class ReachCameraConfig(ReachConfig, frozen=True):
    """As `ReachConfig`; the pictures have the size that the sensor `camera` gives."""

    picture_height: PositiveInt = 64  # rows of a picture; sensors.camera.height must be the same
    picture_width: PositiveInt = 64  # columns of a picture; sensors.camera.width must be the same


class ReachCamera(Reach):
    """`Reach` with a picture in the place of the target: where the target is must be learned from it.

    Reward and success are those of `Reach`; they are computed from the target, which on a real robot somebody has to
    measure while it learns, and which the policy never gets.
    """

    name = "reach_camera"
    sensors = ("camera",)
    required_signals = ("camera",)

    def __init__(self, config: ReachCameraConfig, joint_count: int) -> None:
        super().__init__(config, joint_count)
        without_target = tuple(array for array in self.observation_spec.arrays if array.name != "target")
        picture = ArraySpec("camera", (config.picture_height, config.picture_width, 3), dtype="uint8")
        self.observation_spec = ObservationSpec("reach_camera", (*without_target, picture))
