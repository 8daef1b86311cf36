"""Descriptions from every source, and the sentences for those that are not sound."""

import sys

import numpy as np
import pytest
from urdf_texts import BOX, LIMIT, binary_stl, gripper, joint, link, package, robot, two_links

from naf_robot.arm.model.config import ArmConfig
from naf_robot.arm.model.description import Description
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.model.packages import PackageNotFoundError
from naf_robot.arm.projection.self_collision import SelfCollision
from naf_robot.core.errors import ConfigError, NafRobotError, RobotModelError, UnknownNameError

XACRO = 'xmlns:xacro="http://www.ros.org/wiki/xacro"'
FOREIGN = (
    '<gazebo reference="tool"><material>x</material></gazebo><transmission name="t"/>'
    '<ros2_control name="c"><hardware><plugin>p</plugin></hardware></ros2_control>'
    '<mujoco><compiler meshdir="nowhere"/></mujoco><unknown/>'
)


def arm(path, **settings):
    return ArmConfig(urdf=str(path), **{"tool_frame": "tool", "joints": ("hinge",), "home": (0.0,), **settings})


def written(tmp_path, text, name="arm.urdf"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        two_links(extra=FOREIGN).encode(),
        b"\xef\xbb\xbf" + two_links().encode(),
        two_links().replace(">", ">\r\n").encode(),
        f'<?xml version="1.0" encoding="latin-1"?>{two_links(extra="<!-- größer -->")}'.encode("latin-1"),
        ('<?xml version="1.0" encoding="utf-16"?>' + two_links()).encode("utf-16"),
        two_links().replace("hinge", "arm/left hinge").encode(),
    ],
    ids=["foreign tags", "bom", "crlf", "latin-1", "utf-16", "names"],
)
def test_what_a_urdf_may_hold(tmp_path, content):
    model = ArmModel(written(tmp_path, content), "tool")
    np.testing.assert_allclose(model.tool_position(np.zeros(1)), [0.0, 0.0, 0.3])


B, T = link("base", inertial=""), link("tool")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (two_links().encode()[:-3], "is not a valid URDF: "),
        (b'<robot name="\xe4"/>', "is not UTF-8 text"),
        ("<sdf/>", "its first element is <sdf>, not <robot>"),
        ("<robot/>", "is not a valid URDF: it has no links"),
        (robot(B, B), "has 2 links called 'base'; names must differ"),
        (robot(B, T, *[joint("hinge", "base", "tool")] * 2), "has 2 joints called 'hinge'; names must differ"),
        (robot(B, T, "<link/>"), "a link has no name"),
        (robot(B, T), "must have one link without a parent, it has 'base', 'tool'"),
        (robot(B, joint("hinge", "base", "tool")), "child link 'tool' of joint 'hinge' is not in URDF arm.urdf"),
        (robot(B, T, joint("hinge", "base", "tool", "hinge")), "has type 'hinge'; valid: continuous, fixed, floating"),
        (robot(B, T, joint("a", "base", "tool"), joint("b", "base", "tool")), "is the child of two joints"),
        (robot(B, T, joint("a", "tool", "base"), joint("b", "base", "tool")), "it has none, its joints form a loop"),
        (two_links(inside=""), "is revolute and has no <limit>: state its lower and upper position"),
        (two_links(inside=LIMIT.replace("20", "x")), "effort of <limit> must be a finite number, got 'x'"),
        (two_links(inside=LIMIT + '<mimic joint="no"/>'), "unknown joint 'no' in <mimic> of joint 'hinge'"),
        (two_links(kind="floating", inside=""), "'hinge' in URDF arm.urdf is floating; only revolute, continuous and"),
        (two_links(extra=f'<xacro:arg {XACRO} name="a"/>${{a}}'), "xacro"),
        (
            two_links(BOX).replace('<origin xyz="0 0 0.1"/><geometry>', '<origin xyz="0 nan 0"/><geometry>'),
            "xyz of <origin> must be 3 finite numbers, got '0 nan 0'",
        ),
    ],
)
def test_a_description_that_is_not_sound_is_one_sentence(tmp_path, text, sentence):
    path = written(tmp_path, text)
    with pytest.raises(NafRobotError) as caught:
        arm(path).model()
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_floating_joint_below_the_arm_is_refused_by_name_and_beside_it_fixed(tmp_path):
    text = robot(
        link("world"), link("base"), T, link("ball"),
        joint("free", "world", "{}", "floating", ""), joint("hinge", "base", "tool"), "{}",
    )  # fmt: skip
    below = text.format("base", joint("other", "world", "ball", "fixed", ""))
    with pytest.raises(
        RobotModelError, match=r"joint 'free' in URDF .* is floating and carries the arm; only arms on a"
    ):
        arm(written(tmp_path, below)).model()
    beside = text.format("ball", joint("other", "world", "base", "fixed", ""))
    assert arm(written(tmp_path, beside)).model().size == 1


