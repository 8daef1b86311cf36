"""Arms at the edge of what the projection takes: few joints, sliders, no collision shapes."""

import numpy as np
import pytest

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.projection.projection import SafetyConfig, SafetyProjection, SelfCollisionConfig, SphereConfig
from naf_robot.core.errors import ConfigError

HINGE = """
  <joint name="hinge" type="revolute"><parent link="{parent}"/><child link="arm"/><axis xyz="0 0 1"/>
    <limit lower="-1" upper="1" effort="10" velocity="{speed}"/></joint>
  <link name="arm"/>
  <joint name="tip" type="fixed"><parent link="arm"/><child link="tool"/><origin xyz="0.5 0 0"/></joint>
  <link name="tool"/>"""
SLIDER = """
  <joint name="slider" type="prismatic"><parent link="base"/><child link="carriage"/><axis xyz="1 0 0"/>
    <limit lower="0" upper="0.8" effort="10" velocity="0.5"/></joint>
  <link name="carriage"/>"""


def make(tmp_path, body, **settings):
    urdf = tmp_path / "small.urdf"
    urdf.write_text(f'<robot name="small"><link name="base"/>{body}</robot>')
    sphere, off = SphereConfig(centre=(0.5, 0.0, 0.0), radius=0.4), SelfCollisionConfig(enabled=False)
    return SafetyProjection(ArmModel(urdf, "tool"), SafetyConfig(sphere=sphere, self_collision=off, **settings))


@pytest.mark.parametrize(
    ("body", "size"),
    [(HINGE.format(parent="base", speed=2.0), 1), (SLIDER + HINGE.format(parent="carriage", speed=2.0), 2)],
)
def test_small_arm_stays_inside_at_full_speed_either_way(tmp_path, body, size):
    projection = make(tmp_path, body)
    assert projection.model.size == size
    sphere = projection.path_limits.tool_limits[0]
    for way in (1.0, -1.0):
        position, sent = np.full(size, 0.1), np.zeros(size)
        for _ in range(100):
            result = projection.project(position, sent, np.full(size, way * 9.0), sent, 0.05)
            assert result.relaxed == ()
            position, sent = position + 0.05 * result.velocity, result.velocity
            assert sphere.value(projection.model.tool_point(position)) <= 0.0
            assert (position <= projection.limits.max_position).all()
            assert (position >= projection.limits.min_position).all()
        assert np.abs(sent).max() < 1e-2


def test_urdf_without_a_velocity_limit_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"joint 'hinge' has no max_velocity: .* safety\.joints\.hinge\.max_velocity"):
        make(tmp_path, HINGE.format(parent="base", speed=0.0))
