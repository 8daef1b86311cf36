import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from naf_robot.arm.projection.quadratic import nearest


def problem(seed):
    random = np.random.default_rng(seed)
    size, rows = int(random.integers(1, 9)), int(random.integers(1, 4))
    lower, upper = -random.uniform(0.0, 1.0, size), random.uniform(0.0, 1.0, size)
    fixed = random.random(size) < 0.2
    upper = np.where(fixed, lower, upper)
    inside = random.uniform(lower, upper)
    matrix = random.normal(size=(rows, size))
    return random.normal(size=size), lower, upper, matrix, matrix @ inside + random.exponential(0.2, rows), inside


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_solution_is_feasible_and_meets_the_variational_inequality(seed):
    """A point x is the projection of u onto a convex set exactly if (u - x).(y - x) <= 0 for every y in it."""
    target, lower, upper, matrix, bounds, inside = problem(seed)
    solution = nearest(target, lower, upper, matrix, bounds)
    assert solution is not None
    assert (solution >= lower).all()
    assert (solution <= upper).all()
    assert (matrix @ solution <= bounds + 1e-7).all()
    random = np.random.default_rng(seed)
    for _ in range(20):
        other = inside + random.uniform(0.0, 1.0) * (random.uniform(lower, upper) - inside)
        if (matrix @ other <= bounds).all():
            assert (target - solution) @ (other - solution) <= 1e-7


def test_contradiction_is_an_answer_not_an_error():
    row = np.array([[1.0, 1.0]])
    assert nearest(np.zeros(2), np.zeros(2), np.ones(2), row, np.array([-1.0])) is None


def test_equal_programmes_have_equal_solutions_whatever_was_solved_before():
    """Nothing is remembered from one call to the next: results must not depend on history."""
    problems = [problem(seed)[:5] for seed in range(40)]
    first = [nearest(*one) for one in problems]
    for one, solution in reversed(list(zip(problems, first, strict=True))):
        np.testing.assert_array_equal(nearest(*one), solution)
