"""Protection that is missing is said or refused, never silently absent."""

import numpy as np
import pytest

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.projection import self_collision
from naf_robot.arm.projection.projection import SafetyConfig, SafetyProjection, SelfCollisionConfig, SphereConfig
from naf_robot.arm.projection.self_collision import SelfCollision
from naf_robot.core.errors import ConfigError, RobotModelError
from naf_robot.core.resources import find

BOX = '<box size="0.05 0.05 0.2"/>'
OCTREE = '<octree file="room.bt"/>'
LIMIT = '<limit lower="-2" upper="2" effort="10" velocity="1.5"/>'


def arm(tmp_path, *shapes, lengths=0.3):
    """A chain of hinges, link k with the collision shapes `shapes[k]`."""
    text = ""
    for k, geometries in enumerate(shapes):
        collisions = "".join(f"<collision><geometry>{shape}</geometry></collision>" for shape in geometries)
        text += f'<link name="link_{k}">{collisions}</link>'
        if k:
            text += (
                f'<joint name="joint_{k}" type="revolute"><parent link="link_{k - 1}"/><child link="link_{k}"/>'
                f'<origin xyz="0 0 {lengths}"/><axis xyz="0 1 0"/>{LIMIT}</joint>'
            )
    path = tmp_path / "arm.urdf"
    path.write_text(f'<robot name="arm">{text}</robot>', encoding="utf-8")
    return ArmModel(path, f"link_{len(shapes) - 1}")


def project(model, home=None, **collision):
    sphere = SphereConfig(centre=(0.0, 0.0, 0.5), radius=1.0)
    return SafetyProjection(model, SafetyConfig(sphere=sphere, self_collision=SelfCollisionConfig(**collision)), home)


def test_an_arm_with_all_its_shapes_has_no_warning(tmp_path):
    assert project(arm(tmp_path, [BOX], [BOX], [BOX], [BOX])).warnings == ()


def test_shapes_of_an_unknown_kind_are_named_and_cost_no_other(tmp_path):
    model = arm(tmp_path, [BOX], [BOX], [OCTREE, BOX], [BOX])
    (warning,) = project(model).warnings
    assert warning == (
        "a collision shape of link 'link_2' is left out: 'octree' is not known; "
        "valid: box, capsule, cylinder, mesh, sphere"
    )
    assert [shape.link for shape in model.description.shapes].count("link_2") == 1


def test_capsules_are_watched(tmp_path):
    capsule = '<capsule radius="0.05" length="0.2"/>'
    projection = project(arm(tmp_path, [capsule], [capsule], [capsule], [capsule]))
    assert projection.warnings == ()
    assert "link_0/link_2" in SelfCollision(projection.model).names


def test_an_arm_whose_shapes_are_all_dropped_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"has no collision shapes; a .*link_0.*set safety\.self_collision"):
        project(arm(tmp_path, [OCTREE], [OCTREE], [OCTREE]))


def test_an_arm_without_shapes_is_refused_unless_self_collision_is_off(tmp_path):
    model = arm(tmp_path, [], [], [])
    with pytest.raises(ConfigError, match=r"has no collision shapes: give its links some, or set"):
        project(model)
    assert project(model, enabled=False).warnings == ("self-collision is switched off",)


def test_no_watched_pair_is_said(tmp_path):
    assert project(arm(tmp_path, [BOX], [BOX])).warnings == ("no pair of links is watched for self-collision",)


def test_pairs_that_always_touch_are_said(tmp_path):
    large = '<box size="1 1 1"/>'
    (text,) = project(arm(tmp_path, [large], [], [large], [BOX], [], [BOX], lengths=0.1)).warnings
    assert text.startswith("not watched for self-collision, because they touch in every posture: link_0/link_2")


def test_our_own_arms_have_no_warning():
    for urdf, tool in (("urdf/arm7.urdf", "tool"), ("urdf/test_arms/offset_wrist_arm.urdf", "tool0")):
        assert project(ArmModel(find(urdf), tool)).warnings == ()


def test_a_library_that_fails_is_found_before_anything_moves(tmp_path, monkeypatch):
    """As coal did for meshes beside boxes: every single step would have been an INTERNAL_ERROR."""

    def fails(*_):
        raise RuntimeError("local bounding box not computed")

    monkeypatch.setattr(self_collision.SelfCollision, "distances", fails)
    with pytest.raises(RobotModelError, match=r"fails at home \[.*RuntimeError: local bounding box not computed \("):
        project(arm(tmp_path, [BOX], [BOX], [BOX]))


def test_an_internal_error_carries_its_traceback(projection, home, monkeypatch):
    monkeypatch.setattr(projection.path_limits, "state", lambda *_: 1 / 0)
    result = projection.project(home, np.zeros(7), np.zeros(7), np.zeros(7), 0.05)
    assert result.error.startswith("Traceback")
    assert "ZeroDivisionError" in result.error


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'<robot name="\xe4rm"/>', r"is not UTF-8 text \(byte 13\): save it in that encoding"),
        (b"not a description", r"is not a valid URDF: "),
        (b"", r"is not a valid URDF: "),
        (b"<robot>\x00</robot>", r"is not a valid URDF: "),
        (b'<robot name="r"></robot>', r"arm\.urdf"),
    ],
)
def test_a_file_that_is_no_urdf_is_one_sentence(tmp_path, content, sentence):
    path = tmp_path / "arm.urdf"
    path.write_bytes(content)
    with pytest.raises(RobotModelError, match=sentence) as caught:
        ArmModel(path, "tool")
    assert "\n" not in str(caught.value)


def test_kinematics_that_are_not_finite_are_refused(tmp_path):
    path = tmp_path / "arm.urdf"
    links = '<link name="a"/><link name="tool"/>'
    joint = (
        f'<joint name="j" type="revolute"><parent link="a"/><child link="tool"/><origin xyz="nan 0 0"/>{LIMIT}</joint>'
    )
    path.write_text(f'<robot name="r">{links}{joint}</robot>')
    with pytest.raises(RobotModelError):
        project(ArmModel(path, "tool"), enabled=False)
