"""The algorithm of docs/add_an_algorithm.md, from outside the package, in the study, the trainer and a collector."""

from dataclasses import replace
from pathlib import Path

import gymnasium
import numpy as np
import pytest
import torch
from collecting_robot import FULL, MODEL
from manual_clock import ManualClock
from page_code import module_from_page
from test_trainer import CONFIG, batch, send

from naf_robot.collecting.collector import Collector
from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import CheckpointError, ConfigError, NafRobotError
from naf_robot.core.records import StepBatch
from naf_robot.learning.algorithm import AlgorithmSetup, Budget, NewPolicy, policy_for
from naf_robot.learning.registry import ALGORITHMS, AlgorithmEntry, make_algorithm, make_learner, register_algorithm
from naf_robot.learning.source_shares import SourceShares
from naf_robot.run.checkpoint import read_checkpoint
from naf_robot.run.config import RunConfig, resolve
from naf_robot.run.rollback import pin_robots
from naf_robot.study.config import StudyOptions
from naf_robot.study.study import Study
from naf_robot.training.trainer import Trainer

cloning = module_from_page("add_an_algorithm.md", "my_package.cloning")
TRAINER = {
    "evaluation_rule": "window",
    "evaluation_window": 2,
    "learning_starts": 10,
    "publish_period_updates": 5,
    "replay_capacity": 1000,
    "ratio_tolerance": 10,
}


def config(per_robot: bool = False, **settings) -> RunConfig:
    algorithm = {"per_robot": per_robot, "batch_size": 16}
    return resolve("reach", "cloning", [{"trainer": TRAINER | settings, "algorithm": algorithm}])


def trainer(folder: Path, per_robot: bool = False) -> Trainer:
    torch.set_num_threads(1)
    folder.mkdir(exist_ok=True)
    return Trainer(config(per_robot), folder, SteadyClock())


def rows_of(made: StepBatch) -> list[dict[str, np.ndarray]]:
    return [{name: array[i] for name, array in made.observation.items()} for i in range(len(made))]


def linear_batch(episode: int, gains: np.ndarray, offsets: np.ndarray) -> StepBatch:
    made = batch(60, episode)
    vectors = np.stack([CONFIG.make_task().observation_spec.flatten(row) for row in rows_of(made)])
    action = np.where(made.has_action[:, None], vectors @ gains.T + offsets, 0.0).astype(np.float32)
    return replace(made, action=action, requested_action=action)


def test_the_trainer_learns_publishes_and_resumes_by_an_algorithm_it_does_not_know(tmp_path: Path):
    random = np.random.default_rng(3)
    gains, offsets = 0.1 * random.normal(size=(7, 20)), 0.2 * random.normal(size=7)
    first = trainer(tmp_path / "a")
    assert first.new_parameters()[0].kind == "linear_gaussian"
    for sequence in range(4):
        send(first, sequence, linear_batch(sequence, gains, offsets), first=61 * sequence)
        while first.learn(7):
            pass
    assert first.updates == 231  # one per transition from the tenth on
    (found,) = first.new_parameters()
    assert (found.kind, found.addressee, found.updates) == ("linear_gaussian", "", 231)
    np.testing.assert_allclose(found.arrays["K"][0], gains, atol=2e-3)
    np.testing.assert_allclose(found.arrays["k"][0], offsets, atol=2e-3)
    assert 0.0 <= first.metrics["variance"] < 2e-3
    state = first.algorithm.state()
    first.finish()
    assert read_checkpoint(tmp_path / "a").policy.kind == "linear_gaussian"
    second = trainer(tmp_path / "a")
    for name, array in second.algorithm.state().items():
        np.testing.assert_array_equal(array, state[name], err_msg=name)
    second.finish()


