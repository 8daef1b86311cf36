"""docs/add_a_task.md, done from outside the package: touch a plane in front of the arm, which ends the episode."""

import gymnasium
import numpy as np
import pytest

from naf_robot.arm.control.actions import JointVelocityActions
from naf_robot.collecting.episode import Episode
from naf_robot.core.array_spec import ArraySpec, ObservationSpec
from naf_robot.core.errors import ConfigError
from naf_robot.core.records import StepSpec
from naf_robot.experience.recorder import EpisodeRecorder
from naf_robot.run.config import resolve
from naf_robot.run.environments import make_environment
from naf_robot.tasks.registry import TASKS, TaskEntry, register
from naf_robot.tasks.task import EFFORT_NAMES, EpisodeConfig, Task


class TouchConfig(EpisodeConfig, frozen=True):
    """Where the plane may stand."""

    nearest: float = 0.56  # [m] along x
    farthest: float = 0.6


class Touch(Task):
    """Bring the tool to a plane across x; the episode ends there."""

    name = "touch"
    scene = "free"
    distance_unit = "m"
    success_once = True
    reward_names = ("distance", *EFFORT_NAMES)

    def __init__(self, config: TouchConfig, joint_count: int) -> None:
        self.config = config
        self.action_spec = config.action_spec()
        self.control_period_s, self.episode_steps = config.control_period_s, config.episode_steps
        joints = ArraySpec("joint_position", (joint_count,), "rad")
        self.observation_spec = ObservationSpec("touch", (joints, ArraySpec("plane", (1,), "m", "base")))

    def sample_goal(self, random):
        return {"plane": random.uniform(self.config.nearest, self.config.farthest, 1)}

    def goal_position(self, goal):
        return np.array([goal["plane"][0], 0.0, 0.4])

    def reward_terms(self, signals, goal, executed, requested):
        return np.array([-self.distance(signals, goal), *self.config.effort_terms(executed, requested)])

    def success(self, signals, goal):
        return self.distance(signals, goal) == 0.0

    def terminated(self, signals, goal):
        return self.success(signals, goal)

    def distance(self, signals, goal):
        return max(0.0, float(goal["plane"][0] - signals["tool_position"][0]))


@pytest.fixture
def added(tmp_path):
    file = tmp_path / "touch.yaml"
    file.write_text("safety: {velocity_scale: 0.9}\n", "utf-8")
    register("touch", TaskEntry(TouchConfig, Touch, "test/Touch-v0", file))
    yield file
    del TASKS["touch"]
    gymnasium.registry.pop("test/Touch-v0", None)


def forward(environment):
    """Steps that lead the tool along x until the episode is over."""
    environment.reset(seed=0)
    while True:
        *_, terminated, truncated, info = environment.step(np.array([1.0, 0.0, 0.0, 0.0]))
        if terminated or truncated:
            return terminated, truncated, info


def test_a_real_end_terminates_and_is_no_time_limit(added):
    environment = make_environment(resolve("touch", overrides=[{"task": {"actions": {"kind": "tool_twist"}}}]))
    terminated, truncated, info = forward(environment)
    assert (terminated, truncated) == (True, False)
    assert info["success"]
    assert info["distance"] == 0.0


def test_it_is_known_to_gymnasium(added):
    import naf_robot.gym

    naf_robot.gym.register()
    environment = gymnasium.make("test/Touch-v0")
    observation, info = environment.reset(seed=1)
    assert environment.observation_space.contains(observation)
    assert 0.56 <= info["goal"]["plane"][0] <= 0.6


def test_the_last_step_of_a_real_end_is_not_truncated_on_the_robot_either(added):
    task = resolve("touch").make_task()
    actions = JointVelocityActions(resolve("touch").robot("robot_1").arm.joints, np.ones(7))
    recorder = EpisodeRecorder(StepSpec(task.observation_spec, 7, task.reward_names), episode=0)
    episode = Episode(task, 0, {"plane": np.array([0.5])}, False, 1, actions, recorder)
    observation = {"joint_position": np.zeros(7), "plane": np.array([0.5])}
    for step, x in enumerate((0.4, 0.6)):
        episode.observe(0.05 * step, observation)
        episode.request(0.05 * step, np.zeros(7, np.float32), np.zeros(7))
        episode.complete(np.zeros(7), {"joint_position": np.zeros(7), "tool_position": np.array([x, 0.0, 0.4])})
    episode.observe(0.1, observation)
    steps = episode.close()
    assert episode.terminated
    assert steps.terminated.tolist() == [False, False, True]
    assert not steps.truncated.any()
    assert episode.end_reason == "terminated"


def test_names_that_are_taken_are_refused(added):
    with pytest.raises(ConfigError, match="there is a task 'touch' already"):
        register("touch", TASKS["touch"])
    with pytest.raises(ConfigError, match="'test/Touch-v0' is the Gymnasium name of task 'touch' already"):
        register("poke", TASKS["touch"])
    assert "poke" not in TASKS


def test_a_task_without_a_file_has_the_profile_of_the_robot():
    register("bare", TaskEntry(TouchConfig, Touch, "test/Bare-v0"))
    try:
        assert resolve("bare").robot("robot_1").profile == "arm7"
        assert resolve("bare").task_name == "bare"
    finally:
        del TASKS["bare"]
