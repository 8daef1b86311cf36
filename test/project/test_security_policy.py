"""The example security policy names real topics and services, and gives a collector no more than it needs."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from pathlib import Path

import pytest

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.system import RobotNodes, training_system
from naf_robot.nodes import topics
from naf_robot.run.config import resolve, save
from naf_robot.sensing.registry import SENSORS, make_sensor

ROOT = Path(__file__).resolve().parents[2]
POLICY = ElementTree.parse(ROOT / "config" / "security" / "policy.xml").getroot()
ENCLAVES = {enclave.get("path", ""): enclave for enclave in POLICY.iter("enclave")}
OF_ROS = {"/rosout", "/parameter_events"}
OF_MANAGED = "~/transition_event"


def allowed(path: str, kind: str) -> set[str]:
    return {
        (topic.text or "").strip()
        for group in ENCLAVES[path].iter("topics")
        if group.get(kind) == "ALLOW"
        for topic in group.iter("topic")
    }


def test_every_topic_of_the_policy_exists():
    known = {value for name, value in vars(topics).items() if name.isupper()}
    known |= {make_sensor(name).topic for name in SENSORS}
    for path in ENCLAVES:
        named = {re.sub("^/robot_[12]/", "", name) for name in allowed(path, "publish") | allowed(path, "subscribe")}
        assert named <= known | OF_ROS | {OF_MANAGED}, path


@pytest.mark.parametrize("robot", ["robot_1", "robot_2"])
def test_a_collector_can_neither_drive_an_arm_nor_speak_for_the_trainer_or_another_robot(robot: str):
    publishes = allowed(f"/{robot}/collector", "publish")
    assert publishes == {
        topics.DESIRED_VELOCITY, topics.TARGET, topics.EPISODE, topics.EXPERIENCE, topics.POLICY_REQUEST,
        topics.DIAGNOSTICS, topics.TRAINER_CONTACT, OF_MANAGED, *OF_ROS,
    }  # fmt: skip
    assert {topics.POLICY_PARAMETERS, topics.EXPERIENCE_ACK} <= allowed(f"/{robot}/collector", "subscribe")
    (profile,) = ENCLAVES[f"/{robot}/collector"].iter("profile")
    assert profile.get("ns") == f"/{robot}"


def test_only_velocity_control_publishes_commands():
    writers = {path for path in ENCLAVES if topics.COMMANDS in allowed(path, "publish")}
    assert writers == {"/robot_1/velocity_control", "/robot_2/velocity_control"}


def test_every_process_of_the_system_has_its_enclave():
    robots = ("robot_1", "robot_2")
    specs = training_system(
        Path("config.yaml"), RobotNodes(robots, sensor_nodes=("door_sensor",), record=True, cameras=robots)
    )
    assert {spec.enclave for spec in specs} == set(ENCLAVES)


@pytest.mark.parametrize("robot", ["robot_1", "robot_2"])
def test_a_recorder_only_listens(robot: str):
    assert allowed(f"/{robot}/recorder", "publish") == {topics.DIAGNOSTICS, *OF_ROS}


def test_nobody_may_set_anothers_parameters():
    groups = [group for path in ENCLAVES for group in ENCLAVES[path].iter("services")]
    assert groups
    asked = [service.text for group in groups if group.get("request") for service in group]
    assert set(asked) == {"velocity_controller/get_parameters"}  # to compare a controller's joints


def expanded(path: str, names: Iterable[str]) -> set[str]:
    """Names of the policy as the graph has them."""
    (profile,) = ENCLAVES[path].iter("profile")
    ns, node = profile.get("ns", "").rstrip("/"), profile.get("node", "")
    return {name if name.startswith("/") else f"{ns}/{name.replace('~', node)}" for name in names}


@pytest.mark.ros
def test_the_policy_allows_all_that_the_nodes_create(tmp_path: Path):
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    from diagnostic_msgs.msg import DiagnosticArray
    from graph import graph
    from rclpy.node import NodeNameNonExistentError

    robots = ("robot_1", "robot_2")
    camera = {"source": "no such film"}
    save(resolve("door_real", overrides=[{"robots": list(robots), "camera": camera}]), tmp_path / "config.yaml")
    system = training_system(
        tmp_path / "config.yaml", RobotNodes(robots, sensor_nodes=("door_sensor",), record=True, cameras=robots)
    )
    specs = [spec for spec in system if spec.namespace != "robot_2"]
    with graph() as g:
        for spec in specs:
            g.start(spec, tmp_path / f"{spec.name}.log")
        node = g.node
        kinds = {
            "publish": node.get_publisher_names_and_types_by_node,
            "subscribe": node.get_subscriber_names_and_types_by_node,
            "reply": node.get_service_names_and_types_by_node,
            "request": node.get_client_names_and_types_by_node,
        }

        def created(spec: NodeSpec, kind: str) -> set[str]:
            try:
                return {name for name, _ in kinds[kind](spec.name, f"/{spec.namespace}")}
            except NodeNameNonExistentError:
                return set()

        heard: set[str] = set()
        node.create_subscription(DiagnosticArray, "/diagnostics", lambda m: heard.add(m.status[0].name), 100)
        for spec in specs:  # a node reports once it has made everything
            g.wait_for(lambda spec=spec: f"/{spec.label}" in heard, 60.0, f"{spec.label} reports")
            g.wait_for(lambda spec=spec: any("set_param" in n for n in created(spec, "reply")), 10.0, "its services")
        found = node.get_node_names_and_namespaces_with_enclaves()
        assert {enclave for name, _, enclave in found if name != "test"} == {spec.enclave for spec in specs}
        for spec in specs:
            services = {
                kind: [s.text for group in ENCLAVES[spec.enclave].iter("services") if group.get(kind) for s in group]
                for kind in ("reply", "request")
            }
            may = {kind: allowed(spec.enclave, kind) for kind in ("publish", "subscribe")} | services
            for kind, names in may.items():
                assert created(spec, kind) <= expanded(spec.enclave, names), f"{spec.label} may not {kind}"
