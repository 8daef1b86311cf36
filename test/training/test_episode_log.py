"""Success and return over a window of greedy episodes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from naf_robot.training.episode_log import EpisodeRecord, EvaluationWindow


def record(success: bool, episode_return: float) -> EpisodeRecord:
    return EpisodeRecord(1, "robot_1", 0, True, success, 10, episode_return, {}, 1, 10, 1.0)


@given(st.integers(1, 6), st.lists(st.tuples(st.booleans(), st.floats(-1e3, 1e3)), max_size=30))
def test_a_window_tells_the_means_of_its_newest_episodes(size: int, episodes: list[tuple[bool, float]]):
    window = EvaluationWindow(size)
    assert (window.success_rate, window.mean_return, window.is_full) == (0.0, 0.0, False)
    for count, episode in enumerate(episodes, 1):
        window.add(record(*episode))
        newest = episodes[max(0, count - size) : count]
        assert window.success_rate == np.mean([success for success, _ in newest])
        assert window.mean_return == pytest.approx(np.mean([value for _, value in newest]), abs=1e-9)
        assert window.is_full == (count >= size)
