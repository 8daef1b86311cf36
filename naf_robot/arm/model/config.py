"""Which arm: its URDF, the joints that are controlled, the tool frame and the home posture."""

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError
from naf_robot.core.finite import require_finite
from naf_robot.core.resources import find
from naf_robot.core.types import FilePath


class ArmConfig(Config, frozen=True):
    """Description of one arm; the order of `joints` is the order of every joint array."""

    urdf: FilePath  # of the arm; relative to the file that gives it, or a path of the package
    tool_frame: str  # the URDF's link that acts
    joints: tuple[str, ...]  # that are controlled
    home: tuple[float, ...]  # [rad], where every episode starts

    def __post_init__(self) -> None:
        require_finite(self, "arm")
        if len(self.home) != len(self.joints):
            raise ConfigError(
                f"arm.home must have one position for each of the {len(self.joints)} joints, got {len(self.home)}"
            )

    def model(self) -> ArmModel:
        """Load the kinematics that this description names."""
        return ArmModel(find(self.urdf), self.tool_frame, self.joints)
