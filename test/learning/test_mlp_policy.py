import numpy as np
import pytest
from policies import standing_still, untrained

from naf_robot.core.errors import NafRobotError
from naf_robot.learning.policies.mlp import MlpPolicy


def test_action_by_hand():
    arrays = {
        "w0": np.array([[1.0, -1.0], [0.5, 2.0]]),
        "b0": np.array([0.0, 0.25]),
        "w1": np.array([[0.5], [-1.0]]),
        "b1": np.array([0.1]),
    }
    policy = MlpPolicy.from_arrays(arrays)
    assert (policy.observation_size, policy.action_size) == (2, 1)
    # hidden: relu(1 + 1) = 2, relu(-1 + 4 + 0.25) = 3.25; output tanh(1 - 3.25 + 0.1)
    assert policy.action([1.0, 2.0]) == pytest.approx([np.tanh(-2.15)], abs=1e-6)


def test_layer_norm_by_hand():
    arrays = {
        "w0": np.eye(2), "b0": np.zeros(2), "g0": np.array([2.0, 1.0]), "c0": np.array([0.5, 0.0]),
        "w1": np.array([[0.1], [0.1]]), "b1": np.zeros(1),
    }  # fmt: skip
    # mean 3, deviation 2: normalised (1, -1), scaled (2.5, -1), after ReLU (2.5, 0)
    assert MlpPolicy.from_arrays(arrays).action([5.0, 1.0]) == pytest.approx([np.tanh(0.25)], abs=1e-5)


def test_arrays_round_trip():
    policy = untrained(4, 2)
    again = MlpPolicy.from_arrays(policy.arrays())
    observation = np.arange(4, dtype=np.float32)
    np.testing.assert_array_equal(policy.action(observation), again.action(observation))
    assert policy.action(observation).dtype == np.float32
    assert np.all(standing_still(4, 2).action(observation) == 0.0)


def test_later_changes_of_the_arrays_do_not_reach_the_policy():
    arrays = untrained(4, 2).arrays()
    policy = MlpPolicy.from_arrays(arrays)
    before = policy.action(np.ones(4))
    arrays["w0"][:] = 0.0
    np.testing.assert_array_equal(before, policy.action(np.ones(4)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"w0": np.full((4, 3), np.nan)}, "w0 holds values that are not finite"),
        ({"b0": np.zeros(5)}, "layer 0 has arrays of shapes"),
        ({"w1": np.zeros((9, 2))}, "layer 1 takes 9 numbers, layer 0 gives 3"),
        ({"stray": np.zeros(1)}, "stray"),
        ({"w3": np.zeros((2, 2))}, "lack w2 or b2"),
    ],
)
def test_wrong_arrays_are_refused(change, message):
    arrays = untrained(4, 2, hidden=(3,)).arrays() | change
    with pytest.raises(NafRobotError, match=message):
        MlpPolicy.from_arrays(arrays)


def test_no_arrays_are_refused():
    with pytest.raises(NafRobotError, match="w0, b0"):
        MlpPolicy.from_arrays({})


@pytest.mark.parametrize(("observation", "message"), [([0.0] * 3, "shape"), ([0.0, np.nan, 0, np.inf], r"\[1, 3\]")])
def test_wrong_observations_are_refused(observation, message):
    with pytest.raises(NafRobotError, match=message):
        untrained(4, 2).action(observation)