def test_relative_meshes_start_at_the_file_and_text_needs_no_file(tmp_path):
    (tmp_path / "m.stl").write_bytes(binary_stl())
    text = two_links('<mesh filename="m.stl"/>')
    assert Description.from_text(text, "topic", folder=tmp_path).shapes[0].kind == "mesh"
    with pytest.raises(RobotModelError, match="cannot load the collision shapes of 'topic'"):
        Description.from_text(text, "topic", folder=tmp_path / "elsewhere")
    with pytest.raises(RobotModelError, match="'topic' is xacro, not URDF"):
        Description.from_text(f"<robot {XACRO}><xacro:if value='1'/></robot>", "topic")


@pytest.fixture
def maker(tmp_path):
    """A maker's package with a xacro file that includes another, reads a YAML file and has a mesh of its own."""
    root = package(tmp_path, "maker_description", "maker+stack")
    (root / "m.stl").write_bytes(binary_stl())
    (root / "limits.yaml").write_text("velocity: 0.7\n")
    mesh = '<mesh filename="package://maker_description/m.stl" scale="${size} 1 1"/>'
    macro = '<xacro:macro name="part" params="name size">' + link("${name}", mesh) + "</xacro:macro>"
    (root / "part.xacro").write_text(f"<robot {XACRO}>{macro}</robot>")
    speed = "${xacro.load_yaml('$(find maker_description)/limits.yaml')['velocity']}"
    limit = f'<limit lower="-1" upper="1" effort="1" velocity="{speed}"/>'
    text = robot(
        '<xacro:arg name="size" default="1"/><xacro:arg name="hand" default="false"/>',
        '<xacro:include filename="$(find maker_description)/part.xacro"/>',
        B,
        '<xacro:part name="tool" size="$(arg size)"/>',
        joint("hinge", "base", "tool", inside=limit),
        '<xacro:if value="$(arg hand)"><xacro:include filename="$(find absent)/x.xacro"/></xacro:if>',
        attributes=XACRO,
    )
    (root / "arm.urdf.xacro").write_text(text)
    return root


def test_a_makers_xacro_is_processed_with_its_arguments_packages_and_yaml(maker):
    model = arm(maker / "arm.urdf.xacro", xacro_args={"size": 3}).model()
    assert model.limits().max_velocity == [0.7]
    assert model.description.shapes[0].geometry.computeVolume() == pytest.approx(0.003, rel=1e-5)
    assert model.description.source == str(maker / "arm.urdf.xacro")


def test_a_package_may_name_the_description(maker, tmp_path):
    found = arm("package://maker_description/arm.urdf.xacro", package_dirs=(str(tmp_path),)).description()
    assert found.source == str(maker / "arm.urdf.xacro")
    assert arm(f"file://{maker}/arm.urdf.xacro").description().source == found.source


def test_xacro_is_noticed_whatever_the_file_is_called(maker):
    (maker / "arm.urdf.xacro").rename(maker / "arm.urdf")
    assert arm(maker / "arm.urdf").model().limits().max_velocity == [0.7]


def test_a_change_of_an_included_file_is_noticed(maker):
    config = arm(maker / "arm.urdf.xacro")
    assert config.model().limits().max_velocity == [0.7]
    (maker / "limits.yaml").write_text("velocity: 0.30\n")
    assert config.model().limits().max_velocity == [0.3]


