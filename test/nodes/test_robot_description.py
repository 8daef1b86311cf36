"""A description from a topic: read before a run has a folder, and kept in it."""

from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")

from graph import Graph
from std_msgs.msg import String

from naf_robot.bringup.training import SystemOptions, prepare
from naf_robot.core.errors import RobotModelError
from naf_robot.core.resources import find
from naf_robot.nodes.qos import latched
from naf_robot.run import description_topics
from naf_robot.run.config import load, resolve

TOPIC = "topic:///left/robot_description"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")


def profile(folder: Path) -> Path:
    own = resolve("reach").robot("robot_1")
    path = folder / "profile.yaml"
    path.write_text(
        f"arm: {{urdf: '{TOPIC}', tool_frame: tool, joints: {list(own.arm.joints)}, home: {list(own.arm.home)}}}\n"
        "safety: {sphere: {centre: [0.5, 0.0, 0.42], radius: 0.35}}\n"
    )
    return path


@pytest.mark.ros
def test_a_run_begins_with_what_the_topic_says_and_keeps_it(tmp_path: Path):
    graph = Graph()
    try:
        publisher = graph.node.create_publisher(String, "/left/robot_description", latched())
        publisher.publish(String(data=find("urdf/arm7.urdf").read_text()))
        options = SystemOptions(run_dir=str(tmp_path / "run"), robots="left,right", robot=str(profile(tmp_path)))
        prepare(options).lock.release()
    finally:
        graph.close()
    for file in (tmp_path / "cache").rglob("*.urdf"):
        file.unlink()
    arms = [load(tmp_path / "run" / "config.yaml").robot(name).arm for name in ("left", "right")]
    assert Path(arms[0].urdf).parent == tmp_path / "run" / description_topics.FOLDER
    assert arms[0] == arms[1]
    assert arms[0].description().fingerprint() == resolve("reach").robot("robot_1").arm.description().fingerprint()
    prepare(SystemOptions(resume=str(tmp_path / "run"))).lock.release()


@pytest.mark.ros
def test_a_topic_without_a_publisher_is_one_sentence_and_nothing_is_written(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(description_topics, "TIMEOUT_S", 0.5)
    options = SystemOptions(run_dir=str(tmp_path / "run"), robots="left", robot=str(profile(tmp_path)))
    with pytest.raises(RobotModelError) as caught:
        prepare(options)
    assert str(caught.value).startswith(
        "no robot description on topic '/left/robot_description' within 0.5 s (0 publishers, ROS_DOMAIN_ID="
    )
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_without_ros_the_sentence_says_so(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(description_topics, "READER", "naf_robot.nodes.no_such_module")
    with pytest.raises(
        RobotModelError, match=r"topic '/left/robot_description': ROS 2 is not installed for this Python"
    ):
        resolve("reach", overrides=[{"profile": str(profile(tmp_path))}])
