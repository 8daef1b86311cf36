"""velocity_control and collector as managed nodes: safe in every state, started by an operator without `autostart`."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
pytest.importorskip("lifecycle_msgs", reason="needs rclpy and its messages")

from graph import graph
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from real_arm import CONTROL, ROBOT, RealArm
from std_msgs.msg import Float64MultiArray

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.nodes.qos import COMMAND
from naf_robot.run.config import resolve, save

pytestmark = pytest.mark.ros


@pytest.fixture
def arm(tmp_path: Path) -> Iterator[RealArm]:
    with graph() as g:
        yield RealArm(g, tmp_path, parameters={"autostart": False})


def state(arm: RealArm) -> int:
    return arm.graph.call(GetState, f"{CONTROL}/get_state", GetState.Request()).current_state.id


def change(arm: RealArm, transition: int) -> bool:
    request = ChangeState.Request(transition=Transition(id=transition))
    return arm.graph.call(ChangeState, f"{CONTROL}/change_state", request).success


def test_it_writes_only_while_it_is_active_and_leaves_the_arm_at_rest(arm: RealArm):
    assert state(arm) == State.PRIMARY_STATE_UNCONFIGURED
    arm.wait_for(lambda: arm.status.get("lifecycle state") == "unconfigured", what="it reports")
    assert change(arm, Transition.TRANSITION_CONFIGURE)
    arm.wait_for(lambda: arm.status.get("lifecycle state") == "inactive", what="it reports")
    refused = arm.enable()
    assert not refused.success
    assert "inactive" in refused.message
    assert not arm.heard()
    assert change(arm, Transition.TRANSITION_ACTIVATE)
    arm.go(0.2)
    assert change(arm, Transition.TRANSITION_DEACTIVATE)
    arm.wait_for(lambda: arm.speed() < 0.005, what="it is at rest")
    commands = arm.truth[-1]["commands"]
    arm.graph.spin_for(0.5)
    assert arm.truth[-1]["commands"] == commands, "an inactive node writes"
    other = arm.graph.node.create_publisher(Float64MultiArray, f"/{ROBOT}/velocity_controller/commands", COMMAND)
    arm.wait_for(lambda: not change(arm, Transition.TRANSITION_ACTIVATE), what="a second writer is seen")
    arm.wait_for(lambda: "only one node may write to the arm" in arm.message, what="it says why")
    arm.graph.node.destroy_publisher(other)
    arm.wait_for(lambda: change(arm, Transition.TRANSITION_ACTIVATE), what="it is activated once the other is gone")
    arm.graph.spin_for(0.3)
    assert arm.speed() < 0.005, "a real arm waits for an operator again"
    arm.go(-0.2)
    assert change(arm, Transition.TRANSITION_DEACTIVATE)
    assert change(arm, Transition.TRANSITION_CLEANUP)
    assert state(arm) == State.PRIMARY_STATE_UNCONFIGURED
    assert change(arm, Transition.TRANSITION_CONFIGURE)
    assert change(arm, Transition.TRANSITION_ACTIVATE)
    arm.go(0.2)
    assert arm.graph.end(arm.control, signal.SIGTERM) == 0
    arm.wait_for(lambda: arm.speed() < 0.005, what="SIGTERM brings it to rest")


def test_sigterm_ends_one_that_is_inactive_without_a_command(arm: RealArm):
    assert change(arm, Transition.TRANSITION_CONFIGURE)
    arm.wait_for(lambda: bool(arm.truth), what="the driver runs")
    assert arm.graph.end(arm.control, signal.SIGTERM) == 0
    assert not arm.heard()


def test_shutdown_as_a_transition_brings_the_arm_to_rest_and_ends_the_process(arm: RealArm):
    assert change(arm, Transition.TRANSITION_CONFIGURE)
    assert change(arm, Transition.TRANSITION_ACTIVATE)
    arm.go(0.2)
    assert change(arm, Transition.TRANSITION_ACTIVE_SHUTDOWN)
    arm.wait_for(lambda: arm.control.poll() is not None, what="the process ends")
    assert arm.control.returncode == 0
    arm.wait_for(lambda: arm.speed() < 0.005, what="it is at rest")


def test_one_that_cannot_be_configured_stays_unconfigured_with_a_sentence_and_ends_by_sigterm(tmp_path: Path):
    save(resolve("reach", overrides=[{"robots": [ROBOT]}]), tmp_path / "config.yaml")
    parameters = {"config": str(tmp_path / "config.yaml"), "robot": ROBOT, "autostart": False}
    (tmp_path / "outbox").write_text("a file where a folder must be")
    request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_CONFIGURE))
    with graph() as g:
        child = g.start(NodeSpec("collector", "naf_robot.nodes.collector", ROBOT, parameters), tmp_path / "log")
        assert not g.call(ChangeState, f"/{ROBOT}/collector/change_state", request).success
        found = g.call(GetState, f"/{ROBOT}/collector/get_state", GetState.Request()).current_state.id
        assert found == State.PRIMARY_STATE_UNCONFIGURED
        assert g.end(child, signal.SIGTERM) == 0
    assert "not configured: " in (tmp_path / "log").read_text()
