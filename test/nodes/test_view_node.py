"""The page of a running graph: what is published is on it, and the run is found without its folder's name."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
pytest.importorskip("viser", reason="needs viser (pip install '.[view]')")

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseStamped
from graph import Graph, graph
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from view_client import served

from naf_robot.bringup import view_command
from naf_robot.bringup.environment import local_environment
from naf_robot.core import run_files
from naf_robot.core.errors import ConfigError
from naf_robot.core.files import ExclusiveLock
from naf_robot.nodes.qos import SENSOR, latched, reliable
from naf_robot.run.config import resolve, save

pytestmark = pytest.mark.ros
EXPECTED = ("&lt;b&gt;too fast", "held: waits for enable", "door 29°", "waits for &lt;steps&gt;", "no joint states")


@pytest.fixture
def ros() -> Iterator[Graph]:
    with graph() as made:
        yield made


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    save(resolve("door_pull", overrides=[{"robots": "left,right"}]), folder / run_files.CONFIG)
    return folder


def publish(ros: Graph) -> None:
    """What nodes of a run would: a fault, a hold, a target, postures, the door and a report."""
    node = ros.node
    node.create_publisher(String, "/left/safety/fault", latched()).publish(String(data="<b>too fast</b>"))
    node.create_publisher(String, "/right/safety/hold", latched()).publish(String(data="waits for enable"))
    target = PoseStamped()
    target.pose.position.x = 0.8
    node.create_publisher(PoseStamped, "/left/target", latched()).publish(target)
    states = node.create_publisher(JointState, "/left/joint_states", SENSOR)
    door = node.create_publisher(JointState, "/left/door/state", SENSOR)
    reports = node.create_publisher(DiagnosticArray, "/diagnostics", reliable(10))
    names = [f"joint_{number}" for number in range(7, 0, -1)]

    def tick() -> None:
        zeros = [0.0] * 7
        states.publish(JointState(name=names, position=[0.7, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1], velocity=zeros))
        door.publish(JointState(name=["door_hinge"], position=[0.5]))
        status = DiagnosticStatus(level=DiagnosticStatus.WARN, name="/trainer", message="waits for <steps>")
        status.values = [KeyValue(key="policy version", value="3")]
        reports.publish(DiagnosticArray(status=[status]))

    node.create_timer(0.1, tick)


def test_what_is_published_is_on_the_page(ros: Graph, run_dir: Path, tmp_path: Path):
    publish(ros)
    lock = ExclusiveLock(run_dir / run_files.LOCK, "the run")  # as a running system holds it
    try:
        with served(tmp_path, "--run-dir", str(run_dir)) as page:
            ros.wait_for(lambda: not set(EXPECTED) - page.shown(EXPECTED), 40.0, "the page shows all of it")
    finally:
        lock.release()


def test_a_graph_without_a_run_is_one_sentence(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(view_command, "FIND_S", 0.5)
    environment = local_environment() | {"ROS_DOMAIN_ID": os.environ["ROS_DOMAIN_ID"]}
    with pytest.raises(ConfigError, match=r"no run is found in this ROS environment .*--run-dir"):
        view_command._found_run(environment)


def test_the_run_on_the_graph_is_found_by_its_nodes(ros: Graph, run_dir: Path):
    node = rclpy.create_node("trainer", context=ros.context)
    node.declare_parameter("config", str(run_dir / run_files.CONFIG))
    ros.executor.add_node(node)
    found: list[Path] = []
    looking = threading.Thread(target=lambda: found.append(view_command._found_run(local_environment())))
    looking.start()
    ros.wait_for(lambda: not looking.is_alive(), 30.0, "the run is found")
    node.destroy_node()
    assert found == [run_dir]