@pytest.mark.parametrize(
    ("change", "arguments", "sentence"),
    [
        ("$(arg size)", {}, "Undefined substitution argument"),
        ("x", {"hand": True}, "package 'absent' not found; looked in"),
        ("${1/0}", {}, "division by zero"),
        ("<", {}, "arm.urdf.xacro"),
    ],
)
def test_what_xacro_refuses_is_one_sentence(maker, change, arguments, sentence):
    path = maker / "arm.urdf.xacro"
    text = path.read_text().replace('name="r"', f'name="{change}"')
    path.write_text(text.replace('<xacro:arg name="size" default="1"/>', "") if "size" in change else text)
    with pytest.raises(RobotModelError) as caught:
        arm(path, xacro_args=arguments).model()
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_xacro_a_sentence_says_what_to_install(maker, monkeypatch):
    monkeypatch.setitem(sys.modules, "xacro", None)
    with pytest.raises(RobotModelError, match="is a xacro file, and xacro is not installed: pip install xacro, or"):
        arm(maker / "arm.urdf.xacro", xacro_args={"size": 2}).model()


def test_the_fallback_is_used_and_said_where_a_package_is_missing(tmp_path):
    own = written(tmp_path, two_links(BOX))
    config = arm("package://absent/arm.urdf", fallback_urdf=str(own))
    found = config.description()
    assert found.source == str(own)
    assert found.notes[0].startswith(
        f"arm.fallback_urdf {str(own)!r} is used in place of 'package://absent/arm.urdf': "
    )
    with pytest.raises(PackageNotFoundError, match="package 'absent' not found"):
        arm("package://absent/arm.urdf").description()
    with pytest.raises(RobotModelError, match="is not a valid URDF"):  # which a fallback must not hide
        arm(written(tmp_path, "<robot>", "broken.urdf"), fallback_urdf=str(own)).description()


def test_pairs_that_an_srdf_disables_are_not_watched(tmp_path):
    urdf = written(tmp_path, gripper())
    config = ArmConfig(urdf=str(urdf), tool_frame="tool", joints=("a", "b", "finger"), home=(0.0, 0.0, 0.0))
    assert "base/lower" in SelfCollision(config.model()).names
    text = '<disable_collisions link1="lower" link2="base" reason="Never"/><group name="arm"/>'
    srdf = written(tmp_path, robot(text), "arm.srdf")
    disabled = ArmConfig(**{name: getattr(config, name) for name in config.__struct_fields__} | {"srdf": str(srdf)})
    model = disabled.model()
    assert model.disabled_pairs == {frozenset(("base", "lower"))}
    assert "base/lower" not in SelfCollision(model).names
    assert "base/lower" in SelfCollision(model, pairs=(("base", "lower"),)).names  # chosen explicitly
    written(tmp_path, two_links().replace("robot", "sdf"), "arm.srdf")
    with pytest.raises(RobotModelError, match="is not a valid SRDF: its first element is <sdf>, not <robot>"):
        disabled.model()


def test_joints_that_are_named_wrongly_are_listed(tmp_path):
    urdf = written(tmp_path, gripper())

    def model(joints=("a", "b"), **settings):
        return ArmConfig(
            urdf=str(urdf), tool_frame="tool", joints=joints, home=(0.0,) * len(joints), **settings
        ).model()

    with pytest.raises(UnknownNameError, match=r"unknown joint 'c' in URDF arm\.urdf; valid: a, b, finger, thumb"):
        model(("a", "c"))
    with pytest.raises(RobotModelError, match=r"'thumb' in URDF arm\.urdf follows 'finger' \(<mimic>\): control that"):
        model(("a", "thumb"))
    with pytest.raises(UnknownNameError, match=r"unknown joint 'thumb' in arm\.locked; valid: finger"):
        model(locked={"thumb": 0.1})
    with pytest.raises(ConfigError, match=r"arm\.locked has joint 'a', which is controlled"):
        model(locked={"a": 0.1})
    with pytest.raises(ConfigError, match=r"arm\.locked has 1 for joint 'finger', outside its limits of 0\.2 to 0\.9"):
        model(locked={"finger": 1.0})


def test_links_without_shapes_are_said_where_others_have_some(tmp_path):
    bare = '<link name="tool"><visual><geometry><sphere radius="1"/></geometry></visual></link>'
    text = robot(link("base", BOX), bare, joint("hinge", "base", "tool"))
    found = Description.from_file(written(tmp_path, text))
    assert found.unwatched == ("nothing keeps links without collision shape from touching others: tool",)
    assert found.unwatched[0] in found.notes
