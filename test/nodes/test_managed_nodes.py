"""velocity_control and collector as managed nodes: safe in every state, started by an operator without `autostart`."""

import signal
from collections.abc import Iterator
from dataclasses import replace
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


@pytest.mark.parametrize("configured", [False, True])
def test_sigterm_ends_one_that_is_not_active_without_a_command(arm: RealArm, configured: bool):
    if configured:
        assert change(arm, Transition.TRANSITION_CONFIGURE)
    else:
        assert state(arm) == State.PRIMARY_STATE_UNCONFIGURED
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


def test_a_configuration_that_cannot_be_used_leaves_it_unconfigured_with_one_sentence(arm: RealArm):
    assert state(arm) == State.PRIMARY_STATE_UNCONFIGURED
    spec = NodeSpec("collector", "naf_robot.nodes.collector", ROBOT, {"config": str(arm.folder / "config.yaml")})
    spec = replace(spec, parameters=spec.parameters | {"autostart": False, "robot": ROBOT})
    (arm.folder / "outbox").write_text("another")
    child = arm.graph.start(spec, arm.folder / "collector.log")
    name = f"/{ROBOT}/collector/change_state"
    request = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_CONFIGURE))
    assert not arm.graph.call(ChangeState, name, request).success
    assert arm.graph.call(GetState, f"/{ROBOT}/collector/get_state", GetState.Request()).current_state.id == 1
    (arm.folder / "outbox").unlink()
    assert arm.graph.call(ChangeState, name, request).success
    assert arm.graph.end(child, signal.SIGTERM) == 0
    assert "not configured: " in (arm.folder / "collector.log").read_text()
