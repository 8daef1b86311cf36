"""Comparison of two versions: order, tally, intervals, files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from policies import untrained
from step_batches import CONTRACT

from naf_robot.core.errors import CheckpointError, ConfigError, StoreError
from naf_robot.core.intervals import paired_difference
from naf_robot.core.records import PolicyParameters
from naf_robot.run.comparison import ComparisonFiles, Outcome, Tally, check_comparable, mean_interval, trial


def policy(version: int, spec: str = CONTRACT.observation_spec) -> PolicyParameters:
    return PolicyParameters(untrained(20, 7, version).arrays(), version, CONTRACT.task, spec, 1, 2, CONTRACT.run_id)


@given(st.integers(0, 1000), st.integers(0, 100))
def test_every_block_of_two_pairs_begins_once_with_each_version(seed: int, block: int):
    trials = [trial(seed, "a", 4 * block + k) for k in range(4)]
    assert [t.pair for t in trials] == [2 * block, 2 * block, 2 * block + 1, 2 * block + 1]
    sides = [t.side for t in trials]
    assert sides in ([0, 1, 1, 0], [1, 0, 0, 1])


def test_which_version_begins_is_random():
    begins = [trial(7, "a", 4 * block).side for block in range(200)]
    assert 70 < sum(begins) < 130
    assert begins != [trial(7, "b", 4 * block).side for block in range(200)]


def test_pairs_count_when_both_halves_are_there_in_any_order_and_robots_are_apart():
    tally = Tally(0.95, early=False)
    for robot, pair, side, success in (("a", 0, 1, True), ("b", 0, 0, True), ("a", 0, 0, False), ("b", 0, 1, True)):
        tally.add(Outcome(pair, side, success, -float(side), robot))
    tally.add(Outcome(1, 0, True, 0.0, "a"))
    tally.add(Outcome(1, 0, True, 0.0, "a"))  # the same half twice is no pair
    result = tally.result()
    assert (result["pairs"], result["success"], result["difference"]) == (2, [0.5, 1.0], -0.5)
    assert result["pairs_by_success"] == {"both": 1, "first_only": 0, "second_only": 1, "neither": 0}
    assert result["difference_interval"] == pytest.approx(paired_difference(1, 0, 1, 0), abs=1e-4)
    assert (result["mean_return"], result["return_difference"]) == ([0.0, -1.0], 1.0)
    assert result["verdict"] == "not decided"
    assert Tally(0.95, early=True).result() == {"pairs": 0}


def test_stopping_early_errs_as_seldom_as_declared_and_finds_a_difference():
    def run(share_a: float, share_b: float, seed: int) -> Tally:
        random, tally = np.random.default_rng(seed), Tally(0.9, early=True)
        for pair in range(150):
            for side, share in enumerate((share_a, share_b)):
                tally.add(Outcome(pair, side, bool(random.random() < share), 0.0))
            if tally.decided:
                break
        return tally

    wrong = sum(run(0.6, 0.6, seed).decided for seed in range(60))
    assert wrong <= 60 * 0.1
    clear = [run(0.9, 0.4, seed) for seed in range(20)]
    assert all(tally.result()["verdict"] == "the first is better" for tally in clear)
    assert np.mean([tally.pairs for tally in clear]) < 60
    patient = Tally(0.9, early=False)
    for pair in range(50):
        patient.add(Outcome(pair, 0, True, 0.0))
        patient.add(Outcome(pair, 1, False, 0.0))
    assert not patient.decided
    assert patient.result()["verdict"] == "the first is better"


def test_students_interval_is_that_of_tables():
    values = list(range(10))  # t(0.975, 9) = 2.262, s = 3.0277
    lower, upper = mean_interval([float(v) for v in values], 0.95)
    assert (lower, upper) == (pytest.approx(4.5 - 2.166, abs=0.02), pytest.approx(4.5 + 2.166, abs=0.02))
    assert mean_interval([1.0], 0.95) == (None, None)


def test_a_plan_is_read_once_and_results_are_kept(tmp_path: Path):
    files, robot = ComparisonFiles(tmp_path), ComparisonFiles(tmp_path)
    assert not robot.changed()
    plan = files.begin((policy(3), policy(5)), 20, 1, ("a",))
    with pytest.raises(ConfigError, match="under way"):
        files.begin((policy(3), policy(5)), 20, 1, ("a",))
    assert robot.changed()
    assert not robot.changed()
    found = robot.read(CONTRACT)
    assert found is not None
    assert found[0] == plan
    assert [parameters.version for parameters in found[1]] == [3, 5]
    robot.note("a", Outcome(0, 1, True, -2.0))
    with (tmp_path / "comparison" / "a.jsonl").open("a") as file:
        file.write('{"pair": 0, "si')
    assert files.outcomes("a") == [Outcome(0, 1, True, -2.0, "a")]
    assert files.outcomes("b") == []
    files.end()
    assert robot.changed()
    assert robot.read(CONTRACT) is None
    assert len(files.outcomes("a")) == 1


def test_a_damaged_plan_and_versions_of_other_tasks_are_one_sentence(tmp_path: Path):
    files = ComparisonFiles(tmp_path)
    files.begin((policy(3), policy(5)), 20, 1, ("a",))
    (tmp_path / "comparison" / "plan.json").write_text('{"pairs": "many"}')
    with pytest.raises(StoreError, match="cannot read the comparison"):
        files.read(CONTRACT)
    with pytest.raises(CheckpointError, match="different tasks or observations"):
        check_comparable((policy(1), policy(2, "other")))
