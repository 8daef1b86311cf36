"""Draws bodies and robots with viser; a node of the page moves only when its place has changed."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from naf_robot.arm.model.visuals import GREY, Colour
from naf_robot.core.errors import RobotModelError
from naf_robot.core.records import FloatArray
from naf_robot.view.meshes import glb_of
from naf_robot.view.scene import RobotState, Scene
from naf_robot.view.server import PageServer
from naf_robot.view.solids import Body, Pose, Solid
from naf_robot.view.statuses import ERROR, OK, STALE, WARNING

Rgb = tuple[int, int, int]
SPHERE_OPACITY = 0.13
SPHERE_COLOURS: dict[int, Rgb] = {
    OK: (40, 120, 255),
    WARNING: (240, 150, 0),
    ERROR: (220, 30, 30),
    STALE: (130, 130, 130),
}
TRAIL_COLOUR: Rgb = (235, 90, 20)
TRAIL_WIDTH = 0.006  # [m]
CLOSE_M, CLOSE_QUATERNION = 1e-5, 1e-5  # changes that nobody sees


def rgb(colour: Colour | None) -> Rgb:
    """A colour as bytes."""
    red, green, blue, _ = colour or GREY
    return (round(255 * red), round(255 * green), round(255 * blue))


class PlacedNode:
    """One node of the page's scene, and where it was last put."""

    def __init__(self, node: Any) -> None:
        self.node = node
        self._pose: Pose | None = None

    def put(self, pose: Pose) -> None:
        """Move it."""
        if self._pose is not None and _same(self._pose, pose):
            return
        self._pose = pose
        self.node.wxyz, self.node.position = pose.quaternion, pose.origin

    def show(self, visible: bool) -> None:
        """Show or hide it."""
        if self.node.visible != visible:
            self.node.visible = visible


def _same(one: Pose, other: Pose) -> bool:
    moved = np.abs(one.origin - other.origin).max() > CLOSE_M
    return not moved and bool(np.abs(one.quaternion - other.quaternion).max() < CLOSE_QUATERNION)


def draw_body(server: PageServer, name: str, body: Body, notes: list[str]) -> PlacedNode:
    """A body as the node `name`; meshes that cannot be drawn are left out and said in `notes`."""
    placed = PlacedNode(server.scene.add_frame(name, show_axes=False))
    for index, solid in enumerate(body.solids):
        try:
            _draw_solid(server, f"{name}/{index}", solid)
        except RobotModelError as error:
            if str(error) not in notes:
                notes.append(str(error))
    return placed


def _draw_solid(server: PageServer, name: str, solid: Solid) -> None:
    place = {"wxyz": solid.pose.quaternion, "position": solid.pose.origin}
    opacity = solid.colour[3] if solid.colour is not None and solid.colour[3] < 1.0 else None
    look: dict[str, Any] = {"color": rgb(solid.colour), "opacity": opacity, "cast_shadow": opacity is None}
    if solid.kind == "box":
        server.scene.add_box(name, dimensions=_three(solid.size), **look, **place)
    elif solid.kind == "sphere":
        server.scene.add_icosphere(name, radius=solid.size[0], subdivisions=3, **look, **place)
    elif solid.kind == "cylinder":
        server.scene.add_cylinder(name, radius=solid.size[0], height=solid.size[1], **look, **place)
    elif solid.file is not None:
        server.scene.add_glb(name, glb_of(solid.file, solid.colour), scale=_three(solid.size), **place)


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    x, y, z = values
    return (x, y, z)


class DrawnRobot:
    """One robot with its sphere, its scenery, its trail and its name."""

    def __init__(self, server: PageServer, scene: Scene, robot: str) -> None:
        self._scene, self._robot, self._server = scene, robot, server
        root, state = f"/{robot}", scene.robots[robot]
        PlacedNode(server.scene.add_frame(root, show_axes=False)).put(state.place)
        self._bodies = scene.bodies[robot]
        self._parts = [draw_body(server, f"{root}/{body.name}", body, scene.notes) for body in self._bodies.bodies]
        self._scenery = {
            body.name: draw_body(server, f"{root}/scene/{body.name}", body, scene.notes)
            for body in scene.scenery.bodies
        }
        sphere = scene.config.safety_of(robot).sphere
        self._sphere = server.scene.add_icosphere(
            f"{root}/sphere",
            radius=sphere.radius,
            color=SPHERE_COLOURS[OK],
            subdivisions=4,
            opacity=SPHERE_OPACITY,
            position=sphere.centre,
            cast_shadow=False,
            receive_shadow=False,
        )
        self._trail = server.scene.add_line_segments(
            f"{root}/trail", points=np.zeros((1, 2, 3)), colors=TRAIL_COLOUR, thickness=TRAIL_WIDTH, visible=False
        )
        self._trail_end: FloatArray | None = None
        x, y, z = sphere.centre
        above = (x, y, z + sphere.radius + 0.06)
        self._label = server.scene.add_label(f"{root}/name", robot, position=above, anchor="bottom-center")

    def update(self, now_s: float) -> None:
        """Bring it up to date with the scene's state."""
        state = self._scene.robots[self._robot]
        for part, pose in zip(self._parts, self._bodies.poses(state.position), strict=True):
            part.put(pose)
        places = self._scene.scenery.poses(state.goal, state.signals)
        for name, node in self._scenery.items():
            node.show(name in places)
            if name in places:
                node.put(places[name])
        colour = SPHERE_COLOURS[state.level(now_s)]
        if tuple(self._sphere.color) != colour:
            self._sphere.color = colour
        if self._label.text != (text := _label(self._robot, state)):
            self._label.text = text
        self._update_trail(state)

    def _update_trail(self, state: RobotState) -> None:
        points = np.array(state.trail)
        shown = len(points) > 1
        if self._trail.visible != shown:
            self._trail.visible = shown
        if shown and (self._trail_end is None or np.abs(points[[0, -1]] - self._trail_end).max() > CLOSE_M):
            self._trail_end = points[[0, -1]]
            self._trail.points = np.stack((points[:-1], points[1:]), axis=1).astype(np.float32)


def _label(robot: str, state: RobotState) -> str:
    if state.fault:
        return f"{robot}: fault: {state.fault[:80]}"
    return f"{robot}: held: {state.hold[:80]}" if state.hold else robot
