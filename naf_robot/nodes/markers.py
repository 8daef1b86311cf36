"""The safety state as RViz markers: sphere, tool, clipped command, fault text."""

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from naf_robot.arm.control.velocity_control import ControlOutput
from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.core.records import FloatArray

ARROW_SECONDS = 0.5  # an arrow is as long as the tool would move in this time

BLUE = ColorRGBA(r=0.2, g=0.5, b=1.0, a=0.15)
GREEN = ColorRGBA(r=0.1, g=0.8, b=0.2, a=1.0)
ORANGE = ColorRGBA(r=1.0, g=0.5, b=0.0, a=1.0)
RED = ColorRGBA(r=0.9, g=0.1, b=0.1, a=1.0)


def safety_markers(
    projection: SafetyProjection, position: FloatArray, output: ControlOutput | None, frame: str, now: Time
) -> MarkerArray:
    """Markers for the arm at joint `position` (n,) after `output`, in `frame` (the arm's base)."""
    sphere = projection.config.sphere
    tool, jacobian = projection.model.tool_jacobian(position)
    markers = [
        _marker(frame, now, "sphere", Marker.SPHERE, BLUE, sphere.centre, 2.0 * sphere.radius),
        _marker(frame, now, "tool", Marker.SPHERE, GREEN, tool, 0.03),
    ]
    if output is not None:
        if output.desired is not None:
            desired = tool + ARROW_SECONDS * jacobian @ output.desired
            markers.append(_arrow(frame, now, "desired", ORANGE, tool, desired))
        markers.append(_arrow(frame, now, "sent", GREEN, tool, tool + ARROW_SECONDS * jacobian @ output.velocity))
    text = _marker(frame, now, "fault", Marker.TEXT_VIEW_FACING, RED, sphere.centre, 0.06)
    text.text = output.fault if output is not None and output.fault is not None else ""
    text.action = Marker.ADD if text.text else Marker.DELETE
    return MarkerArray(markers=[*markers, text])


def _marker(
    frame: str, now: Time, name: str, kind: int, colour: ColorRGBA, centre: FloatArray | tuple[float, ...], size: float
) -> Marker:
    marker = Marker(ns=name, id=0, type=kind, action=Marker.ADD, color=colour)
    marker.header.frame_id, marker.header.stamp = frame, now
    marker.pose.position = _point(centre)
    marker.pose.orientation.w = 1.0
    marker.scale.x = marker.scale.y = marker.scale.z = size
    return marker


def _arrow(frame: str, now: Time, name: str, colour: ColorRGBA, start: FloatArray, end: FloatArray) -> Marker:
    marker = _marker(frame, now, name, Marker.ARROW, colour, (0.0, 0.0, 0.0), 0.01)
    marker.scale.y, marker.scale.z = 0.02, 0.03
    marker.points = [_point(start), _point(end)]
    return marker


def _point(values: FloatArray | tuple[float, ...]) -> Point:
    x, y, z = (float(value) for value in values)
    return Point(x=x, y=y, z=z)
