"""A simulated arm is the arm of its description: the same kinematics, contacts and joints, and it tracks."""

import mujoco
import numpy as np
import pytest
from urdf_texts import BOX, binary_stl, gripper, joint, link, robot, two_links

from naf_robot.arm.model.config import ArmConfig
from naf_robot.arm.model.contacts import untouchable_pairs
from naf_robot.core.errors import RobotModelError
from naf_robot.sim.mujoco.world import MujocoSimulator
from naf_robot.sim.registry import World
from naf_robot.sim.simulator import SimulatorConfig

PERIOD = 0.05


def arm(tmp_path, text, joints=("hinge",), home=None, **settings):
    path = tmp_path / "arm.urdf"
    path.write_text(text)
    home = (0.0,) * len(joints) if home is None else home
    return ArmConfig(urdf=str(path), tool_frame="tool", joints=joints, home=home, **settings)


def simulated(config, ignored=()):
    return MujocoSimulator(World({"a": config}, "free", SimulatorConfig(), PERIOD, ignored_pairs={"a": ignored}))


def moved(world, velocity, periods=10):
    world.command("a", np.asarray(velocity))
    for _ in range(periods):
        world.step()
    return world.signals("a")


def limit(lower=-2.0, upper=2.0, effort=20.0, velocity=1.5):
    return f'<limit lower="{lower}" upper="{upper}" effort="{effort}" velocity="{velocity}"/>'


def test_our_own_arm_moves_as_it_always_did():
    """Learning results depend on it: numbers recorded before arms were compiled from resolved descriptions."""
    from naf_robot.run.config import resolve
    from naf_robot.run.environments import make_simulator

    world, random = make_simulator(resolve("reach", overrides=[{"robots": ["a"]}]), ("a",)), np.random.default_rng(0)
    for step in range(100):
        if step % 20 == 0:
            world.command("a", random.uniform(-1.0, 1.0, 7))
        world.step()
    recorded = [
        0.8047229971066698, -0.07222693578830093, 1.34231250571602, -1.3667751526104999, -1.7084044418070174,
        2.091736965421946, -0.6982239794060674, 0.36539261389366384, 0.30331134474431876, 0.3712021649479785,
        -0.22140067986243334, -0.7236414188253302, -5.137433991622003e-07, 0.019042236523163118,
    ]  # fmt: skip
    signals = world.signals("a")
    found = np.concatenate([signals["joint_position"], signals["joint_velocity"]])
    np.testing.assert_allclose(found, recorded, rtol=0.0, atol=1e-9)  # bit for bit on one machine


@pytest.mark.parametrize("joints", [("a", "b"), ("b", "finger", "a")])
def test_kinematics_agree_at_random_postures_with_what_is_locked_and_what_follows(tmp_path, joints):
    config = arm(tmp_path, gripper(), joints, home=(0.3,) * len(joints))
    world, model, random = simulated(config), config.model(), np.random.default_rng(0)
    compiled, data = world.model("a"), world.data("a")
    for _ in range(20):
        position = random.uniform(model.limits().min_position, model.limits().max_position)
        world._robots["a"].arm.put(data, position)
        mujoco.mj_kinematics(compiled, data)
        np.testing.assert_allclose(data.body("tool").xpos, model.tool_position(position), atol=1e-9)


@pytest.mark.parametrize("names", [("world", "base"), ("odom", "world"), ("b/ase", "a link")])
@pytest.mark.parametrize("kind", ["revolute", "fixed"])
def test_links_and_joints_may_have_any_name(tmp_path, names, kind):
    (tmp_path / "m.stl").write_bytes(binary_stl())
    root, middle = names
    links = [link(root, inertial=""), link(middle, '<mesh filename="m.stl"/>'), link("tool", BOX)]
    first = joint("an arm/first", root, middle, kind, "" if kind == "fixed" else limit())
    text = robot(*links, first, joint("an arm/second", middle, "tool"))
    joints = ("an arm/second",) if kind == "fixed" else ("an arm/first", "an arm/second")
    config = arm(tmp_path, text, joints)
    world, position = simulated(config), np.full(len(joints), 0.4)
    world._robots["a"].arm.put(world.data("a"), position)
    mujoco.mj_kinematics(world.model("a"), world.data("a"))
    np.testing.assert_allclose(world.data("a").body("tool").xpos, config.model().tool_position(position), atol=1e-9)


def test_a_link_that_has_the_name_of_something_in_the_scene_is_said(tmp_path):
    with pytest.raises(RobotModelError, match=r"MuJoCo cannot compile URDF .*arm\.urdf': repeated name 'goal' in body"):
        simulated(arm(tmp_path, two_links().replace("base", "goal")))


def test_locked_joints_do_not_swing_and_followers_follow_in_motion(tmp_path):
    config = arm(tmp_path, gripper(), ("a", "b", "finger"), home=(0.0, 0.5, 0.5))
    world, model = simulated(config), config.model()
    for velocity in ([1.0, -1.0, 0.5], [-1.0, 1.0, -0.5], [0.0, 0.0, 0.0]):
        signals = moved(world, velocity, 10)
        mujoco.mj_kinematics(world.model("a"), world.data("a"))  # a step moves the joints after the bodies
        expected = model.tool_position(signals["joint_position"])
        np.testing.assert_allclose(world.data("a").body("tool").xpos, expected, atol=2e-4)
    locked = simulated(arm(tmp_path, gripper(), ("a",), locked={"finger": 0.4}))
    assert locked.model("a").nv == 1


