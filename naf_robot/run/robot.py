"""One robot of a run: its arm, its limits, where it stands, what moves it, and how it is commanded."""

import re

import msgspec

from naf_robot.arm.control.outputs import OUTPUTS
from naf_robot.arm.control.velocity_control import VelocityControlConfig
from naf_robot.arm.model.config import ArmConfig
from naf_robot.arm.projection.config import SafetyConfig
from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError
from naf_robot.core.finite import require_finite
from naf_robot.core.types import PositiveFloat, PositiveFraction
from naf_robot.sensing.video.config import CameraNodeConfig

DEFAULT_PROFILE = "arm7"
MAX_ROBOTS = 1000
DEFAULT_BACKEND = "mujoco"
REAL = "ros2_control"  # the backend that is no simulator
MISSED = 2.0  # control periods that a drive should wait for a command
SIMULATED_OUTPUT = "velocity"  # what the simulator's drives take
NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*_?")
READ_AS_SOMETHING_ELSE = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"}


class OutputConfig(Config, frozen=True):
    """How a real arm takes its commands."""

    kind: str = "velocity"  # kind of command that the arm's controller accepts: velocity, position or trajectory
    topic: str = ""  # topic of the controller's commands, in the robot's namespace; empty: the usual one of the kind


class DriverLaunchConfig(Config, frozen=True):
    """The maker's launch file, which `real.launch.py` starts; in texts {robot} is the robot's name, {share} the folder
    of this package's files."""

    package: str = ""  # ROS package of the launch file; empty: the driver is started manually
    file: str = ""  # launch file, in the folder launch of the package
    arguments: dict[str, str | bool | int | float] = msgspec.field(default_factory=dict)  # its arguments by name
    namespace: str = "/{robot}"  # namespace in which the driver then has its topics
    controllers: tuple[str, ...] = ()  # controllers that are loaded and activated besides

    def __post_init__(self) -> None:
        if bool(self.package) != bool(self.file):
            raise ConfigError("driver.launch needs both package and file, or neither")
        self.filled(self.namespace, "robot", "")
        self.words("robot", "")
        if not self.namespace.startswith("/"):
            raise ConfigError(f"driver.launch.namespace must begin with /, got {self.namespace!r}")

    def filled(self, text: str, robot: str, share: str) -> str:
        """`text` for one robot.

        Raises:
            ConfigError: something else than {robot} or {share} stands in braces.
        """
        try:
            return text.format(robot=robot, share=share)
        except (KeyError, IndexError, ValueError):
            raise ConfigError(f"driver.launch: in {text!r} only {{robot}} and {{share}} may stand in braces") from None

    def words(self, robot: str, share: str) -> list[str]:
        """The arguments for one robot as `name:=value`, as one gives them to `ros2 launch`."""
        texts = {name: str(v).lower() if isinstance(v, bool) else str(v) for name, v in self.arguments.items()}
        return [f"{name}:={self.filled(text, robot, share)}" for name, text in texts.items()]

    def place(self, robot: str) -> str:
        """The namespace for one robot, such as /left, / for none."""
        return "/" + self.filled(self.namespace, robot, "").strip("/")


class DriverConfig(Config, frozen=True):
    """The driver of a real arm; simulated arms have none."""

    joint_states: str = "joint_states"  # topic of the driver's joint states, in the robot's namespace unless it begins
    # with /
    controller: str = ""  # name of the controller's node, whose parameter `joints` is compared with arm.joints; empty:
    # what stands before the last / of the topic of commands
    timeout_s: PositiveFloat | None = None  # time without a command after which the driver or the drives stop the arm;
    # null: unknown, so none is counted on
    launch: DriverLaunchConfig = DriverLaunchConfig()

    def __post_init__(self) -> None:
        require_finite(self, "driver")


