import numpy as np
import pytest

from naf_robot.arm.model.limits import JointLimitsConfig, limits_from_config
from naf_robot.arm.model.limits_file import load_joint_limits
from naf_robot.arm.projection.projection import SafetyConfig, SafetyProjection, SphereConfig
from naf_robot.core.config import build
from naf_robot.core.errors import ConfigError, UnknownNameError

SPHERE = SphereConfig(centre=(0.4, 0.0, 0.6), radius=0.6)


def limits_with(model, **joints):
    values = {name: JointLimitsConfig(**limits) for name, limits in joints.items()}
    return SafetyProjection(model, SafetyConfig(sphere=SPHERE, joints=values)).limits


def test_narrower_limit_wins_and_wider_is_ignored(model):
    limits = limits_with(model, joint_1={"max_velocity": 0.5, "max_position": 9.0}, joint_2={"max_velocity": 99.0})
    assert limits.max_velocity[0] == 0.5
    assert limits.max_position[0] == 2.96
    assert limits.max_velocity[1] == 1.48


def test_acceleration_is_never_off(model):
    assert (limits_with(model).max_acceleration == SafetyConfig(sphere=SPHERE).max_acceleration).all()
    with pytest.raises(ConfigError, match="max_acceleration"):
        SafetyConfig(sphere=SPHERE, max_acceleration=np.inf)


def test_false_flag_of_ros2_control_adds_nothing_and_removes_nothing(model):
    limits = limits_with(model, joint_1={"max_velocity": 0.5, "has_velocity_limits": False})
    assert limits.max_velocity[0] == 1.48


def test_velocity_scale_narrows_every_joint(model):
    scaled = SafetyProjection(model, SafetyConfig(sphere=SPHERE, velocity_scale=0.1)).limits
    np.testing.assert_allclose(scaled.max_velocity, 0.1 * model.limits().max_velocity)


def test_unknown_joint_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="unknown joint 'joint_9' in the joint limits; valid: a, b"):
        limits_from_config(("a", "b"), {"joint_9": JointLimitsConfig()}, 1.0)


def test_empty_position_interval_names_joint_and_both_values(model):
    with pytest.raises(ConfigError, match=r"'joint_1' has min_position 1.0 and max_position 0.5: nothing is left"):
        limits_with(model, joint_1={"min_position": 1.0, "max_position": 0.5})


def test_limits_are_read_from_plain_values():
    config = build(
        SafetyConfig,
        {"sphere": {"centre": [0, 0, 0.5], "radius": "5e-1"}, "joints": {"joint_1": {"max_velocity": 0.3}}},
    )
    assert config.joints["joint_1"].max_velocity == 0.3
    assert config.sphere.radius == 0.5


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"joints": {"joint_1": {"max_speed": 1.0}}}, "max_speed"),
        ({"joints": {"joint_1": {"max_velocity": 0.0}}}, "> 0.0"),
        ({"velocity_scale": 1.5}, "<= 1.0"),
        ({"sphere": {"centre": [0, 0, 0], "radius": 0.01, "margin": 0.02}}, "margin 0.02 m must be smaller"),
        ({"half_spaces": [{"name": "floor", "normal": [0, 0, 0], "offset": 0}]}, "has no direction"),
        ({"keep_out_boxes": [{"name": "b", "min_corner": [0, 0, 0], "max_corner": [1, 1, 0]}]}, "must be below"),
        ({"self_collision": {"slow_distance": 0.01}}, "slow_distance 0.01 m must exceed"),
    ],
)
def test_wrong_configuration_says_what_is_wrong(values, text):
    base = {"sphere": {"centre": [0, 0, 0.5], "radius": 0.5}}
    with pytest.raises((ConfigError, UnknownNameError), match=text):
        build(SafetyConfig, base | values)


def write(tmp_path, text):
    path = tmp_path / "joint_limits.yaml"
    path.write_text(text)
    return str(path)


def test_limits_file_narrows_and_joints_narrow_further(model):
    config = SafetyConfig(
        sphere=SPHERE,
        joint_limits_file="config/limits/arm7.yaml",
        joints={"joint_1": JointLimitsConfig(max_velocity=0.2), "joint_2": JointLimitsConfig(max_velocity=0.9)},
    )
    limits = SafetyProjection(model, config).limits
    np.testing.assert_array_equal(limits.max_velocity[:3], [0.2, 0.7, 0.8])
    assert limits.max_acceleration[0] == 5.0


def test_limits_file_of_ros2_control_and_moveit_is_understood(tmp_path):
    path = write(
        tmp_path,
        """joint_limits:
  a: {has_velocity_limits: true, max_velocity: 1e-1, has_acceleration_limits: false, max_acceleration: 0.0}
  b: {min_position: -2.0, max_position: 2.0, has_soft_limits: true, soft_lower_limit: -1.5, soft_upper_limit: 3.0,
      k_position: 10.0, has_deceleration_limits: true, max_deceleration: 4.0, max_acceleration: 5.0, max_jerk: 100.0}
""",
    )
    limits = load_joint_limits(path)
    assert limits["a"].max_velocity == 0.1
    assert limits["a"].max_acceleration is None
    assert (limits["b"].min_position, limits["b"].max_position, limits["b"].max_acceleration) == (-1.5, 2.0, 4.0)


def test_limits_file_may_name_joints_of_other_controllers(model, tmp_path):
    path = write(tmp_path, "joint_limits: {finger: {max_velocity: 0.1}}")
    limits = SafetyProjection(model, SafetyConfig(sphere=SPHERE, joint_limits_file=path)).limits
    np.testing.assert_array_equal(limits.max_velocity, model.limits().max_velocity)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("limits: {}", "has no mapping 'joint_limits'"),
        ("joint_limits: {a: 3}", r"joint_limits.a in .* must be a mapping, got 3"),
        ("joint_limits: {a: {max_speed: 1.0}}", "unknown limit 'max_speed' in joint_limits.a"),
        ("joint_limits: {a: {max_velocity: -1.0}}", "joint_limits.a"),
    ],
)
def test_wrong_limits_file_says_what_is_wrong(tmp_path, text, reason):
    with pytest.raises((ConfigError, UnknownNameError), match=reason):
        load_joint_limits(write(tmp_path, text))
