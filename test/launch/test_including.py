"""A user's launch file that includes ours: robots that learn, and what RViz needs beside them. Needs `launch_pytest`.

robot_state_publisher, which is C++, is stood in for by a node with its parameters (test/support/viewer_prefix.py).
"""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
pytest.importorskip("launch_ros", reason="launch is in no package registry; it comes with a ROS installation")
pytest.importorskip("launch_pytest", reason="launch_pytest is in no package registry; it comes with a ROS installation")
if pytest.version_tuple >= (8, 4):
    pytest.skip("launch_pytest of Jazzy knows pytest up to 8.3", allow_module_level=True)

import launch_pytest
from graph import find_child, graph
from launch import LaunchDescription
from launch.actions import GroupAction, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_pytest.actions import ReadyToTest
from launch_ros.actions import SetRemap
from std_msgs.msg import String
from viewer_prefix import viewer_prefix
from visualization_msgs.msg import MarkerArray

from naf_robot.bringup import launch_adapter
from naf_robot.core.resources import find
from naf_robot.nodes.qos import latched

pytestmark = [pytest.mark.ros, pytest.mark.timeout(300)]
SHORT = "task.episode_steps=40 trainer.learning_starts=60 collector.evaluation_period=2"
REMAP = ("external_wrench", "force_sensor/wrench")


def include(name: str, **arguments: str) -> GroupAction:
    """One of our launch files, as docs/launch.md includes it."""
    source = PythonLaunchDescriptionSource(str(find(f"launch/{name}.launch.py")))
    included = IncludeLaunchDescription(source, launch_arguments=arguments.items())
    return GroupAction([SetRemap(*REMAP), included])


@launch_pytest.fixture
def users_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LaunchDescription]:
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(viewer_prefix(tmp_path)))
    monkeypatch.setattr(launch_adapter, "HELD", [])
    monkeypatch.setattr(launch_adapter, "DOMAINS", {})
    run_dir = str(tmp_path / "run")
    return LaunchDescription(
        [
            include("train", robots="left,right", run_dir=run_dir, max_episodes="100000", restarts="2", settings=SHORT),
            include("inspect", run_dir=run_dir),
            ReadyToTest(),
        ]
    )


@pytest.mark.launch(fixture=users_file)
def test_robots_learn_and_are_shown_and_a_restarted_node_keeps_the_users_remapping(tmp_path: Path):
    frames: list[tuple[str, str]] = []
    markers: dict[str, MarkerArray] = {}
    episodes = tmp_path / "run" / "episodes.jsonl"
    with graph() as g:
        g.node.create_subscription(
            String, "/test/frames", lambda m: frames.extend(map(tuple, json.loads(m.data))), latched(10)
        )
        for name in ("left/safety/markers", "left/scene/markers", "right/scene/markers"):
            g.node.create_subscription(
                MarkerArray, f"/{name}", lambda m, name=name: markers.update({name: m}), latched()
            )
        g.wait_for(lambda: len(markers) == 3, 60.0, "markers of both robots")
        g.wait_for(lambda: {"left/base_link", "right/base_link"} <= {up for up, _ in frames}, 60.0, "frames of both")
        known = {frame for edge in frames for frame in edge}
        for name, message in markers.items():
            used = {marker.header.frame_id for marker in message.markers}
            assert used == {f"{name.partition('/')[0]}/base_link"}
            assert used <= known, "markers and model share a tree"
        placed = [json.loads(line) for line in (tmp_path / "tf2_ros").read_text().splitlines()]
        children = {words[words.index("--child-frame-id") + 1] for words in placed}
        assert children == {"left/base_link", "right/base_link"}
        first = find_child(os.getpid(), "naf_robot.nodes.collector", "left")
        os.kill(first, signal.SIGKILL)

        def again() -> int:
            try:
                return find_child(os.getpid(), "naf_robot.nodes.collector", "left")
            except AssertionError:
                return first

        g.wait_for(lambda: again() != first, 30.0, "it is started again")
        line = (Path("/proc") / str(again()) / "cmdline").read_text().split("\0")
        assert ":=".join(REMAP) in line
        count = len(episodes.read_text().splitlines()) if episodes.is_file() else 0
        g.wait_for(lambda: episodes.is_file() and len(episodes.read_text().splitlines()) > count + 4, 60.0, "episodes")
