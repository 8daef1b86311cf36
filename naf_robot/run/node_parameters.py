"""Every ROS parameter of every executable, in one table: nodes declare it, and a page is made of it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.field_descriptions import comments_of
from naf_robot.sensing.video.config import CameraNodeConfig

Value = str | bool | int | float | list[str] | list[int] | list[float]
KINDS = {str: "string", bool: "bool", int: "integer", float: "double"}


class NodeParameter(NamedTuple):
    """One parameter. Those whose value is `found` show what the run's configuration says, and cannot be given."""

    name: str
    default: Value
    text: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    found: bool = False
    dynamic: bool = False  # may be set while the node runs; every other one is read-only

    @property
    def kind(self) -> str:
        """Its type, as ROS names it."""
        if isinstance(self.default, list):
            return f"{KINDS[type(self.default[0])]} array"
        return KINDS[type(self.default)]

    @property
    def range(self) -> str:
        """The values that are allowed, in words; "" for all."""
        if self.choices:
            return " or ".join(f"`{choice}`" for choice in self.choices)
        if self.low is None:
            return ""
        return f"{self.low:g} to {self.high:g}" if self.high is not None else f"at least {self.low:g}"

    def refusal(self, value: object) -> str | None:
        """Why `value` of the right type is not allowed, as the end of a sentence, or None."""
        values = value if isinstance(value, (list, tuple)) else [value]
        if self.choices:
            good = all(each in self.choices for each in values)
            return None if good else f"must be {' or '.join(self.choices)}, got {value!r}"
        for each in values:
            if isinstance(each, (int, float)) and self.low is not None:
                high = float("inf") if self.high is None else self.high
                if not self.low <= each <= high:
                    return f"must be {self.range}, got {value!r}"
        return None


def shown(name: str, example: Value, text: str) -> NodeParameter:
    """A parameter that shows what the run's configuration says; `example` gives its type."""
    return NodeParameter(name, example, text, found=True)


def parameters_of(record: type[Config]) -> Iterator[NodeParameter]:
    """A parameter for each field of a configuration record, with its default, range and meaning; null is ""."""
    comments = comments_of(record)
    for field in msgspec.structs.fields(record):
        metas = [each for each in getattr(field.type, "__metadata__", ()) if isinstance(each, msgspec.Meta)]
        bounds = {name: value for each in metas for name in ("ge", "le") if (value := getattr(each, name)) is not None}
        default: Any = "" if field.default is None else field.default
        text = comments[field.name].replace("null:", "empty:")
        yield NodeParameter(field.name, default, text, bounds.get("ge"), bounds.get("le"))


CONFIG = NodeParameter("config", "", "path of the run's config.yaml; everything else of a run is in it")
EXECUTOR = NodeParameter(
    "executor",
    "events",
    "rclpy executor of the node; events takes half the processor time of the other",
    choices=("events", "single_threaded"),
)
ROBOT = NodeParameter("robot", "", "name of the robot, one of the run; empty: the node's namespace")
AUTOSTART = NodeParameter(
    "autostart", True, "whether it configures and activates itself; else a lifecycle manager does"
)
PERIOD = shown("control_period_s", 0.0, "control period [s]")
JOINTS = shown("joints", [""], "joints of the arm, in its order")
TASK = shown("task", "", "task of the run")

