"""Which arm: its URDF, the joints that are controlled, the tool frame and the home posture."""

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError
from naf_robot.core.finite import require_finite
from naf_robot.core.resources import find
from naf_robot.core.types import FilePath


class ArmConfig(Config, frozen=True):
    """Description of one arm; the order of `joints` is the order of every joint array."""

    urdf: FilePath  # description of the arm; relative to the file that gives it, or a path of the package
    tool_frame: str  # link of the URDF whose origin is the tool
    joints: tuple[str, ...]  # names of the controlled joints, in the order of all arrays
    home: tuple[float, ...]  # [rad], posture in which every episode starts, one value per joint

    def __post_init__(self) -> None:
        require_finite(self, "arm")
        if len(self.home) != len(self.joints):
            raise ConfigError(
                f"arm.home must have one position for each of the {len(self.joints)} joints, got {len(self.home)}"
            )

    def model(self) -> ArmModel:
        """Load the kinematics that this description names."""
        return ArmModel(find(self.urdf), self.tool_frame, self.joints)
