"""A stick that hangs on a string before the hand, and a marker at the place where it shall be brought."""

from naf_robot.core.config import Config
from naf_robot.core.types import NonNegativeFloat, PositiveFloat, UnitInterval, Vector3

Colour = tuple[UnitInterval, UnitInterval, UnitInterval, UnitInterval]
WOOD = (0.8, 0.62, 0.4, 1.0)
TWINE = (0.4, 0.4, 0.4, 1.0)


class PickPlaceSceneConfig(Config, frozen=True):
    """One stick, upright at rest."""

    stick_position: Vector3 = (0.55, 0.0, 0.5)  # [m], middle of the stick at rest, base frame
    stick_length: PositiveFloat = 0.16  # length of the stick [m]
    stick_radius: PositiveFloat = 0.015  # radius of the stick [m]
    stick_mass: PositiveFloat = 0.05  # mass of the stick [kg]
    stick_friction: PositiveFloat = 1.2  # sliding friction coefficient of the stick
    air_damping: NonNegativeFloat = 0.02  # [N s/m] and, about the stick's axes, a thousandth of it [N m s/rad]
    string_length: PositiveFloat = 0.5  # [m] from where the string is fixed to the stick's top; it carries no pressure
    string_radius: PositiveFloat = 0.002  # radius of the string as it is drawn [m]
    marker_radius: PositiveFloat = 0.02  # radius of the marker at the target, which nothing touches [m]
    marker_colour: Colour = (0.1, 0.7, 0.2, 0.6)  # red, green, blue and opacity of the marker, 0 to 1

    @property
    def anchor(self) -> Vector3:
        """Where the string is fixed (3,) [m], base frame."""
        x, y, z = self.stick_position
        return (x, y, z + self.stick_length / 2.0 + self.string_length)
