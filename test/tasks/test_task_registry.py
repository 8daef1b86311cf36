"""Properties that hold for every registered task (after dm_control's suite_test)."""

import gymnasium
import numpy as np
import pytest
from rendering import skip_if_it_cannot_render

from naf_robot.core.errors import UnknownNameError
from naf_robot.run.config import resolve, task_files
from naf_robot.run.environments import make_environment, register
from naf_robot.tasks.registry import TASKS, make_task

STEPS = 25


@pytest.fixture(params=sorted(TASKS))
def environment(request):
    skip_if_it_cannot_render(request.param)
    return make_environment(resolve(request.param))


def named(observation) -> dict[str, np.ndarray]:
    """The arrays of an observation; without pictures it is one."""
    return observation if isinstance(observation, dict) else {"state": observation}


def assert_equal(first, second) -> None:
    for one, other in zip(first, second, strict=True):
        assert named(one).keys() == named(other).keys()
        for name, array in named(one).items():
            np.testing.assert_array_equal(array, named(other)[name], err_msg=name)


def rollout(environment, seed: int, steps: int = STEPS):
    observation, _ = environment.reset(seed=seed)
    random = np.random.default_rng(seed)
    observations, rewards, infos = [observation], [], []
    for _ in range(steps):
        action = random.uniform(-1, 1, environment.action_space.shape).astype(np.float32)
        observation, reward, terminated, _, info = environment.step(action)
        assert not terminated
        observations.append(observation)
        rewards.append(reward)
        infos.append(info)
    return observations, np.array(rewards), infos


def test_observations_fit_their_spec_and_space(environment):
    observations, rewards, _ = rollout(environment, 0)
    spec = environment.task.observation_spec
    for observation in observations:
        arrays = named(observation)
        spec.validate(arrays["state"])
        assert arrays["state"].dtype == np.float32
        assert arrays.keys() == {"state", *(image.name for image in spec.images)}
        for image in spec.images:
            image.validate(arrays[image.name])
        assert environment.observation_space.contains(observation)
    assert np.isfinite(rewards).all()


def test_the_same_seed_and_actions_give_the_same_trajectory(environment):
    first, second = rollout(environment, 3), rollout(environment, 3)
    assert_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


@pytest.mark.parametrize("name", sorted(TASKS))
def test_a_seeded_episode_keeps_no_trace_of_what_came_before(name):
    skip_if_it_cannot_render(name)
    noise = {"position_noise": 0.01, "velocity_noise": 0.02, "dropout": 0.2, "sensor_delay_periods": 1}
    scene = {"variation": {"draw": "training"}} if name.startswith("door") else {}
    config = resolve(name, overrides=[{"simulator": {"imperfections": noise, "scene": scene}}])
    fresh, used = make_environment(config), make_environment(config)
    for seed in (7, 8):
        rollout(used, seed, 60)
    assert_equal(rollout(fresh, 3, 60)[0], rollout(used, 3, 60)[0])


def test_consecutive_observations_share_no_memory(environment):
    first, _ = environment.reset(seed=0)
    copies = {name: array.copy() for name, array in named(first).items()}
    second, *_ = environment.step(np.ones(environment.action_space.shape, np.float32))
    for name, array in named(first).items():
        assert not np.shares_memory(array, named(second)[name])
        np.testing.assert_array_equal(array, copies[name])


def test_goals_vary_between_episodes_unless_the_task_is_fixed(environment):
    environment.reset(seed=0)
    goals = [environment.reset()[1]["goal"] for _ in range(3)]
    points = {tuple(environment.task.goal_position(goal)) for goal in goals}
    fixed = environment.task.name.endswith("_real")
    assert len(points) == (1 if fixed else 3)


def test_reward_is_the_sum_of_its_named_terms(environment):
    _, rewards, infos = rollout(environment, 1)
    for reward, info in zip(rewards, infos, strict=True):
        assert tuple(info["reward_terms"]) == environment.task.reward_names
        assert reward == pytest.approx(sum(info["reward_terms"].values()))


def test_time_limit_truncates_exactly_once(environment):
    environment.reset(seed=0)
    still = np.zeros(environment.action_space.shape, np.float32)
    flags = [environment.step(still)[2:4] for _ in range(environment.task.episode_steps)]
    assert flags[-1] == (False, True)
    assert all(flag == (False, False) for flag in flags[:-1])


def test_executed_action_never_exceeds_the_box(environment):
    _, _, infos = rollout(environment, 5)
    assert all(np.abs(info["executed_action"]).max() <= 1.0 + 1e-6 for info in infos)


@pytest.mark.parametrize("name", sorted(TASKS))
def test_every_task_is_registered_with_gymnasium_and_has_a_file(name):
    skip_if_it_cannot_render(name)
    register()
    assert TASKS[name].gymnasium_id in gymnasium.registry
    assert name in task_files()
    made = gymnasium.make(TASKS[name].gymnasium_id)
    observation, _ = made.reset(seed=0)
    assert made.observation_space.contains(observation)


def test_reach_has_the_papers_sizes():
    task = make_task("reach", {}, 7)
    assert task.observation_spec.size == 20
    assert (task.episode_steps, task.control_period_s) == (150, 0.05)


def test_reach_reward_by_hand():
    task = make_task("reach", {"distance_weight": 2.0, "huber_delta": 0.1, "action_weight": 0.5}, 7)
    goal = {"target": np.array([0.3, 0.0, 0.0])}
    far, near = {"tool_position": np.zeros(3)}, {"tool_position": np.array([0.26, 0.0, 0.0])}
    half = np.full(7, 0.5)
    assert task.reward_terms(far, goal, half, half) == pytest.approx([-2.0 * (0.3 - 0.05), -0.5 * 7 / 4, 0.0])
    assert task.reward_terms(near, goal, half, 2 * half)[0] == pytest.approx(-2.0 * 0.04**2 / 0.2)
    assert task.reward_terms(near, goal, half, 2 * half)[2] == pytest.approx(-0.3 * 7 / 4)
    assert task.success(near, goal)
    assert not task.success(far, goal)


def test_unknown_task_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"unknown task 'fly'; valid: .*reach"):
        TASKS["fly"]
