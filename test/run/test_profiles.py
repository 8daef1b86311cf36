"""Every profile of `config/robots`: checks, limits, simulated arm, an episode of reach, controllers."""

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from naf_robot.arm.projection.projection import SafetyProjection, SafetyStatus
from naf_robot.core.resources import find
from naf_robot.core.yaml_text import load_yaml
from naf_robot.run.checks import problems
from naf_robot.run.config import RunConfig, profile_files, resolve
from naf_robot.run.environments import make_environment
from naf_robot.run.robot import REAL
from naf_robot.sim.gym_env import TaskEnv

sys.path.insert(0, str(Path(__file__).parents[1] / "arm" / "projection"))
from attack import attack

SPEED = 0.2  # [rad/s] at which each joint is tried
SLOW_SPEED = 0.15  # [rad/s] that it must reach within the time below
SETTLING_PERIODS = 6
CONTROLLERS = {
    "velocity": "velocity_controllers/JointGroupVelocityController",
    "position": "position_controllers/JointGroupPositionController",
    "trajectory": "joint_trajectory_controller/JointTrajectoryController",
}


@pytest.fixture(scope="module", params=profile_files())
def config(request: pytest.FixtureRequest) -> RunConfig:
    return resolve("reach", overrides=[{"profile": request.param, "robots": 1}])


@pytest.fixture(scope="module")
def environment(config: RunConfig) -> Iterator[TaskEnv]:
    made = make_environment(config)
    yield made
    made.close()


def test_its_checks_find_nothing(config: RunConfig):
    assert problems(config) == []


def test_its_limits_hold_against_commands_of_any_kind(config: RunConfig):
    robot, random = config.robot("robot_1"), np.random.default_rng(0)
    projection, home = SafetyProjection(robot.arm.model(), robot.safety), np.asarray(robot.arm.home)
    limits, sphere = projection.limits, robot.safety.sphere

    def command_of(position: np.ndarray, step: int) -> np.ndarray:
        return np.sign(random.standard_normal(len(home))) * 3.0 * limits.max_velocity

    for result, _, after in attack(projection, home, np.zeros_like(home), command_of, 60):
        assert result.status <= SafetyStatus.LIMITED, result
        assert (limits.min_position <= after).all()
        assert (after <= limits.max_position).all()
        assert np.linalg.norm(projection.model.tool_position(after) - sphere.centre) <= sphere.radius
        assert (np.abs(result.velocity) <= limits.max_velocity + 1e-9).all()


def test_its_simulated_arm_is_free_at_home_and_every_joint_follows(config: RunConfig, environment: TaskEnv):
    simulator = environment._simulator
    for joint in range(config.joint_count):
        environment.reset(seed=0)
        assert simulator.data("robot_1").ncon == 0
        asked = np.zeros(config.joint_count)
        asked[joint] = SPEED
        simulator.command("robot_1", asked)
        for _ in range(SETTLING_PERIODS):
            simulator.step()
        velocity = simulator.signals("robot_1")["joint_velocity"]
        assert velocity[joint] > SLOW_SPEED
        assert np.abs(np.delete(velocity, joint)).max(initial=0.0) < SPEED - SLOW_SPEED


def test_an_episode_of_reach_comes_nearer_to_its_target(config: RunConfig, environment: TaskEnv):
    """By the Jacobian's transpose, which needs no learning, through projection and simulation."""
    _, info = environment.reset(seed=1)
    target, model = info["goal"]["target"], environment.model
    begin = np.linalg.norm(model.tool_position(environment._signals["joint_position"]) - target)
    over = False
    while not over:
        tool, jacobian = model.tool_jacobian(environment._signals["joint_position"])
        action = np.clip(10.0 * jacobian.T @ (target - tool), -1.0, 1.0)
        _, reward, _, over, info = environment.step(action.astype(np.float32))
        assert np.isfinite(reward)
    assert info["success"], f"{begin:.3f} m at the start, {info['distance']:.3f} m at the end"


def test_its_controllers_have_the_same_joints_in_the_same_order(config: RunConfig):
    robot = config.robot("robot_1")
    values = load_yaml(find(f"config/controllers/{robot.profile}.yaml"))
    loaded = values["/**/controller_manager"]["ros__parameters"]
    (name,) = (key.removeprefix("/**/") for key in values if not key.endswith("controller_manager"))
    assert name in loaded
    assert tuple(values[f"/**/{name}"]["ros__parameters"]["joints"]) == robot.arm.joints


def test_its_controllers_have_the_name_and_the_kind_of_the_profile(config: RunConfig):
    robot = msgspec.structs.replace(config.robot("robot_1"), backend=REAL)
    types = load_yaml(find(f"config/controllers/{robot.profile}.yaml"))["/**/controller_manager"]["ros__parameters"]
    assert types[robot.controller]["type"] == CONTROLLERS[robot.output_kind]
    assert robot.command_topic.startswith(f"{robot.controller}/")


def test_its_own_model_is_as_good_as_the_description_that_was_found(config: RunConfig):
    """Where the maker's package is on the machine, the tool is at the same place in every posture."""
    arm, random = config.robot("robot_1").arm, np.random.default_rng(0)
    if arm.fallback_urdf is None or arm.description().source.endswith(arm.fallback_urdf):
        pytest.skip("the maker's package is not on this machine, or the profile's arm is our own")
    found = arm.model()
    own = msgspec.structs.replace(arm, urdf=arm.fallback_urdf).model()
    limits = found.limits()
    low, high = np.maximum(limits.min_position, -np.pi), np.minimum(limits.max_position, np.pi)
    for _ in range(100):
        posture = random.uniform(low, high)
        np.testing.assert_allclose(own.tool_position(posture), found.tool_position(posture), atol=1e-3)
