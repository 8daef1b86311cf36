"""Two robots train by an algorithm of another package, each by a policy of its own, as a user would start them."""

import json
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
from graph import naf_robot
from page_code import module_from_page, page_code

from naf_robot.experience.store import ExperienceStore
from naf_robot.run.checkpoint import read_policy
from naf_robot.run.config import load
from naf_robot.run.contract import contract_of

pytestmark = [pytest.mark.ros, pytest.mark.timeout(600)]
SETTINGS = (
    "task.episode_steps=40",
    "trainer.learning_starts=60",
    "trainer.publish_period_updates=10",
    "trainer.ratio_tolerance=20",
    "collector.evaluation_period=2",
    "algorithm.per_robot=true",
)


def install(folder: Path) -> None:
    """The package of the page, as pip would leave it."""
    (folder / "my_package").mkdir(parents=True)
    (folder / "my_package" / "__init__.py").touch()
    (folder / "my_package" / "cloning.py").write_text(page_code("add_an_algorithm.md"), encoding="utf-8")
    info = folder / "my_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[naf_robot.plugins]\ncloning = my_package.cloning\n")


def test_every_process_knows_it_and_every_robot_acts_with_its_own_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    install(tmp_path / "site")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"), prepend=":")
    run_dir = tmp_path / "run"
    command = ("train", "--algorithm", "cloning", "--robots", "2", "--run-dir", str(run_dir), "--max-episodes", "30")
    process = naf_robot(*command, "--set", *SETTINGS)
    _, err = process.communicate(timeout=200)
    assert process.returncode == 3, err
    summary = json.loads((run_dir / "summary.json").read_text())
    assert (summary["algorithm"], summary["steps_lost"]) == ("cloning", 0)
    assert summary["updates"] > 0
    module_from_page("add_an_algorithm.md", "my_package.cloning")  # so that this process knows it too
    contract = contract_of(load(run_dir / "config.yaml"), run_dir)
    messages = list(ExperienceStore(run_dir / "experience.sqlite", contract).batches())
    for robot, remainder in (("robot_1", 1), ("robot_2", 0)):  # versions come in pairs, the first robot's first
        used = {v for m in messages if m.collector == robot for v in m.batch.policy_version.tolist()}
        assert len(used) > 1, "newer parameters arrived and were loaded"
        assert {version % 2 for version in used} == {remainder}
    policy = read_policy(run_dir)
    assert (policy.kind, policy.addressee) == ("linear_gaussian", "robot_1")
