"""Between standard messages and arrays; joints are matched by name."""

from array import array
from collections.abc import Sequence

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray, MultiArrayDimension, MultiArrayLayout, UInt8MultiArray

from naf_robot.arm.model import joint_values
from naf_robot.core.records import FloatArray
from naf_robot.core.stamps import BILLION, seconds_of_stamp, stamp_of_seconds

STAMP_LABEL = "stamp_ns="
STATE_LABEL = "state_ns="


def seconds(stamp: Time) -> float:
    """A stamp as seconds; equal stamps give equal numbers, so they can be keys."""
    return seconds_of_stamp(stamp.sec, stamp.nanosec)


def seconds_of(nanoseconds: int) -> float:
    """Nanoseconds as `seconds` would give them for the same instant."""
    return seconds_of_stamp(*divmod(nanoseconds, BILLION))


def stamp(time_s: float) -> Time:
    """Seconds as a stamp, of which `seconds` makes the same number again."""
    sec, nanosec = stamp_of_seconds(time_s)
    return Time(sec=sec, nanosec=nanosec)


def joint_state(
    names: Sequence[str],
    time: Time,
    position: FloatArray | None = None,
    velocity: FloatArray | None = None,
    effort: FloatArray | None = None,
    sender: str = "",
) -> JointState:
    """A JointState of `names` with what is given; a desired velocity names its sender in `frame_id`."""
    message = JointState()
    message.header.frame_id = sender
    message.header.stamp = time
    message.name = list(names)
    if position is not None:
        message.position = array("d", position)
    if velocity is not None:
        message.velocity = array("d", velocity)
    if effort is not None:
        message.effort = array("d", effort)
    return message


def by_name(message: JointState, names: Sequence[str], values: Sequence[float]) -> FloatArray | None:
    """`values` of the message in the order of `names`; None where `joint_values.by_name` refuses them."""
    try:
        return joint_values.by_name(names, message.name, values, "joint values")
    except joint_values.RefusedMessage:
        return None


def command(velocity: FloatArray, answers: Time | None, judged_s: float | None = None) -> Float64MultiArray:
    """A velocity command, with the layout that `command_layout` makes."""
    message = Float64MultiArray()
    message.data = array("d", velocity)
    message.layout = command_layout(len(velocity), answers, judged_s)
    return message


def command_layout(size: int, answers: Time | None, judged_s: float | None = None) -> MultiArrayLayout:
    """A layout whose label names the request that a command answers, else the state it was computed from.

    ros2_control's forward controllers ignore the layout; the simulator in lockstep reads it.
    """
    label = ""
    if answers is not None:
        label = f"{STAMP_LABEL}{answers.sec * BILLION + answers.nanosec}"
    elif judged_s is not None:
        label = f"{STATE_LABEL}{round(judged_s * 1e9)}"
    return MultiArrayLayout(dim=[MultiArrayDimension(label=label, size=size, stride=size)])


def answered_ns(message: Float64MultiArray) -> int | None:
    """Stamp [ns] of the request that a command answers, None if the command names none."""
    return _labelled(message, STAMP_LABEL)


def judged_ns(message: Float64MultiArray) -> int | None:
    """Stamp [ns] of the state that a command was computed from, None if the command names none."""
    answered = answered_ns(message)
    return answered if answered is not None else _labelled(message, STATE_LABEL)


def _labelled(message: Float64MultiArray, name: str) -> int | None:
    label = message.layout.dim[0].label if message.layout.dim else ""
    digits = label.removeprefix(name)
    return int(digits) if label.startswith(name) and digits.isdigit() else None


def bytes_message(data: bytes) -> UInt8MultiArray:
    """Bytes as a message."""
    message = UInt8MultiArray()
    message.data = array("B", data)
    return message


def pose(position: FloatArray, time: Time, frame: str) -> PoseStamped:
    """A pose at `position` (3,) [m] in `frame`, not rotated."""
    message = PoseStamped()
    message.header.stamp = time
    message.header.frame_id = frame
    message.pose.position.x, message.pose.position.y, message.pose.position.z = (float(value) for value in position)
    message.pose.orientation.w = 1.0
    return message
