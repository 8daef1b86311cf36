"""No number that is not finite passes into a record of the arm: such a limit would never act."""

import importlib
import math
import pkgutil
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

import naf_robot.arm
from naf_robot.arm.control.actions import JointVelocity, ToolTwist
from naf_robot.arm.control.config import FollowingConfig
from naf_robot.arm.control.contact import ContactConfig
from naf_robot.arm.control.gripper import GripperConfig
from naf_robot.arm.control.velocity_control import VelocityControlConfig
from naf_robot.arm.model.config import ArmConfig
from naf_robot.arm.model.limits import JointLimitsConfig
from naf_robot.arm.model.limits_file import load_joint_limits
from naf_robot.arm.projection.config import (
    HalfSpaceConfig,
    KeepOutBoxConfig,
    SafetyConfig,
    SelfCollisionConfig,
    SphereConfig,
)
from naf_robot.arm.projection.pair_limits import PairLimits
from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.core.config import Config, build
from naf_robot.core.errors import ConfigError

SPHERE = {"centre": [0.4, 0.0, 0.6], "radius": 0.6, "margin": 0.01}
SAMPLES: dict[type[Config], dict] = {  # every number stated, so that every one is tried
    JointVelocity: {},
    ToolTwist: {},
    ArmConfig: {"urdf": "a", "tool_frame": "tool", "joints": ["a", "b"], "home": [0.1, 0.2]},
    JointLimitsConfig: {
        "min_position": -1.0,
        "max_position": 1.0,
        "max_velocity": 1.0,
        "max_acceleration": 1.0,
        "max_effort": 1.0,
    },
    SphereConfig: SPHERE,
    HalfSpaceConfig: {"name": "table", "normal": [0.0, 0.0, 1.0], "offset": 0.1},
    KeepOutBoxConfig: {"name": "post", "min_corner": [0.0, 0.0, 0.0], "max_corner": [1.0, 1.0, 1.0]},
    SelfCollisionConfig: {},
    SafetyConfig: {"sphere": SPHERE},
    ContactConfig: {"max_effort": {"joint_1": 1.0}},
    FollowingConfig: {},
    VelocityControlConfig: {"sensor_limits_s": {"imu": 0.1}},
    GripperConfig: {"joints": ["left", "right"], "max_effort": [1.0, -1.0], "home": [0.1, 0.2]},
}


def records() -> set[type[Config]]:
    """Every configuration record of the room."""
    names = [module.name for module in pkgutil.walk_packages(naf_robot.arm.__path__, "naf_robot.arm.")]
    modules = [importlib.import_module(name) for name in names]
    kinds = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    return {kind for kind in kinds if issubclass(kind, Config) and kind.__module__.startswith("naf_robot.arm")}


def numbers(value, path=()):
    """Paths of all floats below `value`, plain data."""
    if isinstance(value, float):
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from numbers(item, (*path, key))
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from numbers(item, (*path, place))


def replaced(value, path, new):
    if not path:
        return new
    if isinstance(value, dict):
        return {key: replaced(item, path[1:], new) if key == path[0] else item for key, item in value.items()}
    return [replaced(item, path[1:], new) if place == path[0] else item for place, item in enumerate(value)]


def cases():
    for record, sample in SAMPLES.items():
        whole = msgspec.to_builtins(build(record, sample))
        for path in numbers(whole):
            yield pytest.param(record, whole, path, id=f"{record.__name__}.{'.'.join(map(str, path))}")


def test_the_list_is_whole():
    assert records() == set(SAMPLES)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("record", "sample", "path"), list(cases()))
def test_a_number_that_is_not_finite_is_refused(record, sample, path, value):
    with pytest.raises(ConfigError) as caught:
        build(record, replaced(sample, path, value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: HalfSpaceConfig(name="table", normal=(0.0, 0.0, 1.0), offset=math.nan),
            "half-space 'table': offset must be a finite number, got nan",
        ),
        (
            lambda: KeepOutBoxConfig(name="post", min_corner=(0.0, -math.inf, 0.0), max_corner=(1.0, 1.0, 1.0)),
            "keep-out box 'post': min_corner[1] must be a finite number, got -inf",
        ),
        (
            lambda: ContactConfig(max_effort={"joint_1": math.nan}),
            "contact: max_effort.joint_1 must be a finite number, got nan",
        ),
    ],
)
def test_the_sentence_says_what_and_where(make, sentence):
    """Also where a record is built by a program, which no type check guards."""
    with pytest.raises(ConfigError) as caught:
        make()
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("min_position: .nan", "joint limits: min_position must be a finite number, got nan"),
        ("soft_lower_limit: .inf", "joint limits: min_position must be a finite number, got inf"),
        ("max_deceleration: fast", r"max_deceleration of joint_limits\.joint_1 in .* must be a number, got 'fast'"),
    ],
)
def test_a_limits_file_is_no_way_around(tmp_path, line, sentence):
    path = tmp_path / "limits.yaml"
    path.write_text(f"joint_limits:\n  joint_1: {{max_acceleration: 2.0, {line}}}\n")
    with pytest.raises(ConfigError, match=sentence):
        load_joint_limits(str(path))


@pytest.fixture(scope="module")
def in_python(projection):
    return SafetyProjection(projection.model, projection.config, compiled=False)


def test_numbers_that_are_not_finite_break_their_limit_at_run_time(in_python, home, monkeypatch):
    """Should kinematics or distances ever fail to give a number, nothing but a full stop is admitted."""
    sent = np.full(7, 0.2)
    monkeypatch.setattr(in_python.model, "tool_point", lambda position: [0.4, math.nan, 0.6])
    result = in_python.project(home, sent, np.full(7, 0.3), sent, 0.05)
    assert not result.velocity.any()


def test_a_distance_that_is_not_a_number_admits_no_motion(in_python, home, monkeypatch):
    pairs = in_python.path_limits.self_collision
    unknown = np.full(len(pairs.names), np.nan)
    monkeypatch.setattr(pairs, "distances", lambda position: unknown)
    monkeypatch.setattr(pairs, "some_distances", lambda position, numbers: [math.nan for _ in numbers])
    monkeypatch.setattr(pairs, "gradient", lambda position, pair: np.zeros(7))
    sent = np.full(7, 0.2)
    assert not in_python.project(home, sent, np.full(7, 0.3), sent, 0.05).velocity.any()


@pytest.mark.parametrize("method", ["some_distances", "nearer"])
def test_pairs_whose_distance_is_not_a_number_are_too_near(projection, home, monkeypatch, method):
    """Where the Lipschitz bounds prove nothing, the measured distance must say that the links are apart."""
    pairs, bounds = projection.path_limits.self_collision, np.full((5, 1), 0.01)
    if method == "some_distances":
        monkeypatch.setattr(pairs, "some_distances", lambda position, numbers: [math.nan for _ in numbers])
    else:
        bounds[4] = -np.inf  # nothing is asked for at the standstill, so all is asked of the way to it
        monkeypatch.setattr(pairs, "_clearance", -1.0)
        monkeypatch.setattr(pairs, "_results", [SimpleNamespace(min_distance=math.nan)])
    limits = PairLimits(pairs, projection.config.self_collision)
    positions, least = np.tile(home, (5, 1)), np.full((5, len(pairs.names)), -np.inf)
    assert limits.broken(positions, least[:, :1], bounds, only_first=True)
