"""The page: the robots in 3D, what they do, the learning curves, the nodes' statuses, and the controls of a replay."""

from collections.abc import Sequence

import numpy as np
import viser
from viser import uplot

from naf_robot.core.records import FloatArray
from naf_robot.view.curves import MEAN_OF, Curves
from naf_robot.view.drawing import DrawnRobot
from naf_robot.view.playback import SPEEDS, Playback
from naf_robot.view.scene import Scene
from naf_robot.view.server import PageServer
from naf_robot.view.solids import Pose
from naf_robot.view.stored import StoredEpisode
from naf_robot.view.tables import heading, node_table, robot_card

PANEL_PX = 400
CHART_PX = 250
COLOURS = ("#1c7ed6", "#e8590c", "#2f9e44", "#9c36b5", "#0c8599", "#e03131", "#5f3dc4", "#a9772f")  # of robots
TEXT_PERIOD_S = 0.5  # text is read, not watched
PICTURE_PERIOD_S = 0.2
SUCCESS_RANGE = {"range": (-0.02, 1.05)}
VIEWED_FROM = (-0.8, -0.62, 0.62)  # behind the robots, from where they see their doors
NO_PICTURE = np.full((8, 8, 3), 230, dtype=np.uint8)


class Page:
    """Draws `scene` on `server`; nothing on it moves a robot."""

    def __init__(self, server: PageServer, scene: Scene, stored: bool) -> None:
        self.server, self.scene = server, scene
        self._curves = Curves(np.zeros(0), {}, np.zeros(0))
        self._episodes = 0
        self._text_s, self._picture_s = -np.inf, -np.inf
        server.gui.configure_theme(
            show_logo=False, show_share_button=False, dark_mode=False, brand_color=(28, 126, 214)
        )
        server.gui.set_panel_label("naf_robot")
        server.gui.main_panel.dock_right()
        server.gui.main_panel.set_width(PANEL_PX)
        self._heading = server.gui.add_html("")
        self.playback: PlaybackControls | None = None
        self._cards = {name: server.gui.add_html("") for name in scene.robots}
        self._cameras: dict[str, viser.GuiImageHandle] = {}
        learning = server.gui.add_panel()
        with learning.add_tab("Learning"):
            self._charts = Charts(server, tuple(scene.robots))
        learning.dock_left()
        learning.set_width(PANEL_PX)
        self._nodes: viser.GuiHtmlHandle | None = None
        if not stored:
            nodes = server.gui.add_panel()
            with nodes.add_tab("Nodes"):
                self._nodes = server.gui.add_html("")
            nodes.dock_below(server.gui.main_panel)
        self._set_up_scene()
        self._robots = {name: DrawnRobot(server, scene, name) for name in scene.robots}

    def _set_up_scene(self) -> None:
        places = [state.place for state in self.scene.robots.values()]
        middle = np.mean([pose.origin for pose in places], axis=0) + np.array((0.4, 0.0, 0.42))
        away = 1.2 + 0.65 * _spread(places)
        self.server.initial_camera.position = middle + away * np.array(VIEWED_FROM)
        self.server.initial_camera.look_at = middle
        self.server.scene.configure_default_lights(cast_shadow=True)
        self.server.scene.add_grid("/floor", infinite_grid=True, cell_size=0.25, section_size=1.0, fade_distance=10.0)

    def watched(self) -> bool:
        """Whether anybody looks at the page."""
        return bool(self.server.get_clients())

    def show_curves(self, curves: Curves, episodes: int) -> None:
        """New learning curves."""
        self._curves, self._episodes = curves, episodes
        self._charts.show(curves)

    def update(self, now_s: float) -> None:
        """Bring the page up to date with the scene."""
        with self.server.atomic():
            for robot in self._robots.values():
                robot.update(now_s)
            if now_s - self._text_s >= TEXT_PERIOD_S:
                self._text_s = now_s
                self._update_text(now_s)
            if now_s - self._picture_s >= PICTURE_PERIOD_S:
                self._picture_s = now_s
                self._update_cameras()

    def _update_text(self, now_s: float) -> None:
        _set(self._heading, heading(self.scene, self._curves.success, self._episodes))
        for name, card in self._cards.items():
            _set(card, robot_card(self.scene, name, now_s))
        if self._nodes is not None:
            _set(self._nodes, node_table(self.scene.nodes.all(), now_s))

    def _update_cameras(self) -> None:
        for name, state in self.scene.robots.items():
            if state.picture is None:
                continue
            if name not in self._cameras:
                self._cameras[name] = self.server.gui.add_image(NO_PICTURE, label=f"camera of {name}", format="jpeg")
            self._cameras[name].image = state.picture
            state.picture = None


