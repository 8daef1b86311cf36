import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from naf_robot.learning.bellman import bootstrap_factor, td_target
from naf_robot.learning.naf import losses
from naf_robot.learning.triangle import triangle_indices

SIZE = 4
TRIANGLE = SIZE * (SIZE + 1) // 2


def finite(*shape: int, largest: float = 8.0):
    return arrays.arrays(np.float64, shape, elements=st.floats(-largest, largest))


def dense(raw_triangle: np.ndarray, limit: float = 5.0) -> np.ndarray:
    rows, columns = triangle_indices(SIZE)
    lower = np.zeros((SIZE, SIZE))
    lower[rows, columns] = raw_triangle
    np.fill_diagonal(lower, np.exp(limit * np.tanh(np.diag(lower) / limit)))
    return lower


def maps(limit=5.0, widths=None):
    return losses.triangle_maps(SIZE, limit, widths, dtype=torch.float64)


def advantage(raw_mu, raw_triangle, action, widths=(SIZE, TRIANGLE)):
    tensors = []
    for array, width in zip((raw_mu, raw_triangle, action), (*widths, widths[0]), strict=True):
        rows = torch.as_tensor(np.atleast_2d(array))
        tensors.append(torch.nn.functional.pad(rows, (0, width - rows.shape[1])))
    return [t.numpy() for t in losses.quadratic_advantage(*tensors, maps(widths=widths))]


@given(finite(SIZE), finite(TRIANGLE), arrays.arrays(np.float64, SIZE, elements=st.floats(-1.0, 1.0)))
def test_padding_changes_nothing_and_stays_zero(raw_mu, raw_triangle, action):
    plain, padded = (advantage(raw_mu, raw_triangle, action, widths) for widths in ((SIZE, TRIANGLE), (16, 12)))
    for one, other in zip(plain, padded, strict=True):
        np.testing.assert_allclose(one, other[..., : one.shape[-1]], rtol=1e-12, atol=1e-12)
        assert not other[..., one.shape[-1] :].any()


@given(finite(SIZE), finite(TRIANGLE), arrays.arrays(np.float64, SIZE, elements=st.floats(-1.0, 1.0)))
def test_advantage_is_the_quadratic_form_and_never_positive(raw_mu, raw_triangle, action):
    lower = dense(raw_triangle)
    difference = action - np.tanh(raw_mu)
    wanted = -0.5 * difference @ (lower @ lower.T) @ difference
    found = advantage(raw_mu, raw_triangle, action)[0][0]
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    assert found <= 0.0


@given(finite(SIZE), finite(TRIANGLE), arrays.arrays(np.float64, SIZE, elements=st.floats(-1.0, 1.0)))
def test_advantage_is_zero_at_mu_and_less_elsewhere(raw_mu, raw_triangle, offset):
    mu = np.tanh(raw_mu)
    assert advantage(raw_mu, raw_triangle, mu)[0][0] == pytest.approx(0.0, abs=1e-20)
    if np.linalg.norm(offset) > 1e-3:
        assert advantage(raw_mu, raw_triangle, mu + offset)[0][0] < 0.0


@given(finite(TRIANGLE, largest=3.0))  # Cholesky's rounding is the limit beyond, not the form
def test_precision_is_positive_definite(raw_triangle):
    lower = dense(raw_triangle)
    assert np.prod(np.diag(lower)) > 0.0
    np.linalg.cholesky(lower @ lower.T)  # raises unless positive definite


@given(arrays.arrays(np.float64, (3, TRIANGLE), elements=st.floats(-1e9, 1e9)), st.floats(0.5, 10.0))
def test_diagonal_is_bounded_and_keeps_its_slope(raw, limit):
    triangle, slope = (t.numpy() for t in losses.bounded_triangle(torch.from_numpy(raw), maps(limit)))  # a quarter
    diagonal = triangle[:, :SIZE]
    assert (diagonal >= np.exp(-limit) * 0.999).all()
    assert (diagonal <= np.exp(limit) * 1.001).all()
    assert np.isfinite(slope).all()
    assert (slope[:, :SIZE][np.abs(raw[:, :SIZE]) < limit] > 0.0).all()
    np.testing.assert_array_equal(triangle[:, SIZE:], raw[:, SIZE:])
    assert (slope[:, SIZE:] == 0.25).all()


@settings(max_examples=30)
@given(finite(5, SIZE), finite(5, TRIANGLE), arrays.arrays(np.float64, (5, SIZE), elements=st.floats(-1.0, 1.0)))
def test_gradients_equal_autograd(raw_mu, raw_triangle, action):
    _, mu_gradient, triangle_gradient = advantage(raw_mu, raw_triangle, action)
    mu, raw = torch.tensor(raw_mu, requires_grad=True), torch.tensor(raw_triangle, requires_grad=True)
    rows, columns = triangle_indices(SIZE)
    lower = torch.zeros(5, SIZE, SIZE, dtype=torch.float64)
    diagonal = torch.exp(5.0 * torch.tanh(raw[:, :SIZE] / 5.0))
    lower[:, rows, columns] = torch.cat((diagonal, raw[:, SIZE:]), 1)
    difference = (torch.tensor(action) - torch.tanh(mu)).unsqueeze(2)
    (-0.5 * (lower.transpose(1, 2) @ difference).square().sum()).backward()
    np.testing.assert_allclose(mu_gradient, mu.grad.numpy(), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(triangle_gradient, raw.grad.numpy(), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(
    ("terminated", "truncated", "time_limit_is_terminal", "wanted"),
    [
        (0.0, 0.0, False, 1.5 + 0.9 * 10.0),
        (1.0, 0.0, False, 1.5),
        (0.0, 1.0, False, 1.5 + 0.9 * 10.0),  # a time limit bootstraps
        (1.0, 1.0, False, 1.5),
        (0.0, 0.0, True, 1.5 + 0.9 * 10.0),
        (0.0, 1.0, True, 1.5),  # Algorithm 1 as printed
        (1.0, 0.0, True, 1.5),
    ],
)
def test_td_target_by_hand(terminated, truncated, time_limit_is_terminal, wanted):
    flags = torch.tensor([terminated]), torch.tensor([truncated])
    factor = bootstrap_factor(*flags, 0.9, time_limit_is_terminal)
    target = td_target(torch.tensor([1.5]), factor, torch.tensor([10.0]))
    assert float(target) == pytest.approx(wanted)


def test_value_bounds_by_hand():
    assert losses.value_bounds((-2.0, 0.5), 0.9) == pytest.approx((-20.0, 5.0))
    assert losses.value_bounds((-2.0, 0.5), 1.0) == (-np.inf, np.inf)
