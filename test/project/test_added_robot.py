"""A robot from outside the package, as docs/add_a_robot.md says: a profile beside its own description."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from naf_robot.bringup.cli import main
from naf_robot.core.composition import file_layers
from naf_robot.core.errors import ConfigError
from naf_robot.core.resources import find
from naf_robot.run.checks import check
from naf_robot.run.config import compose_run, resolve
from naf_robot.run.contract import contract_of
from naf_robot.run.environments import make_environment
from naf_robot.run.worlds import make_simulator

JOINTS = [f"{name}_joint" for name in ("shoulder_pan", "shoulder_lift", "elbow", "wrist_1", "wrist_2", "wrist_3")]
HOME = [0.0, -1.57, 1.57, -1.57, -1.57, 0.0]


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A profile of a six-joint arm beside a copy of its description."""
    shutil.copy(find("urdf/test_arms/offset_wrist_arm.urdf"), tmp_path / "mine.urdf")
    file = tmp_path / "mine.yaml"
    file.write_text(
        "arm:\n"
        "  urdf: mine.urdf\n"
        "  tool_frame: tool0\n"
        f"  joints: [{', '.join(JOINTS)}]\n"
        f"  home: {HOME}\n"
        "safety:\n"
        "  sphere: {centre: [0.5, 0.0, 0.4], radius: 0.35}\n"
        "tasks:\n"
        "  reach:\n"
        "    safety: {velocity_scale: 0.5}\n",
        encoding="utf-8",
    )
    return file


def test_its_arm_moves_through_the_task_the_projection_and_the_simulator(profile: Path):
    config = resolve("reach", overrides=[{"profile": str(profile), "robots": 1}])
    check(config)
    own = config.robot("robot_1")
    assert (own.arm.urdf, own.safety.velocity_scale) == (str(profile.with_name("mine.urdf")), 0.5)
    environment = make_environment(config)
    observation, _ = environment.reset(seed=0)
    assert observation.shape == (6 + 6 + 3 + 3,)
    np.testing.assert_allclose(observation[:6], HOME, atol=1e-6)
    for _ in range(10):
        observation, *_, info = environment.step(np.full(6, 0.5, np.float32))
    assert np.abs(observation[:6] - HOME).max() > 0.05
    assert np.abs(info["executed_action"]).max() <= 0.5 + 1e-6


def test_robots_of_one_run_may_differ(profile: Path, tmp_path: Path):
    run = tmp_path / "run.yaml"
    run.write_text(
        "robots:\n"
        "  left: {profile: mine.yaml}\n"
        "  right: {profile: mine.yaml, safety: {velocity_scale: 0.25}, base_pose: [0, -0.8, 0, 0, 0, 3.1]}\n",
        encoding="utf-8",
    )
    config = compose_run(file_layers(run, folder=tmp_path)).config
    assert [config.robot(name).safety.velocity_scale for name in config.robots] == [0.5, 0.25]
    assert config.robot("right").base_pose == (0.0, -0.8, 0.0, 0.0, 0.0, 3.1)
    assert contract_of(config).action_size == 6
    simulator = make_simulator(config, tuple(config.robots))
    simulator.command("right", np.full(6, 0.2))
    simulator.step()
    moved = {robot: simulator.signals(robot)["joint_velocity"].max() for robot in config.robots}
    assert moved["right"] > 0.05 > abs(moved["left"])


def test_robots_with_different_numbers_of_joints_are_refused(profile: Path):
    robots = {"left": {"profile": str(profile)}, "right": {}}
    with pytest.raises(ConfigError, match="equally many joints: left has 6, right has 7"):
        resolve("reach", overrides=[{"robots": robots}])


def test_the_command_line_shows_where_its_values_come_from(profile: Path, capsys: pytest.CaptureFixture):
    assert main(["config", "--task", "reach", "--robot", str(profile), "--robots", "1", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["robots.robot_1.arm.tool_frame"]["value"] == "tool0"
    assert values["robots.robot_1.arm.tool_frame"]["origin"].startswith(str(profile))