def test_addressed_policies_reach_their_robots_alone(tmp_path: Path):
    it = trainer(tmp_path, per_robot=True)
    versions = it.new_parameters()
    assert [(p.version, p.addressee) for p in versions] == [(1, "robot_1"), (2, "robot_2")]
    assert len(it.parameter_bytes) == 2
    for robot, version in (("robot_1", 1), ("robot_2", 2)):
        collector = Collector(it.config, robot, MODEL, FULL, ManualClock())
        for parameters in it.parameters():
            collector.offer(parameters)
        assert collector.newest_version == version
    it.checkpoint()
    with pytest.raises(CheckpointError, match=r"to 'robot_1' and cannot be pinned on \['robot_2'\]"):
        _pin(tmp_path, it.config, None)
    assert not (tmp_path / "pins").exists()
    assert _pin(tmp_path, it.config, "robot_1")["robots"] == ["robot_1"]
    it.finish()


def _pin(folder: Path, run: RunConfig, robot: str | None) -> dict:
    from naf_robot.run.config import save

    save(run, folder / "config.yaml")
    return pin_robots(folder, robot, 1, release=False)


def test_a_checkpoint_of_another_algorithm_is_refused(tmp_path: Path):
    it = trainer(tmp_path)
    it.finish()
    with pytest.raises(CheckpointError, match=r"'cloning'.*this run .*'naf'"):
        Trainer(CONFIG, tmp_path, SteadyClock())


def test_the_study_runs_it_and_repeats(tmp_path: Path):
    def rows() -> list[dict]:
        options = StudyOptions(episodes=2, evaluate_every=1, evaluation_episodes=1, learning_starts=50)
        pair = gymnasium.make("Pendulum-v1"), gymnasium.make("Pendulum-v1")
        study = Study(*pair, "cloning", cloning.CloningConfig(), options, 0)
        while not study.is_over:
            study.train()
            study.evaluate()
        assert study.current_policy().kind == "linear_gaussian"
        return study.rows

    first = rows()
    assert [row["updates"] for row in first] == [151, 351]
    assert rows() == first


@pytest.mark.parametrize("source", ["offline", "demonstration", "train"])
def test_a_source_that_nothing_fills_is_refused_before_anything_starts(tmp_path: Path, source: str):
    run = config(sources={source: 0.5})
    with pytest.raises(ConfigError, match=f"nothing fills {source} in this run; filled are: online"):
        Trainer(run, tmp_path, SteadyClock())
    options = StudyOptions(sources=SourceShares(**{source: 0.5}))
    pair = gymnasium.make("Pendulum-v1"), gymnasium.make("Pendulum-v1")
    with pytest.raises(ConfigError, match=f"nothing fills {source}"):
        Study(*pair, "cloning", cloning.CloningConfig(), options, 0)


def test_names_configurations_and_learners_are_checked():
    setup = AlgorithmSetup(5, 3, 0, ("robot_1",))
    with pytest.raises(NafRobotError, match="there is an algorithm 'cloning' already"):
        register_algorithm("cloning", AlgorithmEntry(cloning.CloningConfig))
    with pytest.raises(ConfigError, match="takes a CloningConfig, got a NafConfig"):
        make_algorithm("cloning", ALGORITHMS["naf"].config_type(), setup)
    with pytest.raises(NafRobotError, match="'cloning' is no off-policy actor-critic"):
        make_learner("cloning", cloning.CloningConfig(), 5, 3, None, 0)
    with pytest.raises(NafRobotError, match="empty"):
        make_algorithm("cloning", cloning.CloningConfig(), setup).work(Budget(1))


def test_a_robot_gets_its_own_policy_before_the_one_for_all():
    for_all, own = NewPolicy({}), NewPolicy({}, addressee="robot_2")
    assert policy_for([for_all, own], "robot_2") is own
    assert policy_for([for_all, own], "robot_1") is for_all
    with pytest.raises(LookupError, match=r"no policy for 'robot_1'; there are some for \['robot_2'\]"):
        policy_for([own], "robot_1")
