"""A simulated arm is the arm of its description: the same kinematics, contacts and joints, and it tracks."""

import mujoco
import numpy as np
import pytest
from simulated_arms import arm, moved
from urdf_texts import BOX, LIMIT, binary_stl, gripper, joint, link, robot, two_links

from naf_robot.arm.model.contacts import untouchable_pairs
from naf_robot.core.errors import RobotModelError
from naf_robot.sim.mujoco.world import MujocoSimulator
from naf_robot.sim.registry import World
from naf_robot.sim.simulator import SimulatorConfig

PERIOD = 0.05


def simulated(config, ignored=()):
    return MujocoSimulator(World({"a": config}, "free", SimulatorConfig(), PERIOD, ignored_pairs={"a": ignored}))


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
    first = joint("an arm/first", root, middle, kind, "" if kind == "fixed" else LIMIT)
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
