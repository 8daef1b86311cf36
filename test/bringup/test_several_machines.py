"""A trainer and a robot on hosts of their own: the link is cut, comes back, and nothing is lost or counted twice."""

import json
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")

from hosts import Link, missing
from machines import Machines

WHY_NOT = missing()
pytestmark = [pytest.mark.ros, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "hosts can be made")]


def test_a_cut_link_and_a_killed_collector_lose_nothing(tmp_path: Path):
    machines = Machines(tmp_path, ["left"], Link(delay_s=0.02, loss=0.05, bytes_per_s=1e6))
    try:
        machines.start("trainer", "--set", "trainer.publish_period_updates=500")
        machines.start("left", "--restarts", "3", "--set", "collector.batch_transitions=10")
        machines.wait_for(lambda: machines.stored("left") > 0, 40.0, "the robot joins, and its experience is stored")
        run_ids = {(tmp_path / name / "run_id").read_text() for name in ("trainer", "left")}
        assert len(run_ids) == 1
        machines.link.cut = True
        machines.wait_for(lambda: machines.waiting("left") > 2, 20.0, "the robot goes on without the trainer")
        machines.kill_node("left", "naf_robot.nodes.collector")
        waiting = machines.waiting("left")
        machines.link.cut = False
        machines.wait_for(lambda: machines.waiting("left") < waiting, 30.0, "the next collector uploads what it finds")
        machines.wait_for(lambda: machines.numbered("left") > waiting, 30.0, "it collects on")
        assert machines.log("left").count("joined run") == 2
        assert (machines.stop("left"), machines.stop("trainer")) == (0, 0)
    finally:
        machines.close()
    summary = json.loads((tmp_path / "trainer" / "summary.json").read_text())
    assert machines.missing("left") == set()
    assert machines.stored_twice() == 0
    assert summary["robots"] == 1
    stored, kept = machines.stored_transitions("left"), machines.waiting("left")
    assert stored - kept <= summary["env_steps"] <= stored  # across a batch that is still kept leads no transition
