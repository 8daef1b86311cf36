"""A managed node is configured and activated, also after it was started again; an operator's word stands."""

import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
pytest.importorskip("lifecycle_msgs", reason="needs rclpy and its messages")
from graph import Graph, graph
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState

from naf_robot.bringup.lifecycle import with_lifecycle
from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.system import RobotNodes, training_system
from naf_robot.run.config import resolve, save

pytestmark = pytest.mark.ros

DRIVER = """#!{python}
import sys
import rclpy
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn

class Driver(LifecycleNode):
    def on_configure(self, state):
        return TransitionCallbackReturn.{answer}

rclpy.init(args=sys.argv)
try:
    rclpy.spin(Driver("unnamed"))
except KeyboardInterrupt:
    pass
"""


def managed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str = "SUCCESS") -> list[NodeSpec]:
    path = tmp_path / "prefix" / "lib" / "maker" / "driver"
    path.parent.mkdir(parents=True)
    path.write_text(DRIVER.format(python=sys.executable, answer=answer))
    path.chmod(0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "prefix"))
    save(resolve("reach"), tmp_path / "config.yaml")
    driver = NodeSpec("driver", package="maker", executable="driver", namespace="left", lifecycle=True)
    return with_lifecycle([driver], tmp_path / "config.yaml")


class Asker:
    """Asks the driver for its state; one that was killed does not answer."""

    def __init__(self, g: Graph) -> None:
        self.graph, self.client = g, g.node.create_client(GetState, "/left/driver/get_state")

    def state(self) -> int | None:
        if not self.client.service_is_ready():
            return None
        future, end_s = self.client.call_async(GetState.Request()), time.monotonic() + 1.0
        self.graph.wait_for(lambda: future.done() or time.monotonic() > end_s)
        return future.result().current_state.id if future.done() else None

    def becomes(self, state: int) -> None:
        self.graph.wait_for(lambda: self.state() == state, 40.0, f"the driver's state is {state}")


def test_a_managed_node_becomes_active_and_so_does_its_successor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    driver, lifecycle = managed(tmp_path, monkeypatch)
    with graph() as g:
        helper, asker = g.start(lifecycle, tmp_path / "lifecycle.log"), Asker(g)
        for _ in range(2):
            child = g.start(driver, tmp_path / "driver.log")
            asker.becomes(State.PRIMARY_STATE_ACTIVE)
            child.kill()
            child.wait()
        child = g.start(driver, tmp_path / "driver.log")
        asker.becomes(State.PRIMARY_STATE_ACTIVE)
        down = ChangeState.Request(transition=Transition(id=Transition.TRANSITION_DEACTIVATE))
        assert g.call(ChangeState, "/left/driver/change_state", down).success
        g.spin_for(1.5)  # several times the period in which it looks
        assert asker.state() == State.PRIMARY_STATE_INACTIVE
        assert g.end(helper) == 0


def test_one_that_refuses_ends_it_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    driver, lifecycle = managed(tmp_path, monkeypatch, "FAILURE")
    with graph() as g:
        helper = g.start(lifecycle, tmp_path / "lifecycle.log")
        g.start(driver, tmp_path / "driver.log")
        g.wait_for(lambda: helper.poll() is not None, 30.0, "it ends")
    assert helper.returncode == 1
    said = (tmp_path / "lifecycle.log").read_text()
    assert "error: managed node '/left/driver' refused to configure; its own log says why" in said


def test_it_is_there_only_where_something_is_managed_and_is_stopped_first(tmp_path: Path):
    config = tmp_path / "config.yaml"
    specs = training_system(config, RobotNodes(("left",)))
    assert with_lifecycle(specs, config) == specs
    driver = replace(NodeSpec("driver", "driver", namespace="left"), lifecycle=True, stop_order=3, restarts=2)
    last = with_lifecycle([*specs, driver], config)[-1]
    assert last.parameters["nodes"] == ("/left/driver",)
    assert last.stop_order < min(spec.stop_order for spec in specs)
    assert last.restarts == 2
    assert last.command() == [sys.executable, *last.arguments()]
