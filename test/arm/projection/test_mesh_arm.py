"""An arm of meshes, each as its convex hull: the same promises as for boxes and cylinders."""

import numpy as np
import pytest
from attack import attack
from meshes import mesh_arm

from naf_robot.arm.projection.projection import SafetyConfig, SafetyProjection, SphereConfig

ERROR = 1e-6  # [m] of a distance


@pytest.fixture(scope="module")
def made(tmp_path_factory, compiled):
    sphere = SphereConfig(centre=(0.0, 0.0, 0.4), radius=1.0)
    return SafetyProjection(mesh_arm(tmp_path_factory.mktemp("meshes")), SafetyConfig(sphere=sphere), compiled=compiled)


def test_links_driven_together_stop_apart(made):
    """Full speed down the gradient of the smallest distance, from where no links are near."""
    pairs, random = made.path_limits.self_collision, np.random.default_rng(0)
    limits, stop, acted = made.limits, made.config.self_collision.stop_distance, 0

    def together(position, step):
        return -np.sign(pairs.gradient(position, int(pairs.distances(position).argmin()))) * limits.max_velocity

    for _ in range(4):
        position = random.uniform(-2.0, 2.0, 6)
        while (
            pairs.distances(position).min() < 0.03
            or made.path_limits.tool_limits[0].value(made.model.tool_point(position)) > -0.02
        ):
            position = random.uniform(-2.0, 2.0, 6)
        for result, _, after in attack(made, position, np.zeros(6), together, 50):
            assert pairs.distances(after).min() >= stop - ERROR
            assert result.relaxed == ()
            acted += any(name.startswith("self_collision:") for name in result.active)
    assert acted > 20


def test_the_tool_stays_inside_under_held_full_speed(made):
    random, sphere = np.random.default_rng(1), made.path_limits.tool_limits[0]
    for _ in range(6):
        command = random.choice((-1.0, 1.0), 6) * made.limits.max_velocity
        for _, _, after in attack(made, np.full(6, 0.4), np.zeros(6), lambda q, k, c=command: c, 40):
            assert sphere.value(made.model.tool_point(after)) <= 0.0
            assert (made.limits.min_position <= after).all()
            assert (after <= made.limits.max_position).all()
