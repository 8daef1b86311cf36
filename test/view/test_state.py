"""What is shown of a run: the robots' states, the nodes' reports, the curves, the instant of a replay."""

import json
from pathlib import Path

import numpy as np
import pytest

from naf_robot.run.config import RunConfig, resolve
from naf_robot.view.curves import MAX_POINTS, CurveFile, curves_of
from naf_robot.view.playback import PAUSE_S, Playback, Span
from naf_robot.view.scene import STALE_S, TRAIL_POINTS, Scene
from naf_robot.view.statuses import ERROR, MAX_NODES, OK, SILENT_S, STALE, WARNING, NodeStatuses
from naf_robot.view.tables import heading, node_table, robot_card

ATTACK = '<img src=x onerror="alert(1)">'


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return resolve("reach", overrides=[{"robots": "left,right"}])


@pytest.fixture
def scene(config: RunConfig) -> Scene:
    return Scene(config, "run test")


def test_a_robot_is_stale_until_it_is_heard_of_and_when_it_falls_silent(scene: Scene):
    state = scene.robots["left"]
    assert state.level(0.0) == STALE
    scene.take_position("left", np.zeros(7), 10.0)
    assert state.level(10.0 + STALE_S / 2.0) == OK
    state.hold = "waits for an operator"
    assert state.level(10.0) == WARNING
    state.fault = "stopped"
    assert state.level(10.0) == ERROR
    state.fault = state.hold = ""
    assert state.level(10.1 + STALE_S) == STALE


def test_the_path_of_the_tool_is_kept_and_what_is_not_finite_is_not_drawn(scene: Scene):
    state = scene.robots["left"]
    for step in range(2 * TRAIL_POINTS):
        scene.take_position("left", np.full(7, 0.001 * step), float(step))
    before = state.position
    scene.take_position("left", np.full(7, np.nan), 1000.0)
    assert state.position is before
    assert len(state.trail) == TRAIL_POINTS
    np.testing.assert_allclose(state.trail[-1], scene.bodies["left"].tool_position(before))


def test_robots_stand_where_base_pose_says_else_side_by_side(config: RunConfig):
    beside = Scene(config, "")
    assert np.linalg.norm(beside.robots["left"].place.origin - beside.robots["right"].place.origin) > 1.0
    assert "side by side" in " ".join(beside.notes)
    poses = {"left": {"base_pose": [0, 1, 0, 0, 0, 1.5708]}, "right": {"base_pose": [0, -1, 0.2, 0, 0, 0]}}
    given = Scene(resolve("reach", overrides=[{"robots": poses}]), "")
    np.testing.assert_allclose(given.robots["right"].place.origin, [0, -1, 0.2])
    np.testing.assert_allclose(given.robots["left"].place.quaternion, [0.7071, 0, 0, 0.7071], atol=1e-4)
    assert given.notes == []


def test_the_collectors_report_is_the_robots_caption(scene: Scene):
    scene.take_status("/left/collector", OK, "running an episode", {"policy version": "7"}, 0.0)
    scene.take_status("/elsewhere/collector", OK, "another fleet's", {}, 0.0)
    assert (scene.robots["left"].caption, scene.robots["left"].policy_version) == ("running an episode", "7")
    assert scene.robots["right"].caption == ""


def test_a_collector_that_needs_help_makes_its_robot_red(scene: Scene):
    scene.take_position("left", np.zeros(7), 0.0)
    for level in (ERROR, WARNING, OK):
        scene.take_status("/left/collector", level, "needs help", {}, 0.0)
        assert scene.robots["left"].level(0.0) == level


def test_nodes_that_fall_silent_are_stale_and_their_number_is_bounded():
    nodes = NodeStatuses()
    for number in range(2 * MAX_NODES):
        nodes.take(f"/node_{number}", 200, "x" * 10_000, {}, 0.0)
    assert len(nodes.all()) == MAX_NODES
    assert nodes.all()[0].level == STALE
    nodes.take("/node_0", ERROR, "broken", {}, 1.0)
    (status,) = [each for each in nodes.all() if each.name == "/node_0"]
    assert (status.level_at(1.0), status.level_at(1.1 + SILENT_S)) == (ERROR, STALE)