class RobotConfig(Config, frozen=True, kw_only=True):
    """Everything that belongs to one robot alone."""

    profile: str = DEFAULT_PROFILE  # profile that these values start from: a name below config/robots, or a path
    arm: ArmConfig
    safety: SafetyConfig
    velocity_control: VelocityControlConfig = VelocityControlConfig()
    base_pose: tuple[float, float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)  # x, y, z [m] and roll,
    # pitch, yaw in rad of the arm's base in frame world: for display, all control is in the base frame
    backend: str = DEFAULT_BACKEND  # what moves the arm: a simulator by its name in `sim.registry`, or ros2_control
    output: OutputConfig = OutputConfig()
    driver: DriverConfig = DriverConfig()
    camera: CameraNodeConfig = CameraNodeConfig()
    first_run_speed: PositiveFraction = 0.1  # factor on all speeds of a real arm in a run with first_run

    def __post_init__(self) -> None:
        if self.velocity_control.simulated_time:
            raise ConfigError("velocity_control.simulated_time follows simulated_time of the run; set that one")

    @property
    def real(self) -> bool:
        """Whether a driver moves it, and no simulator."""
        return self.backend == REAL

    @property
    def output_kind(self) -> str:
        """The kind of its commands; simulated arms take velocities, whatever the profile's real arm takes."""
        return self.output.kind if self.real else SIMULATED_OUTPUT

    @property
    def command_topic(self) -> str:
        """The topic of its commands, in its namespace.

        Raises:
            UnknownNameError: there is no such kind of output.
        """
        return (self.output.topic if self.real else "") or OUTPUTS[self.output_kind].default_topic

    @property
    def joint_states_topic(self) -> str:
        """The topic of its joint states, in its namespace unless it begins with /."""
        return self.driver.joint_states if self.real else DriverConfig().joint_states

    @property
    def controller(self) -> str:
        """The name of its controller's node, in its namespace unless it begins with /; "" where none is known."""
        return (self.driver.controller or self.command_topic.rpartition("/")[0]) if self.real else ""


def time_out_warning(robot: RobotConfig, period_s: float) -> str:
    """What to know of the time-out of a real arm's drives at control period `period_s` [s], "" if nothing."""
    timeout_s = robot.driver.timeout_s
    if timeout_s is None and robot.output_kind == SIMULATED_OUTPUT:
        return (
            "driver.timeout_s is not given: if velocity_control is killed, a velocity controller repeats its last "
            "command without end; use output kind trajectory, or configure a time-out of the driver and give it"
        )
    if timeout_s is not None and timeout_s < MISSED * period_s:
        return (
            f"driver.timeout_s {timeout_s:g} s is less than {MISSED:g} control periods of {period_s:g} s: the drives "
            "will stop the arm between commands"
        )
    return ""


SHARED = tuple(field.name for field in msgspec.structs.fields(RobotConfig))  # at the top level: for every robot


def robot_names(count: int) -> tuple[str, ...]:
    """The default names of `count` robots."""
    return tuple(f"robot_{index + 1}" for index in range(count))


def check_name(name: object) -> str:
    """`name` if a robot may be called so.

    Raises:
        ConfigError: it is no ROS namespace, or YAML and ROS parameters would read it as something else than text.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ConfigError(
            f"robot name {name!r} must be lower-case letters, digits and single underscores, beginning with a letter, "
            "such as left or robot_1"
        )
    if name in READ_AS_SOMETHING_ELSE:
        raise ConfigError(
            f"robot name {name!r} is read as another value by YAML and ROS parameters; choose a longer one"
        )
    return name


def parse_robots(value: object) -> tuple[str, ...]:
    """`2`, `left,right` or a list as robot names.

    Raises:
        ConfigError: neither a positive count nor different names.
    """
    if isinstance(value, str) and value.strip().lstrip("+-").isdigit():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= MAX_ROBOTS:
            raise ConfigError(f"robots must be a count from 1 to {MAX_ROBOTS} or names, got {value}")
        return robot_names(value)
    if isinstance(value, str):
        value = [name.strip() for name in value.split(",")]
    if not isinstance(value, (list, tuple)) or not value:
        raise ConfigError(
            f"robots must be a count or names in lower case separated by commas, such as 2 or left,right; got {value!r}"
        )
    names = tuple(check_name(name) for name in value)
    if len(set(names)) != len(names):
        raise ConfigError(f"robots must have different names, got {list(names)}")
    return names
