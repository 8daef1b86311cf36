"""Random postures, and an ideally tracking arm that follows whatever the projection lets through."""

import numpy as np
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

PERIOD_S = 0.05
few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
shares = arrays(np.float64, 7, elements=st.floats(-1.0, 1.0))
commands = arrays(np.float64, 7, elements=st.floats(-4.0, 4.0))
seeds = st.integers(0, 2**31)


def beyond(projection, position):
    return projection.path_limits.tool_limits[0].value(projection.model.tool_point(position))


def posture(projection, seed, inside=True):
    """A random posture that breaks no limit but, unless `inside`, the sphere's."""
    random = np.random.default_rng(seed)
    limits = projection.limits
    for _ in range(5000):
        position = random.uniform(limits.min_position + 0.05, limits.max_position - 0.05)
        point = projection.model.tool_point(position)
        values = [limit.value(point) + limit.margin for limit in projection.path_limits.tool_limits]
        watched = projection.path_limits.self_collision
        clear = watched is None or watched.distances(position).min() > 0.02
        if clear and max(values[1:], default=-1.0) < 0.0 and (values[0] < 0.0 if inside else values[0] > 0.02):
            return position
    raise AssertionError("no posture found")


def send(projection, position, command, sent, period=PERIOD_S):
    return projection.project(position, sent, command, sent, period)


def attack(projection, position, sent, command_of, steps):
    """Steps of an ideally tracking arm: yields the result and the position before and after."""
    for step in range(steps):
        result = send(projection, position, command_of(position, step), sent)
        after = position + PERIOD_S * result.velocity
        yield result, position, after
        position, sent = after, result.velocity