class PlaybackControls:
    """Play, pause, speed and episode of a stored run, as the page has them; read in every round, never called back."""

    def __init__(self, server: PageServer, episodes: dict[str, list[StoredEpisode]]) -> None:
        self._episodes = episodes
        with server.gui.add_folder("Replay"):
            self._robot = server.gui.add_dropdown("Follow", tuple(episodes), hint="the others are shown at its time")
            last = max(len(own) for own in episodes.values()) - 1
            self._index = server.gui.add_slider("Episode", min=0, max=max(last, 1), step=1, initial_value=0)
            self._play = server.gui.add_checkbox("Play", initial_value=True)
            self._speed = server.gui.add_dropdown("Speed", SPEEDS, initial_value="1")
        self._shown = (self._robot.value, 0)
        self.playback = self._of(self._robot.value)

    def _of(self, robot: str) -> Playback:
        return Playback([episode.span for episode in self._episodes[robot]])

    def advance(self, passed_s: float) -> float:
        """Follow the controls and go on by `passed_s` of wall time; the instant to show."""
        robot, index = self._robot.value, int(self._index.value)
        if robot != self._shown[0]:
            self.playback = self._of(robot)
            self.playback.choose(index)
        elif index != self._shown[1]:
            self.playback.choose(index)
        self.playback.playing, self.playback.speed = bool(self._play.value), float(self._speed.value)
        self.playback.advance(passed_s)
        if self.playback.index != index:
            self._index.value = self.playback.index
        self._shown = (robot, self.playback.index)
        return self.playback.instant_s


class Charts:
    """Success and return over the episodes."""

    def __init__(self, server: PageServer, robots: tuple[str, ...]) -> None:
        self._robots = robots
        nothing = np.zeros(1)
        x = uplot.Series(label="episode")
        grey = {"stroke": "#868e96"}
        axes = ({**grey, "grid": {"show": True}}, {**grey, "size": 46, "grid": {"show": True}})
        self._success = server.gui.add_uplot(
            (nothing, nothing),
            (x, uplot.Series(label="success", stroke="#2b8a3e", width=2, fill="rgba(43,138,62,0.12)")),
            title="success rate of the newest evaluation episodes",
            scales={"x": {"time": False}, "y": SUCCESS_RANGE},
            axes=axes,
            height=CHART_PX,
        )
        self._returns = server.gui.add_uplot(
            (nothing, *(nothing for _ in robots)),
            (x, *(uplot.Series(label=name, stroke=colour_of(k), width=2) for k, name in enumerate(robots))),
            title=f"return, mean of {MEAN_OF} exploring episodes",
            scales={"x": {"time": False}},
            axes=axes,
            height=CHART_PX,
        )

    def show(self, curves: Curves) -> None:
        """Draw `curves`."""
        if len(curves.episode) == 0:
            return
        x = {"time": False, "range": _padded(curves.episode)}
        self._success.data = (curves.episode, curves.success)
        self._success.scales = {"x": x, "y": SUCCESS_RANGE}
        returns = [curves.returns[name] for name in self._robots]
        self._returns.data = (curves.episode, *returns)
        self._returns.scales = {"x": x, "y": {"range": _padded(np.concatenate(returns))}}


def colour_of(index: int) -> str:
    """The colour of a robot's curves."""
    return COLOURS[index % len(COLOURS)]


def _set(element: viser.GuiHtmlHandle, content: str) -> None:
    if element.content != content:
        element.content = content


def _padded(values: FloatArray) -> tuple[float, float]:
    """A range with some room around the known ones of `values`: a chart cannot find one where some are NaN."""
    known = values[~np.isnan(values)]
    if len(known) == 0:
        return (0.0, 1.0)
    room = 0.03 * max(float(np.ptp(known)), 1.0)
    return (float(known.min()) - room, float(known.max()) + room)


def _spread(places: Sequence[Pose]) -> float:
    """Largest distance between two robots [m]."""
    origins: FloatArray = np.array([pose.origin for pose in places])
    return float(np.linalg.norm(origins.max(axis=0) - origins.min(axis=0)))
