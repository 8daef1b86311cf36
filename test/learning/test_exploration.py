import itertools

import numpy as np
import pytest

from naf_robot.core import config
from naf_robot.core.errors import ConfigError
from naf_robot.learning.exploration import ExplorationConfig, ExplorationSchedule, OrnsteinUhlenbeck, StandardNormal


def noise(seed=0, size=2000, schedule=None, **settings):
    schedule = schedule or ExplorationSchedule(ExplorationConfig(**settings))
    return OrnsteinUhlenbeck(schedule, size, np.random.default_rng(seed))


def test_scale_is_the_standard_deviation_from_the_first_step_on():
    process = noise(scale=0.3, theta=0.15)
    process.reset()
    for _ in range(5):
        assert process.sample().std() == pytest.approx(0.3, rel=0.07)


def test_noise_is_correlated_within_an_episode_and_not_across():
    process = noise(scale=0.3, theta=0.15)
    process.reset()
    first, second = process.sample(), process.sample()
    process.reset()
    third = process.sample()
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0.85, abs=0.03)
    assert abs(np.corrcoef(second, third)[0, 1]) < 0.1


def test_kinds():
    white = noise(kind="white")
    first, second = white.sample(), white.sample()
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1
    assert second.std() == pytest.approx(0.3, rel=0.07)
    assert not noise(kind="none").sample().any()


def test_equal_seeds_give_equal_noise_and_samples_are_copies():
    first, second = noise(seed=4), noise(seed=4)
    first.sample()[:] = 9.0
    second.sample()
    np.testing.assert_array_equal(first.sample(), second.sample())
    assert first.sample().dtype == np.float32


def test_noise_weakens_with_success_and_grows_with_failure():
    config = ExplorationConfig(scale=0.4, final_scale=0.1, final_scale_success=0.5, window=4)
    schedule = ExplorationSchedule(config)
    process = noise(schedule=schedule)

    def scale_after(*outcomes: bool) -> float:
        for success in outcomes:
            schedule.note(success)
        process.reset()
        assert process.sample().std() == pytest.approx(process.next_scale, rel=0.07)
        return process.next_scale

    assert scale_after() == 0.4
    assert scale_after(False, False, False, False) == 0.4
    assert scale_after(True) == pytest.approx(0.25)  # one of four, half of the asked share
    assert scale_after(True) == pytest.approx(0.1)
    assert scale_after(True, True) == pytest.approx(0.1)
    assert scale_after(False, False, False) == pytest.approx(0.25)
    schedule.note(True)
    before = process.sample().std()
    assert before == pytest.approx(0.25, rel=0.07)  # an episode keeps the scale that it began with


def test_without_a_settled_scale_success_changes_nothing():
    schedule = ExplorationSchedule(ExplorationConfig(scale=0.4))
    schedule.note(True)
    assert schedule.scale == 0.4


def test_wrong_settings_are_refused():
    with pytest.raises(ConfigError, match="scale"):
        config.build(ExplorationConfig, {"scale": -1.0})
    with pytest.raises(ConfigError, match="kind"):
        config.build(ExplorationConfig, {"kind": "brownian"})


def stretches(paused: list[bool], kind: bool) -> list[int]:
    """Lengths of the runs of `kind`."""
    return [len(list(group)) for value, group in itertools.groupby(paused) if value is kind]


def settled(**settings):
    """A process after nothing but successes."""
    schedule = ExplorationSchedule(ExplorationConfig(**settings))
    schedule.note(True)
    process = noise(size=3, schedule=schedule)
    process.reset()
    return process


def test_noise_in_stretches_keeps_to_its_share_and_length():
    process = settled(scale=0.3, noise_free_fraction=0.4, mean_burst_steps=20)
    paused = [not process.sample().any() for _ in range(40_000)]
    assert np.mean(paused) == pytest.approx(0.4, abs=0.03)
    assert np.mean(stretches(paused, False)) == pytest.approx(20, rel=0.12)
    assert np.mean(stretches(paused, True)) == pytest.approx(20 * 0.4 / 0.6, rel=0.12)


def test_an_episode_begins_paused_as_often_as_the_share_says():
    process, begun_paused = settled(noise_free_fraction=0.7), 0
    for _ in range(2000):
        process.reset()
        begun_paused += not process.sample().any()
    assert begun_paused / 2000 == pytest.approx(0.7, abs=0.04)


def test_pauses_come_with_success_and_go_with_it():
    schedule = ExplorationSchedule(ExplorationConfig(noise_free_fraction=0.8, final_scale_success=1.0, window=4))
    process = noise(size=3, schedule=schedule)

    def paused_after(*outcomes: bool) -> float:
        for success in outcomes:
            schedule.note(success)
        process.reset()
        return float(np.mean([not process.sample().any() for _ in range(20_000)]))

    assert paused_after() == 0.0
    assert paused_after(False, True) == pytest.approx(0.4, abs=0.05)
    assert paused_after(False, False, False, False) == 0.0


def test_without_pauses_the_stream_of_random_numbers_is_as_it_was():
    plain, generator = noise(seed=9, size=4, theta=1.0, scale=1.0), np.random.default_rng(9)
    for _ in range(3):
        np.testing.assert_array_equal(plain.sample(), generator.standard_normal(4, dtype=np.float32))


def test_a_pause_that_never_ends_is_refused():
    with pytest.raises(ConfigError, match="noise_free_fraction"):
        config.build(ExplorationConfig, {"noise_free_fraction": 1.0})


def test_standard_normal_numbers_are_the_generators_own_and_none_means_none():
    schedule, generator = ExplorationSchedule(ExplorationConfig()), np.random.default_rng(3)
    own = StandardNormal(schedule, 4, np.random.default_rng(3))
    own.reset()
    np.testing.assert_array_equal(own.sample(), generator.standard_normal(4, dtype=np.float32))
    silent = StandardNormal(ExplorationSchedule(ExplorationConfig(kind="none")), 4, generator)
    assert (own.next_scale, silent.next_scale) == (1.0, 0.0)
    assert not silent.sample().any()