OF_ALL = (CONFIG, EXECUTOR)
PARAMETERS: dict[str, tuple[NodeParameter, ...]] = {
    "velocity_control": (
        ROBOT,
        AUTOSTART,
        NodeParameter(
            "speed",
            1.0,
            "share of each desired velocity that is asked of the arm; recorded executed velocities follow it",
            0.0,
            1.0,
            dynamic=True,
        ),
        PERIOD,
        JOINTS,
        shown("max_velocity", [0.0], "velocity limits in force, of each joint [rad/s]"),
        shown("max_acceleration", [0.0], "acceleration limits in force, of each joint [rad/s^2]"),
        shown("min_position", [0.0], "lower position limits of the joints [rad]"),
        shown("max_position", [0.0], "upper position limits of the joints [rad]"),
        shown("sphere.centre", [0.0], "centre of the sphere that the tool stays in, in the base frame [m]"),
        shown("sphere.radius", 0.0, "radius of that sphere [m]"),
        shown("command_topic", "", "topic of the commands, in the robot's namespace"),
        shown("output_kind", "", "kind of the commands: velocity, position or trajectory"),
        shown("real", False, "whether the arm is real, and waits for an operator"),
    ),
    "collector": (
        ROBOT,
        AUTOSTART,
        TASK,
        PERIOD,
        JOINTS,
        shown("home", [0.0], "posture in which episodes begin, of each joint [rad]"),
        shown("episode_steps", 0, "control periods of an episode"),
        shown(
            "max_policy_age_s", 0.0, "time without a message from the trainer, after which the robot holds still [s]"
        ),
    ),
    "trainer": (
        TASK,
        shown("algorithm", "", "algorithm that learns it"),
        shown("robots", [""], "robots whose experience is taken"),
        shown("seed", 0, "seed of all random numbers"),
    ),
    "simulator": (
        shown("robots", [""], "robots that are simulated"),
        PERIOD,
        NodeParameter(
            "real_time_factor",
            0.0,
            "speed of the simulation: 1 is real time, 0 is as fast as the robots answer; at first that of the run",
            0.0,
            found=True,
            dynamic=True,
        ),
    ),
    "scene_markers": (ROBOT,),
    "experience_publisher": (),
    "recorder": (ROBOT, shown("bag", "", "folder of the bag, in the run folder")),
    "view": (
        NodeParameter("host", "127.0.0.1", "address that the page is served at"),
        NodeParameter("port", 0, "port that it is served at; 0: a free one", 0, 65535),
    ),
    "camera": (ROBOT, *parameters_of(CameraNodeConfig)),
    "door_sensor": (ROBOT, shown("calibration", "", "path of the calibration's file, in the run folder")),
    "lifecycle": (NodeParameter("nodes", [""], "full names of the managed nodes to configure and activate"),),
    "driver_check": (ROBOT, NodeParameter("move", False, "whether each joint may be moved a little")),
    "teleop": (
        ROBOT,
        NodeParameter("intervene", False, "the collector stays the sender, and follows the operator within an episode"),
        NodeParameter("joy", "", "topic of a joystick, sensor_msgs/Joy; empty: keys alone"),
        NodeParameter("joy_deadman", 4, "button that must be held, counted from 0", 0, 99),
        NodeParameter(
            "joy_axes", [1, 0, 4, -1, -1, 3], "six axes: of x, y, z and of turns about them, -1 for none", -1, 99
        ),
    ),
}

HEAD = """# Parameters

Every ROS parameter of every executable, made from their table by `naf-robot config --parameters > docs/parameters.md`;
do not edit. `ros2 param describe` says the same of a node that runs.

What a run consists of is in its `config.yaml`, so that all processes use the same values
([configuration](configuration.md)); the parameters say where that is. Those marked *shown* say what follows from it,
for whoever looks at a node with `ros2 param get`; they cannot be given. All but those marked *may change* are
read-only. A wrong type or value ends the node before it does anything, with one sentence. `use_sim_time` has its usual
meaning.

`speed` slows down an arm that is watched: desired velocities are scaled before the safety projection, whose limits stay
as they are. The policy then asks for more than is done; the recorded experience says both.
"""


def declared_by(executable: str) -> tuple[NodeParameter, ...]:
    """The parameters of an executable, also of one from outside this package."""
    return (*OF_ALL, *PARAMETERS.get(executable, ()))


def parameters_page() -> str:
    """The page as Markdown."""
    return "\n".join([HEAD, *_section("Every executable", OF_ALL), *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    for name in sorted(PARAMETERS):
        yield from _section(name, PARAMETERS[name])


def _section(title: str, parameters: tuple[NodeParameter, ...]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| parameter | type | default | range | meaning |\n|---|---|---|---|---|"
    for each in parameters:
        default = "*shown*" if each.found else f"`{each.default}`" if each.default not in ("", [""]) else "empty"
        text = f"{each.text} (*may change*)" if each.dynamic else each.text
        yield f"| `{each.name}` | {each.kind} | {default} | {each.range} | {text} |"
    yield ""