def test_nothing_from_outside_becomes_part_of_the_page(scene: Scene):
    state = scene.robots["left"]
    state.fault = state.hold = state.caption = state.policy_version = scene.heading = ATTACK
    scene.notes.append(ATTACK)
    scene.take_status(f"/left/{ATTACK}", WARNING, ATTACK, {}, 0.0)
    for node in ("collector", "velocity_control"):
        scene.take_status(f"/left/{node}", WARNING, ATTACK, {"rate [Hz]": ATTACK, "policy version": ATTACK}, 0.0)
    state.fault = ""
    texts = [robot_card(scene, "left", 0.0), node_table(scene.nodes.all(), 0.0), heading(scene, np.zeros(0), 0)]
    state.fault = ATTACK
    for text in [*texts, robot_card(scene, "left", 0.0)]:
        assert "&lt;img" in text
        assert "<img" not in text


def test_the_card_says_what_holds_a_robot(scene: Scene):
    scene.robots["right"].fault = "joint 3 is beyond its limit"
    card = robot_card(scene, "right", 0.0)
    assert "error" in card
    assert "joint 3 is beyond its limit" in card


def record(index: int, robot: str, greedy: bool, value: float, success: bool = False) -> dict:
    return {"index": index, "robot": robot, "greedy": greedy, "episode_return": value, "success": success}


def test_curves_are_means_of_the_newest_episodes():
    episodes = [record(1, "left", False, -4.0), record(2, "right", False, -8.0), record(3, "left", False, -2.0)]
    episodes += [record(4, "left", True, 0.0, True), record(5, "left", True, 0.0, False)]
    curves = curves_of(episodes, ("left", "right"))
    np.testing.assert_allclose(curves.episode, [1, 2, 3, 4, 5])
    np.testing.assert_allclose(curves.returns["left"], [-4, -4, -3, -3, -3])
    np.testing.assert_allclose(curves.returns["right"], [np.nan, -8, -8, -8, -8])
    np.testing.assert_allclose(curves.success, [np.nan, np.nan, np.nan, 1.0, 0.5])


def test_curves_of_a_long_run_have_a_bounded_number_of_points_and_end_with_the_newest():
    curves = curves_of([record(k, "left", False, float(k)) for k in range(1, 5001)], ("left",))
    assert len(curves.episode) == MAX_POINTS
    assert curves.returns["left"][-1] == pytest.approx(np.mean(np.arange(4991, 5001)))
    assert len(curves_of([], ("left",)).episode) == 0


def test_the_curves_grow_with_the_file_and_a_line_that_is_being_written_does_no_harm(tmp_path: Path):
    curves, path = CurveFile(tmp_path, ("left",)), tmp_path / "episodes.jsonl"
    assert curves.read() is None
    line = json.dumps(record(1, "left", False, -1.0))
    path.write_text(f"{line}\n{line[:20]}")
    first = curves.read()
    assert first is not None
    assert len(first.episode) == 1
    assert curves.read() is None
    path.write_text(f"{line}\n{line}\n")
    second = curves.read()
    assert second is not None
    assert len(second.episode) == 2


def test_a_replay_runs_pauses_goes_on_to_the_next_episode_and_begins_again():
    playback = Playback([Span(10.0, 12.0), Span(20.0, 21.0)])
    playback.advance(0.5)
    assert playback.instant_s == 10.5
    playback.playing = False
    playback.advance(5.0)
    assert playback.instant_s == 10.5
    playback.playing, playback.speed = True, 4.0
    playback.advance(0.5)
    assert (playback.index, playback.instant_s) == (0, 12.0)
    playback.advance(PAUSE_S)
    assert (playback.index, playback.instant_s) == (1, 20.0)
    playback.choose(99)
    assert playback.index == 1
    playback.speed = 1.0
    playback.advance(1.1 + PAUSE_S)
    assert (playback.index, playback.instant_s) == (0, 10.0)
