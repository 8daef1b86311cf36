"""The solids of every arm stand where simulation has its links; the door where its simulator has it."""

from pathlib import Path

import mujoco
import numpy as np
import pytest

pytest.importorskip("trimesh", reason="needs trimesh (pip install '.[view]')")
from transforms3d import affines, quaternions
from urdf_texts import joint, link, robot

from naf_robot.arm.model.description import Description
from naf_robot.arm.model.visuals import GREY, read_visuals
from naf_robot.run.config import profile_files, resolve
from naf_robot.run.worlds import make_simulator
from naf_robot.sim.scenes.registry import SCENES
from naf_robot.tasks.registry import TASKS
from naf_robot.view.meshes import glb_of
from naf_robot.view.scenery import SCENERY, door_angle, scenery_of
from naf_robot.view.solids import RobotBodies, about, capsule

RED = '<material name="red"><color rgba="1 0 0 1"/></material>'


def matrix(pose) -> np.ndarray:
    return affines.compose(pose.origin, quaternions.quat2mat(pose.quaternion), np.ones(3))


@pytest.mark.parametrize("profile", profile_files())
def test_every_profiles_arm_has_something_to_see_where_its_links_are(profile: str):
    own = resolve("reach", overrides=[{"profile": profile, "robots": 1}])
    config = own.robot("robot_1")
    model = config.arm.model()
    bodies = RobotBodies(model)
    assert all(body.solids for body in bodies.bodies[1:]), "a moving part that nobody sees"
    simulator = make_simulator(own, ["robot_1"])
    compiled, data = simulator.model("robot_1"), simulator.data("robot_1")
    random, limits = np.random.default_rng(0), model.limits()
    low, high = np.maximum(limits.min_position, -3.0), np.minimum(limits.max_position, 3.0)
    for _ in range(5):
        position = random.uniform(low, high)
        simulator._robots["robot_1"].arm.put(data, position)
        mujoco.mj_kinematics(compiled, data)
        places = bodies.poses(position)
        part, placed = bodies._parts.part_of(config.arm.tool_frame)
        found, expected = matrix(places[part]) @ placed, data.body(config.arm.tool_frame)
        np.testing.assert_allclose(found[:3, 3], expected.xpos, atol=1e-5)
        np.testing.assert_allclose(found[:3, :3], expected.xmat.reshape(3, 3), atol=1e-5)
        np.testing.assert_allclose(bodies.tool_position(position), model.tool_position(position))


@pytest.mark.parametrize("profile", profile_files())
def test_meshes_that_the_package_has_can_be_drawn(profile: str):
    arm = resolve("reach", overrides=[{"profile": profile, "robots": 1}]).robot("robot_1").arm
    meshes = [shape for shape in read_visuals(arm.description()) if shape.file is not None]
    for shape in meshes[:2]:
        assert glb_of(shape.file, shape.colour)[:4] == b"glTF"


def description(visual: str, folder: Path, collision: str = '<box size="0.1 0.1 0.1"/>') -> Description:
    seen = link("tool", collision).replace("</link>", f"{visual}</link>")
    text = robot(RED, link("base", inertial=""), seen, joint("hinge", "base", "tool"))
    return Description.from_text(text, "arm.urdf", folder=folder)


def test_colours_are_of_the_material_or_of_its_name_or_grey(tmp_path: Path):
    shape = '<geometry><sphere radius="0.1"/></geometry>'
    for material, colour in (
        ('<material name="red"/>', (1.0, 0.0, 0.0, 1.0)),
        ('<material name="x"><color rgba="0 1 0 0.5"/></material>', (0.0, 1.0, 0.0, 0.5)),
        ('<material name="x"><color rgba="0 1 wrong 0.5"/></material>', GREY),
        ('<material name="unknown"/>', GREY),
        ("", GREY),
    ):
        drawn = read_visuals(description(f"<visual>{shape}{material}</visual>", tmp_path))
        assert [each.colour for each in drawn if each.link == "tool"] == [colour], material


def test_a_link_whose_mesh_is_missing_is_drawn_by_its_collision_shapes(tmp_path: Path):
    mesh = '<visual><geometry><mesh filename="package://nowhere/arm.dae"/></geometry></visual>'
    drawn = read_visuals(description(mesh, tmp_path))
    assert [(each.link, each.kind) for each in drawn] == [("tool", "box")]


def test_a_capsule_is_drawn_from_end_to_end():
    for start, end in (((0, 0, 0), (0.1, 0.2, -0.3)), ((0, 0, 1), (0, 0, 0)), ((0, 0, 0), (0, 0, 1))):
        cylinder, *balls = capsule(start, end, 0.01, GREY)
        half = matrix(cylinder.pose)[:3, 2] * cylinder.size[1] / 2.0
        np.testing.assert_allclose(cylinder.pose.origin - half, start, atol=1e-12)
        np.testing.assert_allclose(cylinder.pose.origin + half, end, atol=1e-12)
        np.testing.assert_allclose([ball.pose.origin for ball in balls], [start, end])


def test_every_scene_is_drawn_and_every_task_has_something():
    assert set(SCENERY) == set(SCENES)
    for task in TASKS:
        config = resolve(task)
        made = scenery_of(config)
        goal = config.make_task().goal_position(config.make_task().sample_goal(np.random.default_rng(0)))
        places = made.poses(goal, {})
        assert set(places) == {body.name for body in made.bodies}


def test_the_door_is_drawn_where_the_simulator_has_it():
    config = resolve("door_pull", overrides=[{"robots": 1}])
    simulator = make_simulator(config, ["robot_1"])
    goal, scenery = np.array((0.8, 0.25, 0.5)), scenery_of(config)
    simulator.reset("robot_1", goal, at_home=True)
    compiled, data = simulator.model("robot_1"), simulator.data("robot_1")
    for hinge, lever in ((0.0, 0.0), (0.7, 1.2), (-0.5, 0.3)):
        data.joint("door_hinge").qpos[0], data.joint("door_handle").qpos[0] = hinge, lever
        mujoco.mj_kinematics(compiled, data)
        places = scenery.poses(goal, {"door_angle": np.array([hinge]), "handle_angle": np.array([lever])})
        for name in ("door_frame", "door_panel", "door_lever"):
            np.testing.assert_allclose(places[name].origin, data.body(name).xpos, atol=1e-9, err_msg=name)
            found = quaternions.quat2mat(places[name].quaternion)
            np.testing.assert_allclose(found, data.body(name).xmat.reshape(3, 3), atol=1e-9, err_msg=name)


def test_the_doors_angle_is_found_in_its_orientation_alone():
    w, x, y, z = about((0.0, 0.0, -1.0), 0.4, np.zeros(3)).quaternion
    assert door_angle({"door_orientation": np.array((x, y, z, w))}) == pytest.approx(0.4)
    assert door_angle({}) is None


def test_a_scene_that_nobody_draws_shows_its_goal(monkeypatch: pytest.MonkeyPatch):
    config = resolve("reach")
    task = config.make_task()
    monkeypatch.setattr(type(task), "scene", "somewhere")
    assert set(scenery_of(config).poses(np.ones(3), {})) == {"target"}
