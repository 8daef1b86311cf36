"""In every simulator an arm is the arm of its description: it turns, follows, tracks and collides as that says."""

import numpy as np
import pytest
from simulated_arms import arm, moved
from urdf_texts import BOX, binary_stl, gripper, joint, link, robot, two_links

from naf_robot.sim.registry import World, make_simulator
from naf_robot.sim.simulator import SimulatorConfig

PERIOD = 0.05


def simulated(backend, config, ignored=()):
    return make_simulator(
        backend, World({"a": config}, "free", SimulatorConfig(), PERIOD, ignored_pairs={"a": ignored})
    )


def limit(lower=-2.0, upper=2.0, effort=20.0, velocity=1.5):
    return f'<limit lower="{lower}" upper="{upper}" effort="{effort}" velocity="{velocity}"/>'


@pytest.mark.parametrize("names", [("world", "base"), ("odom", "world"), ("b/ase", "a link"), ("__a__", "a::b")])
def test_links_and_joints_of_any_name_move(backend, tmp_path, names):
    (tmp_path / "m.stl").write_bytes(binary_stl())
    root, middle = names
    links = [link(root, inertial=""), link(middle, '<mesh filename="m.stl"/>'), link("tool", BOX)]
    joints = (f"{root}/first", f"__{middle}__")
    text = robot(*links, joint(joints[0], root, middle), joint(joints[1], middle, "tool"))
    signals = moved(simulated(backend, arm(tmp_path, text, joints)), [0.3, -0.2])
    np.testing.assert_allclose(signals["joint_velocity"], [0.3, -0.2], rtol=0.02)


def test_joints_that_follow_others_take_part_in_the_motion(backend, tmp_path):
    config = arm(tmp_path, gripper(), ("a", "b", "finger"), home=(0.0, 0.5, 0.5))
    world = simulated(backend, config)
    for velocity in ([1.0, -1.0, 0.3], [-1.0, 1.0, -0.3]):
        np.testing.assert_allclose(moved(world, velocity, 12)["joint_velocity"], velocity, atol=0.03)


def test_continuous_joints_turn_without_end(backend, tmp_path):
    world = simulated(backend, arm(tmp_path, two_links(BOX, kind="continuous", inside=limit(effort=20))))
    assert moved(world, [1.5], 200)["joint_position"][0] == pytest.approx(15.0, rel=0.02)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("dynamics", ["", '<dynamics damping="30" friction="4"/>'])
@pytest.mark.parametrize("effort", [0.0, 2.0, 20.0, 300.0])
def test_an_asked_speed_is_reached_whatever_the_description_states(backend, tmp_path, sign, dynamics, effort):
    world = simulated(backend, arm(tmp_path, two_links(BOX, inside=limit(effort=effort) + dynamics)))
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
def test_small_and_heavy_arms_are_stable_and_follow_in_the_end(backend, tmp_path, mass, kind):
    effort = 2.0 * mass**0.5 if kind == "revolute" else 10.0 + 10.0 * mass
    world = simulated(backend, arm(tmp_path, three_joints(mass, kind, effort), ("j0", "j1", "j2")))
    random = np.random.default_rng(0)
    for _ in range(20):
        target = random.uniform(-0.5, 0.5, 3)
        signals = moved(world, target, 6)
        assert np.abs(signals["joint_velocity"]).max() < 2.0
    np.testing.assert_allclose(moved(world, [0.1, -0.1, 0.1], 20)["joint_velocity"], [0.1, -0.1, 0.1], atol=0.005)


@pytest.mark.parametrize("mass", [0.02, 1.0, 40.0])
@pytest.mark.parametrize("kind", ["revolute", "prismatic"])
def test_an_arm_with_the_effort_for_it_follows_whatever_its_weight(backend, tmp_path, mass, kind):
    world = simulated(backend, arm(tmp_path, three_joints(mass, kind, 0.0), ("j0", "j1", "j2")))
    for sign in (1.0, -1.0):
        velocity = moved(world, [0.3 * sign, 0.0, 0.0], 12)["joint_velocity"]
        np.testing.assert_allclose(velocity, [0.3 * sign, 0.0, 0.0], atol=0.05)


def three_links(shape=BOX):
    turned = joint("second", "middle", "tool")
    return robot(
        link("base", shape), link("middle", shape), link("tool", shape), joint("hinge", "base", "middle"), turned
    )


@pytest.mark.parametrize("shape", [BOX, '<capsule radius="0.03" length="0.2"/>', '<mesh filename="m.stl"/>'])
def test_links_that_are_watched_do_collide_unless_the_pair_is_ignored_or_disabled(backend, tmp_path, shape):
    half = np.array([0.03, 0.03, 0.1])
    corners = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * half
    faces = [(a, b, c) for a in range(8) for b in range(a) for c in range(b)]
    (tmp_path / "m.stl").write_bytes(binary_stl(corners, faces))
    text = three_links(shape).replace('lower="-2" upper="2"', 'lower="-3" upper="3"')
    config = arm(tmp_path, text, ("hinge", "second"))

    def folded(config, ignored=()):
        return moved(simulated(backend, config, ignored), [0.9, 1.4], 80)["joint_position"].sum()

    free = folded(config, (("tool", "base"),))
    assert folded(config) < free - 0.1
    (tmp_path / "arm.srdf").write_text('<robot name="r"><disable_collisions link1="base" link2="tool"/></robot>')
    srdf = arm(tmp_path, text, ("hinge", "second"), srdf=str(tmp_path / "arm.srdf"))
    assert folded(srdf) == pytest.approx(free)
