"""Poses of geometries by their names."""

from types import SimpleNamespace

import numpy as np
import pytest

from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.core.errors import ConfigError
from naf_robot.sensing import rotation
from naf_robot.sensing.registry import make_sensor, make_sensors


def transform(position, quaternion):
    x, y, z, w = quaternion
    return SimpleNamespace(
        translation=SimpleNamespace(**dict(zip("xyz", position, strict=True))),
        rotation=SimpleNamespace(x=x, y=y, z=z, w=w),
    )


def message(**poses):
    return SimpleNamespace(joint_names=list(poses), transforms=[transform(*pose) for pose in poses.values()])


def test_poses_are_matched_by_name_and_others_may_be_beside_them():
    sensor = make_sensor("geometry_poses", (), {"geometry_poses": {"names": ["cup", "spoon"]}})
    about_z = rotation.about_axis([0.0, 0.0, 1.0], np.pi / 2.0)
    still = (0.0, 0.0, 0.0, 1.0)
    heard = message(spoon=((1.0, 2.0, 3.0), about_z), knife=((9.0, 9.0, 9.0), still), cup=((4.0, 5.0, 6.0), still))
    signals = sensor.read(heard)
    assert set(signals) == {"cup_position", "cup_rotation", "spoon_position", "spoon_rotation"}
    np.testing.assert_array_equal(signals["spoon_position"], [1.0, 2.0, 3.0])
    np.testing.assert_allclose(signals["spoon_rotation"], [0, -1, 0, 1, 0, 0, 0, 0, 1], atol=1e-12)
    np.testing.assert_array_equal(signals["cup_rotation"], np.eye(3).ravel())


@pytest.mark.parametrize(
    ("heard", "text"),
    [
        (message(spoon=((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))), "geometry_poses lacks cup; it has spoon"),
        (message(cup=((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.5))), "the rotation of cup is not a unit quaternion"),
        (SimpleNamespace(joint_names=["cup"], transforms=[]), "has 1 names but 0 transforms"),
    ],
)
def test_what_is_not_whole_is_refused(heard, text):
    sensor = make_sensor("geometry_poses", (), {"geometry_poses": {"names": ["cup"]}})
    with pytest.raises(RefusedMessage, match=text):
        sensor.read(heard)


def test_a_grippers_state_needs_a_gripper_and_has_its_joints():
    (state,) = make_sensors(["gripper_state"], ("shoulder",), {}, ("thumb", "finger"))
    heard = SimpleNamespace(name=["finger", "shoulder", "thumb"], position=[1.0, 9.0, 2.0], velocity=[3.0, 9.0, 4.0])
    signals = state.read(heard)
    np.testing.assert_array_equal(signals["gripper_position"], [2.0, 1.0])
    np.testing.assert_array_equal(signals["gripper_velocity"], [4.0, 3.0])
    with pytest.raises(ConfigError, match="sensor 'gripper_state' needs a gripper, and the robot has none"):
        make_sensors(["gripper_state"], ("shoulder",), {})
