import numpy as np
import pytest

from naf_robot.core.errors import NafRobotError
from naf_robot.learning.exploration import ExplorationConfig, ExplorationSchedule
from naf_robot.learning.policies.linear_gaussian import LinearGaussianPolicy

GAINS = np.array([[[0.5, 0.0]], [[0.0, 0.25]]])
OFFSETS = np.array([[0.1], [-0.1]])
VARIANCES = np.array([[[0.04]], [[0.0025]]])


def test_actions_by_hand_change_with_the_step_and_the_last_step_holds():
    policy = LinearGaussianPolicy.from_covariance(GAINS, OFFSETS, VARIANCES)
    x = [1.0, 2.0]
    assert policy.action(x) == policy.action(x) == pytest.approx([0.6])  # looking does not step
    assert [float(policy.act(x)[0]) for _ in range(3)] == pytest.approx([0.6, 0.4, 0.4])
    policy.reset()
    assert policy.act(x) == pytest.approx([0.6])
    assert policy.act([0.0, 9.0]) == pytest.approx([1.0])  # clipped: 2.15


def test_samples_have_the_covariance_of_their_step_whatever_the_schedule_says():
    covariance = np.array([[[0.04, 0.012], [0.012, 0.01]]])
    policy = LinearGaussianPolicy.from_covariance(np.zeros((1, 2, 3)), [[0.1, -0.2]], covariance)
    schedule = ExplorationSchedule(ExplorationConfig(scale=0.9, final_scale=0.1))
    schedule.note(True)
    exploration = policy.exploration(schedule, np.random.default_rng(0))
    actions = np.array([policy.act(np.zeros(3), exploration) for _ in range(20_000)])
    assert actions.mean(0) == pytest.approx([0.1, -0.2], abs=0.005)
    assert np.cov(actions.T) == pytest.approx(covariance[0], abs=0.0015)


def test_noise_scales_with_the_step():
    policy = LinearGaussianPolicy.from_covariance(np.zeros((2, 1, 2)), np.zeros((2, 1)), VARIANCES)
    exploration = policy.exploration(ExplorationSchedule(ExplorationConfig()), np.random.default_rng(0))
    episodes = []
    for _ in range(4000):
        policy.reset()
        episodes.append([float(policy.act([0.0, 0.0], exploration)[0]) for _ in range(3)])
    assert np.std(episodes, axis=0) == pytest.approx([0.2, 0.05, 0.05], rel=0.05)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cholesky": np.array([[[0.1, 0.1], [0.0, 0.1]]])}, "lower triangular"),
        ({"cholesky": np.array([[[0.1, 0.0], [0.0, -0.1]]])}, "diagonal of at least zero"),
        ({"k": np.zeros((2, 2))}, r"needs K \(T, A, D\), k \(T, A\)"),
        ({"K": np.zeros((0, 2, 3))}, "needs K"),
        ({"K": np.full((1, 2, 3), np.nan)}, "K holds values that are not finite"),
    ],
)
def test_wrong_arrays_are_refused(change, message):
    arrays = {"K": np.zeros((1, 2, 3)), "k": np.zeros((1, 2)), "cholesky": np.zeros((1, 2, 2))}
    LinearGaussianPolicy.from_arrays(arrays)  # a covariance of zero is a policy that does not explore
    with pytest.raises(NafRobotError, match=message):
        LinearGaussianPolicy.from_arrays(arrays | change)


def test_a_covariance_that_is_not_positive_definite_is_refused():
    with pytest.raises(NafRobotError, match="must be positive definite"):
        LinearGaussianPolicy.from_covariance(np.zeros((1, 2, 3)), np.zeros((1, 2)), [[[1.0, 2.0], [2.0, 1.0]]])


def test_an_overflow_is_told_and_not_clipped_away():
    policy = LinearGaussianPolicy.from_covariance(np.full((1, 1, 1), 3e38), np.zeros((1, 1)), [[[0.01]]])
    with np.errstate(over="ignore"), pytest.raises(NafRobotError, match="action that is not finite"):
        policy.act([1e3])
