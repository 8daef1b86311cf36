"""The example security policy names real topics and services, and gives a collector no more than it needs."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from naf_robot.nodes import topics
from naf_robot.sensing.registry import SENSORS, make_sensor

ROOT = Path(__file__).resolve().parents[2]
POLICY = ElementTree.parse(ROOT / "config" / "security" / "policy.xml").getroot()
ENCLAVES = {enclave.get("path", ""): enclave for enclave in POLICY.iter("enclave")}
OF_ROS = {"/rosout", "/parameter_events"}


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
        assert allowed(path, "publish") | allowed(path, "subscribe") <= known | OF_ROS, path


@pytest.mark.parametrize("robot", ["robot_1", "robot_2"])
def test_a_collector_can_neither_drive_an_arm_nor_speak_for_the_trainer_or_another_robot(robot: str):
    publishes = allowed(f"/{robot}/collector", "publish")
    assert publishes == {
        topics.DESIRED_VELOCITY, topics.TARGET, topics.EXPERIENCE, topics.POLICY_REQUEST, topics.DIAGNOSTICS, *OF_ROS,
    }  # fmt: skip
    assert {topics.POLICY_PARAMETERS, topics.EXPERIENCE_ACK} <= allowed(f"/{robot}/collector", "subscribe")
    (profile,) = ENCLAVES[f"/{robot}/collector"].iter("profile")
    assert profile.get("ns") == f"/{robot}"


def test_only_velocity_control_publishes_commands():
    writers = {path for path in ENCLAVES if topics.COMMANDS in allowed(path, "publish")}
    assert writers == {"/robot_1/velocity_control", "/robot_2/velocity_control"}
