"""Arms of makers, as `example-robot-data` has them: they load, every model agrees on them, and they track."""

import mujoco
import numpy as np
import pytest

from naf_robot.arm.model.config import ArmConfig
from naf_robot.arm.projection.self_collision import SelfCollision
from naf_robot.sim.mujoco.world import MujocoSimulator
from naf_robot.sim.registry import World, make_simulator
from naf_robot.sim.simulator import SimulatorConfig

ROBOTS = "package://example-robot-data/robots/"
SPEED = 0.1  # [rad/s]


def numbered(pattern, count):
    return tuple(pattern.format(number) for number in range(1, count + 1))


def arm(urdf, tool, joints, home, srdf=None):
    return ArmConfig(urdf=ROBOTS + urdf, tool_frame=tool, joints=joints, home=home, srdf=srdf and ROBOTS + srdf)


SO101 = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll")
UR5 = ("shoulder_pan_joint", "shoulder_lift_joint", "elbow_joint", *numbered("wrist_{}_joint", 3))
BAXTER = tuple(f"left_{name}" for name in ("s0", "s1", "e0", "e1", "w0", "w1", "w2"))
ARMS = {
    "panda": arm(
        "panda_description/urdf/panda.urdf", "panda_hand_tcp", numbered("panda_joint{}", 7),
        (0.0, -0.78, 0.0, -2.36, 0.0, 1.57, 0.78), "panda_description/srdf/panda.srdf",
    ),
    "ur5": arm(
        "ur_description/urdf/ur5_robot.urdf", "tool0", UR5, (0.0, -1.57, 1.57, -1.57, -1.57, 0.0),
        "ur_description/srdf/ur5.srdf",
    ),
    "xarm7": arm(
        "xarm_description/urdf/xarm7.urdf", "link_eef", numbered("joint{}", 7), (0.0, -0.6, 0.0, 0.8, 0.0, 1.4, 0.0)
    ),
    "so101": arm("so_arm_description/urdf/so101.urdf", "gripper_frame_link", SO101, (0.0, -0.5, 0.8, 0.5, 0.0)),
    "jaco": arm(
        "kinova_description/robots/kinova.urdf", "j2s6s200_end_effector", numbered("j2s6s200_joint_{}", 6),
        (3.14, 2.9, 1.3, 4.2, 1.4, 0.0), "kinova_description/srdf/kinova.srdf",
    ),
    "baxter": arm(
        "baxter_description/urdf/baxter.urdf", "left_gripper", BAXTER, (0.0, -0.55, 0.0, 0.75, 0.0, 1.26, 0.0),
        "baxter_description/srdf/baxter_manipulation.srdf",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ARMS)
def test_a_makers_arm_loads_and_agrees(name):
    config = ARMS[name]
    model = config.model()
    world = MujocoSimulator(World({"a": config}, "free", SimulatorConfig(), 0.05))
    compiled, data, random = world.model("a"), world.data("a"), np.random.default_rng(0)
    assert compiled.nv == model.size

    limits = model.limits()
    low, high = np.maximum(limits.min_position, -np.pi), np.minimum(limits.max_position, np.pi)
    for _ in range(20):
        position = random.uniform(low, high)
        world._robots["a"].arm.put(data, position)
        mujoco.mj_kinematics(compiled, data)
        np.testing.assert_allclose(data.body(config.tool_frame).xpos, model.tool_position(position), atol=1e-6)

    watched = SelfCollision(model)
    assert len(watched.names) >= 8
    assert watched.distances(np.array(config.home)).min() > 0.0

    world.reset("a", None, at_home=True)
    assert data.ncon == 0


@pytest.mark.parametrize("name", ARMS)
def test_a_makers_arm_tracks_in_every_simulator(backend, name):
    config = ARMS[name]
    world = make_simulator(backend, World({"a": config}, "free", SimulatorConfig(), 0.05))
    for sign in (1.0, -1.0):
        world.command("a", np.full(len(config.joints), sign * SPEED))
        for _ in range(10):
            world.step()
        velocity = world.signals("a")["joint_velocity"]
        np.testing.assert_allclose(velocity, sign * SPEED, rtol=0.02, err_msg=name)
