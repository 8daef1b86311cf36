"""A collector follows the comparison in its run folder, and notes each trial that came to its end."""

from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from policies import untrained
from step_batches import CONTRACT

from naf_robot.core.records import PolicyParameters
from naf_robot.run.comparison import ComparisonFiles, Outcome, Trial

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from naf_robot.nodes.policy_link import PolicyLink

pytestmark = pytest.mark.ros


class Collector:
    """Remembers what it is given."""

    phase = None

    def __init__(self) -> None:
        self.comparisons: list[object] = []

    def compare(self, comparing: object) -> None:
        self.comparisons.append(comparing)


def policy(version: int) -> PolicyParameters:
    arrays = untrained(20, 7, version).arrays()
    return PolicyParameters(arrays, version, CONTRACT.task, CONTRACT.observation_spec, 1, 2, CONTRACT.run_id)


def test_a_restarted_collector_goes_on_with_the_trial_that_is_next(tmp_path: Path):
    node = MagicMock(run_dir=tmp_path)
    refused: list[object] = []
    diagnostics = SimpleNamespace(refuse=lambda *reason: refused.append(reason))
    files = ComparisonFiles(tmp_path)
    files.begin((policy(3), policy(5)), 4, 1, ("a",))

    def link(robot: str) -> tuple[PolicyLink, Collector]:
        collector = Collector()
        made = PolicyLink(node, robot, CONTRACT, collector, diagnostics)
        made.housekeeping()
        return made, collector

    first, collector = link("a")
    assert collector.comparisons[-1].done == 0
    for reason in ("time limit", "sensor lost", "terminated"):
        first.ended(SimpleNamespace(trial=Trial(0, 1), end_reason=reason, success=True, total_reward=-2.0))
    first.ended(SimpleNamespace(trial=None, end_reason="time limit", success=True, total_reward=-2.0))
    assert files.outcomes("a") == [Outcome(0, 1, True, -2.0, "a")] * 2
    assert link("a")[1].comparisons[-1].done == 2
    assert link("b")[1].comparisons == [None]  # not of this comparison
    files.end()
    first.housekeeping()
    assert collector.comparisons[-1] is None
    assert refused == []