def test_continuous_joints_turn_without_end(tmp_path):
    world = simulated(arm(tmp_path, two_links(BOX, kind="continuous", inside=limit(effort=20))))
    assert moved(world, [1.5], 200)["joint_position"][0] == pytest.approx(15.0, rel=0.02)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("dynamics", ["", '<dynamics damping="30" friction="4"/>'])
@pytest.mark.parametrize("effort", [0.0, 2.0, 20.0, 300.0])
def test_an_asked_speed_is_reached_whatever_damping_friction_and_effort_are_stated(tmp_path, sign, dynamics, effort):
    world = simulated(arm(tmp_path, two_links(BOX, inside=limit(effort=effort) + dynamics)))
    for speed in (0.05, 0.5):
        velocity = moved(world, [sign * speed], 20)["joint_velocity"][0]
        assert velocity == pytest.approx(sign * speed, rel=0.02)


def three_joints(mass, kind, effort):
    inertia = 0.01 * mass
    inertial = (
        f'<inertial><origin xyz="0 0 0.3"/><mass value="{mass}"/>'
        f'<inertia ixx="{inertia}" iyy="{inertia}" izz="{inertia}" ixy="0" ixz="0" iyz="0"/></inertial>'
    )
    parts = [joint(f"j{k}", f"l{k}", f"l{k + 1}", kind, limit(effort=effort)) for k in range(3)]
    links = [link(f"l{k}", inertial=inertial) for k in range(4)]
    return robot(*links, '<link name="tool"/>', *parts, joint("m", "l3", "tool", "fixed", ""))


@pytest.mark.parametrize("mass", [0.02, 1.0, 40.0])
@pytest.mark.parametrize("kind", ["revolute", "prismatic"])
def test_small_and_heavy_arms_are_stable_and_follow_in_the_end(tmp_path, mass, kind):
    effort = 2.0 * mass**0.5 if kind == "revolute" else 10.0 + 10.0 * mass
    world = simulated(arm(tmp_path, three_joints(mass, kind, effort), ("j0", "j1", "j2")))
    random = np.random.default_rng(0)
    for _ in range(20):
        target = random.uniform(-0.5, 0.5, 3)
        signals = moved(world, target, 6)
        assert np.abs(signals["joint_velocity"]).max() < 2.0
    np.testing.assert_allclose(moved(world, [0.1, -0.1, 0.1], 20)["joint_velocity"], [0.1, -0.1, 0.1], atol=0.005)


@pytest.mark.parametrize("mass", [0.02, 1.0, 40.0])
@pytest.mark.parametrize("kind", ["revolute", "prismatic"])
def test_an_arm_with_the_effort_for_it_follows_whatever_its_weight(tmp_path, mass, kind):
    world = simulated(arm(tmp_path, three_joints(mass, kind, 0.0), ("j0", "j1", "j2")))
    for sign in (1.0, -1.0):
        velocity = moved(world, [0.3 * sign, 0.0, 0.0], 12)["joint_velocity"]
        np.testing.assert_allclose(velocity, [0.3 * sign, 0.0, 0.0], atol=0.05)


def test_the_base_may_touch_the_first_link_and_overlapping_links_do_not_collide(tmp_path):
    (tmp_path / "m.stl").write_bytes(binary_stl())
    mesh = '<mesh filename="m.stl"/>'
    text = robot(
        link("world"), link("base", mesh), link("tool", mesh), joint("mount", "world", "base", "fixed", ""),
        joint("hinge", "base", "tool", xyz="0 0 0", axis="0 0 1"),
    )  # fmt: skip
    config = arm(tmp_path, text)
    assert frozenset(("base", "tool")) in untouchable_pairs(config.model())
    world = simulated(config)
    assert world.model("a").nmesh == 2
    assert moved(world, [0.5])["joint_velocity"][0] == pytest.approx(0.5, rel=0.02)
    assert world.data("a").ncon == 0


def three_links(shape=BOX):
    turned = joint("second", "middle", "tool")
    return robot(
        link("base", shape), link("middle", shape), link("tool", shape), joint("hinge", "base", "middle"), turned
    )


@pytest.mark.parametrize("shape", [BOX, '<capsule radius="0.03" length="0.2"/>', '<mesh filename="m.stl"/>'])
def test_links_that_are_watched_do_collide_unless_the_pair_is_ignored_or_disabled(tmp_path, shape):
    half = np.array([0.03, 0.03, 0.1])
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * half
    faces = [(a, b, c) for a in range(8) for b in range(a) for c in range(b)]
    (tmp_path / "m.stl").write_bytes(binary_stl(corners, faces))
    text = three_links(shape).replace('lower="-2" upper="2"', 'lower="-3" upper="3"')
    config = arm(tmp_path, text, ("hinge", "second"))

    def folded(config, ignored=()):
        return moved(simulated(config, ignored), [0.9, 1.4], 80)["joint_position"].sum()

    free = folded(config, (("tool", "base"),))
    assert folded(config) < free - 0.1
    (tmp_path / "arm.srdf").write_text('<robot name="r"><disable_collisions link1="base" link2="tool"/></robot>')
    srdf = arm(tmp_path, text, ("hinge", "second"), srdf=str(tmp_path / "arm.srdf"))
    assert folded(srdf) == pytest.approx(free)
