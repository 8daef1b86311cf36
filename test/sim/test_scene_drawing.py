"""What viewers draw of a scene stands where the simulator has it."""

import mujoco
import numpy as np
import pytest

from naf_robot.run.config import resolve
from naf_robot.run.worlds import make_simulator
from naf_robot.sensing import rotation
from naf_robot.sim.mujoco.door_model import FRAME, HINGE_JOINT, LEVER, LEVER_JOINT, PANEL
from naf_robot.sim.scenes.drawing import DRAWINGS
from naf_robot.sim.scenes.registry import SCENES, scene_config


@pytest.mark.parametrize(("door", "lever"), [(0.0, 0.0), (0.7, 0.0), (-1.2, 1.3)])
def test_the_door_is_drawn_where_the_simulator_has_it(door: float, lever: float):
    config = resolve("door_pull", overrides=[{"robots": ["a"]}])
    simulator, place = make_simulator(config, ("a",)), np.array([0.9, 0.2, 0.5])
    simulator.reset("a", place, at_home=True)
    model, data = simulator.model("a"), simulator.data("a")
    data.joint(HINGE_JOINT).qpos[:], data.joint(LEVER_JOINT).qpos[:] = door, lever
    mujoco.mj_forward(model, data)
    signals = {"door_angle": np.array([door]), "handle_angle": np.array([lever])}
    drawn = DRAWINGS["door"](scene_config("door", config.simulator.scene), place, signals)
    for body in (FRAME, PANEL, LEVER):
        first, count = model.body(body).geomadr[0], model.body(body).geomnum[0]
        solids = [each for each in drawn if each.name == body]
        assert len(solids) == count
        for geom, each in zip(range(first, first + count), solids, strict=True):
            solid = each.solid
            middle = solid.start if solid.shape == "box" else 0.5 * (np.add(solid.start, solid.end))
            np.testing.assert_allclose(each.point(middle), data.geom_xpos[geom], atol=1e-6)
            if solid.shape == "box":
                turned = np.column_stack([rotation.rotated(each.turn, axis) for axis in np.eye(3)])
                np.testing.assert_allclose(turned, data.geom_xmat[geom].reshape(3, 3), atol=1e-6)


def test_the_stick_and_its_string_are_drawn_where_the_simulator_has_them():
    config = resolve("pick_place", overrides=[{"robots": ["a"]}])
    simulator = make_simulator(config, ("a",))
    model, data = simulator.model("a"), simulator.data("a")
    joint = model.joint("stick").qposadr[0]
    data.qpos[joint : joint + 7] = (0.5, 0.1, 0.6, np.cos(0.4), 0.0, np.sin(0.4), 0.0)
    simulator.step()
    stick, string = DRAWINGS["pick_place"](scene_config("pick_place"), np.zeros(3), simulator.signals("a"))
    ends = (stick.point(stick.solid.start), stick.point(stick.solid.end))
    middle, axis = data.geom("stick").xpos, data.geom("stick").xmat.reshape(3, 3)[:, 2]
    half = model.geom("stick").size[1]
    np.testing.assert_allclose(ends, [middle - half * axis, middle + half * axis], atol=1e-6)
    np.testing.assert_allclose(string.point(string.solid.start), data.site("stick_top").xpos, atol=1e-6)
    np.testing.assert_allclose(string.point(string.solid.end), data.site("string_anchor").xpos, atol=1e-6)


def test_every_scene_can_be_drawn():
    assert set(DRAWINGS) == set(SCENES)
    for name in SCENES:
        DRAWINGS[name](scene_config(name), np.zeros(3), {})
