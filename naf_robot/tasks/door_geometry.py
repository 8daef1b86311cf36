"""Shape of the door: what the simulated model is built from and what the tasks must know of it."""

from typing import Annotated

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError
from naf_robot.core.types import Vector3

HINGE_AXIS = (0.0, 0.0, -1.0)  # base frame; positive angles bring the free edge towards the robot
LEVER_AXIS = (-1.0, 0.0, 0.0)  # panel frame; positive angles turn the lever down

Length = Annotated[float, msgspec.Meta(gt=0.0, le=5.0)]  # [m]


class DoorGeometry(Config, frozen=True):
    """Lengths [m] in the door's frame: origin on the hinge axis at the lever's height.

    The robot stands on the -x side and z is up. The closed panel lies in the y-z plane and reaches
    from the hinge to -y; the lever is before it, on the robot's side, and points to the hinge.
    """

    panel_width: Length = 0.42  # width of the panel [m]
    panel_height: Length = 0.7  # height of the panel [m]
    panel_thickness: Length = 0.04  # thickness of the panel [m]
    lever_length: Length = 0.13  # length of the lever [m]
    lever_radius: Length = 0.01  # radius of the lever [m]
    lever_distance: Length = 0.07  # distance of the lever's middle line from the panel's face
    lever_backset: Length = 0.04  # distance of the lever's axis from the panel's free edge
    grip: Length = 0.1  # along the lever from its axis: the point that the tool is drawn to

    def __post_init__(self) -> None:
        if not self.grip <= self.lever_length <= self.panel_width - self.lever_backset:
            raise ConfigError(
                f"the door needs grip <= lever_length <= panel_width - lever_backset, got {self.grip}, "
                f"{self.lever_length}, {self.panel_width - self.lever_backset} m"
            )

    @property
    def lever_axis(self) -> Vector3:
        """Where the lever's axis meets its middle line (3,)."""
        return (-self.panel_thickness / 2.0 - self.lever_distance, self.lever_backset - self.panel_width, 0.0)

    @property
    def handle_rest(self) -> Vector3:
        """The grip of the resting handle (3,)."""
        x, y, z = self.lever_axis
        return (x, y + self.grip, z)
