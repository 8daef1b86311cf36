"""Environments that are not ours: other words for success, no distance, real ends, errors inside."""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from policies import untrained

from naf_robot.bringup.cli import main
from naf_robot.experience.contract import Contract
from naf_robot.experience.recorder import EpisodeRecorder
from naf_robot.experience.store import ExperienceStore
from naf_robot.learning.behaviour import BehaviourPolicy
from naf_robot.learning.exploration import ExplorationConfig
from naf_robot.learning.registry import algorithm_config_type
from naf_robot.learning.replay_buffer import TERMINATED, TRUNCATED
from naf_robot.study.config import StudyOptions, load_study
from naf_robot.study.gym_episodes import EnvironmentFailedError, evaluate, explore, step_spec
from naf_robot.study.study import Study

STEPS = 6


class Foreign(gymnasium.Env):
    """Counts its steps; `is_success` at the third alone. It ends by itself or is truncated after six steps."""

    observation_space = gymnasium.spaces.Box(-10.0, 10.0, (2,), np.float64)
    action_space = gymnasium.spaces.Box(-2.0, 2.0, (1,), np.float32)

    def __init__(self, key: str | None = "is_success", ends: bool = True, fails_at: int = -1) -> None:
        self.key, self.ends, self.fails_at, self.count = key, ends, fails_at, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.count = 0
        return np.zeros(2), {}

    def step(self, action):
        self.count += 1
        if self.count == self.fails_at:
            raise ZeroDivisionError("float division by zero")
        info: dict[str, Any] = {} if self.key is None else {self.key: np.float32(self.count == 3)}
        over = self.count >= STEPS
        return np.full(2, self.count, float), -1.0, over and self.ends, over and not self.ends, info


def register(name: str, **options: Any) -> str:
    identifier = f"naf_robot_test/{name}-v0"
    if identifier not in gymnasium.registry:
        gymnasium.register(identifier, lambda: Foreign(**options))
    return identifier


POLICY = untrained(2, 1)


@pytest.mark.parametrize("key", ["success", "is_success"])
@pytest.mark.parametrize(("success_at", "rate"), [("end", 0.0), ("any", 1.0)])
def test_success_is_read_by_either_word_at_the_end_or_at_any_step(key: str, success_at: str, rate: float):
    environment = gymnasium.wrappers.RescaleAction(Foreign(key), np.float32(-1.0), np.float32(1.0))
    found, returns, distance, episodes, _ = evaluate(environment, POLICY, 2, seed=0, success_at=success_at)
    assert (found, returns, distance, episodes) == (rate, -6.0, None, 2)
    spec = step_spec(environment)
    recorder = EpisodeRecorder(spec, 0)
    behaviour = BehaviourPolicy(ExplorationConfig(), np.random.default_rng(0))
    behaviour.load("mlp", POLICY.arrays())
    assert list(explore(environment, behaviour, recorder, spec, 0, success_at))[-1]
    success = recorder.take().success.tolist()
    assert success == [False] * 3 + [True] + [success_at == "any"] * 3


def test_an_environment_that_says_nothing_of_success_has_no_rate():
    assert evaluate(Foreign(None), POLICY, 1, seed=0) == (None, -6.0, None, 1, None)


@pytest.mark.parametrize("ends", [True, False])
def test_a_real_end_stays_a_real_end(ends: bool):
    options = StudyOptions(episodes=2, learning_starts=1000, replay_capacity=50)
    config = algorithm_config_type("naf")()
    study = Study(Foreign(ends=ends), Foreign(ends=ends), "naf", config, options, 0)
    steps = study.train()
    assert (steps.terminated[-1], steps.truncated[-1]) == (ends, not ends)
    steps.validate(study.steps)
    _, outcomes = study.algorithm.sources["online"].contents()
    assert outcomes[0, :, TERMINATED].tolist() == [0.0] * 5 + [float(ends)]
    assert outcomes[0, :, TRUNCATED].tolist() == [0.0] * 5 + [float(not ends)]
    assert study.algorithm.sources["online"].observations_held == STEPS + 1


def test_an_exception_inside_the_environment_is_one_sentence_that_names_it(capsys: pytest.CaptureFixture):
    name = register("Broken", fails_at=3)
    assert main(["study", "--env", name, "--episodes", "1"]) == 2
    said = capsys.readouterr().err
    expected = f"error: environment '{name}' failed in step: ZeroDivisionError: float division by zero\n"
    assert said.endswith(expected)
    with pytest.raises(EnvironmentFailedError) as caught:
        evaluate(Foreign(fails_at=1), POLICY, 1, seed=0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_the_command_line_sets_replay_and_success_and_the_study_is_kept(tmp_path: Path):
    folder = tmp_path / "study"
    arguments = ["--env", register("Fine"), "--episodes", "4", "--evaluate-every", "4", "--evaluation-episodes", "2"]
    arguments += ["--replay-capacity", "10", "--success-at", "any", "--learning-starts", "5", "--output", str(folder)]
    assert main(["study", *arguments]) == 0
    options = load_study(folder).options
    assert (options.replay_capacity, options.success_at) == (10, "any")
    study = Study(Foreign(), Foreign(), "naf", algorithm_config_type("naf")(), options, 0)
    assert study.algorithm.sources["online"].capacity == 10
    store = ExperienceStore(folder / "seed0" / "experience.sqlite", Contract(register("Fine"), study.steps))
    batches = list(store.batches())
    store.close()
    assert [message.batch.terminated[-1] for message in batches] == [True] * 4
    assert [message.first_step for message in batches] == [0, 7, 14, 21]
