import msgspec
import mujoco
import numpy as np
import pytest

from naf_robot.core.errors import ConfigError, SimulationError, UnknownNameError
from naf_robot.run.config import resolve
from naf_robot.run.worlds import make_simulator
from naf_robot.sim.mujoco.door_model import GRIP_SITE, HINGE_JOINT, LEVER_JOINT
from naf_robot.sim.mujoco.scenes import make_scene
from naf_robot.sim.scenes.door import DoorPhysics, DoorVariation, VariationRange

DOOR = ("door_hinge", "door_handle")


def world(robots=("a",), task="door_pull", **scene):
    return make_simulator(resolve(task, overrides=[{"robots": list(robots), "simulator": {"scene": scene}}]), robots)


def push(simulator, hinge, lever, periods, robot="a"):
    """Torques [N m] on hinge and lever for a while; the hinge's and the lever's angle then."""
    data = simulator.data(robot)
    data.joint(HINGE_JOINT).qfrc_applied[0], data.joint(LEVER_JOINT).qfrc_applied[0] = hinge, lever
    for _ in range(periods):
        simulator.step()
    signals = simulator.signals(robot)
    return signals["door_angle"][0], signals["handle_angle"][0]


def test_the_latch_holds_until_the_lever_is_turned():
    simulator = world()
    for torque in (30.0, -30.0):
        angle, _ = push(simulator, torque, 0.0, 20)
        assert abs(angle) < 0.01
    angle, lever = push(simulator, 5.0, 0.25, 20)
    assert 0.2 < lever < 1.05  # turned, but not far enough
    assert abs(angle) < 0.01
    angle, lever = push(simulator, 5.0, 1.5, 20)
    assert lever > 1.05
    assert angle > 0.3


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_door_opens_both_ways_to_a_right_angle_and_falls_shut(sign):
    simulator = world()
    simulator.reset("a", np.array([2.0, 0.3, 0.5]), at_home=True)  # out of the arm's reach
    angle, lever = push(simulator, sign * 20.0, 2.0, 100)
    assert angle == pytest.approx(sign * np.pi / 2, abs=0.05)
    assert lever == pytest.approx(np.pi / 2, abs=0.05)
    angle, lever = push(simulator, 0.0, 0.0, 140)
    assert abs(angle) < 1e-3
    assert abs(lever) < 0.02
    assert simulator.scene("a").latched(simulator.data("a"))
    angle, _ = push(simulator, sign * 20.0, 0.0, 20)
    assert abs(angle) < 0.01  # caught again


def test_the_lever_rises_by_itself():
    simulator = world()
    _, turned = push(simulator, 0.0, 2.0, 20)
    _, released = push(simulator, 0.0, 0.0, 40)
    assert turned > 1.4
    assert abs(released) < 0.02


def test_the_whole_door_stands_where_the_task_wants_it():
    config = resolve("door_pull", overrides=[{"robots": ["a"]}])
    task, simulator = config.make_task(), make_simulator(config, ("a",))
    random = np.random.default_rng(0)
    for _ in range(5):
        goal = task.sample_goal(random)
        simulator.reset("a", task.goal_position(goal), at_home=True)
        np.testing.assert_allclose(simulator.data("a").site(GRIP_SITE).xpos, goal["handle_rest"], atol=1e-9)
        assert task.ready(simulator.signals("a"))


def test_a_door_that_stays_closes_by_itself_and_one_that_moves_is_closed():
    simulator = world()
    place = np.array([2.0, 0.3, 0.5])
    simulator.reset("a", place, at_home=True)
    opened, _ = push(simulator, 5.0, 2.0, 40)
    simulator.reset("a", place, at_home=False)
    assert simulator.signals("a")["door_angle"][0] == pytest.approx(opened)
    simulator.reset("a", place + 0.1, at_home=False)
    assert simulator.signals("a")["door_angle"][0] == 0.0


def test_the_orientation_is_the_hinges_turn():
    simulator = world()
    simulator.reset("a", np.array([2.0, 0.3, 0.5]), at_home=True)
    angle, _ = push(simulator, 5.0, 2.0, 40)
    np.testing.assert_allclose(
        simulator.signals("a")["door_orientation"], [0, 0, -np.sin(angle / 2), np.cos(angle / 2)], atol=1e-6
    )


def test_the_arm_touches_the_door_and_nothing_else_touches():
    simulator = world()
    model, data = simulator.model("a"), simulator.data("a")
    touched = 0
    simulator.command("a", np.array([0.0, 0.4, 0.0, 0.4, 0.0, 0.0, 0.0]))  # leans forward onto the lever
    for _ in range(60):
        simulator.step()
        for contact in data.contact:
            names = {model.body(model.geom_bodyid[geom]).name for geom in (contact.geom1, contact.geom2)}
            door = {name for name in names if name.startswith("door_")}
            assert len(door) == 1
            touched += 1
    assert touched > 0


def test_robots_have_doors_of_their_own():
    simulator = world(("a", "b"), variation={"draw": "training"})
    opened, _ = push(simulator, 5.0, 2.0, 20, "a")
    assert opened > 0.1
    assert abs(simulator.signals("b")["door_angle"][0]) < 1e-3
    scene = simulator.scene("a")
    assert scene.physics(simulator.data("a")) != scene.physics(simulator.data("b"))


def test_held_out_physics_are_never_trained_on():
    random, nominal = np.random.default_rng(0), DoorPhysics()
    trained = [DoorVariation(draw="training").sample(nominal, random).hinge_spring for _ in range(300)]
    held = [DoorVariation(draw="held_out").sample(nominal, random).hinge_spring for _ in range(300)]
    inside = [min(trained) <= value <= max(trained) for value in held]
    assert not any(inside)
    assert min(held) < min(trained)
    assert max(held) > max(trained)
    assert DoorVariation().sample(nominal, random) == nominal


def test_bad_variations_are_refused():
    with pytest.raises(ConfigError, match="what is held out must not be trained on"):
        VariationRange(training=(0.5, 1.5), held_out_low=(0.4, 0.6))
    with pytest.raises(ConfigError, match=r"no physics 'colour' to vary; valid: .*panel_mass"):
        DoorVariation(factors={"colour": VariationRange()})
    with pytest.raises(UnknownNameError, match=r"unknown configuration key 'colour' in simulator.scene"):
        make_scene("door", {"colour": 1})


def test_varied_physics_reach_the_model():
    heavy = world(physics={"panel_mass": 40.0, "hinge_damping": 0.0})
    light = world(physics={"panel_mass": 1.0, "hinge_damping": 0.0})
    angles = []
    for simulator in (heavy, light):
        simulator.reset("a", np.array([2.0, 0.3, 0.5]), at_home=True)
        angles.append(push(simulator, 2.0, 2.0, 8)[0])
    assert angles[1] > 2.0 * angles[0] > 0.0


def test_an_exploding_door_is_an_error():
    simulator = world()
    simulator.data("a").joint(HINGE_JOINT).qvel[0] = 45.0
    with pytest.raises(SimulationError, match=r"the door diverged: .* J in its hinge"):
        simulator.scene("a").signals(simulator.model("a"), simulator.data("a"))


def test_the_door_is_stable_under_a_struggling_arm():
    simulator = world()
    random = np.random.default_rng(1)
    velocity = np.zeros(7)
    fastest = 0.0
    for _ in range(400):
        velocity = 0.9 * velocity + 0.4 * random.normal(size=7)
        simulator.command("a", np.clip(velocity, -1.0, 1.0))
        simulator.step()
        fastest = max(fastest, abs(simulator.data("a").joint(HINGE_JOINT).qvel[0]))
    assert fastest < 10.0


def test_the_scene_is_the_same_whatever_arm_stands_before_it():
    spec = mujoco.MjSpec()
    spec.compiler.degree = False
    make_scene("door").build(spec)
    model = spec.compile()
    assert {model.joint(i).name for i in range(model.njnt)} == set(DOOR)
    assert msgspec.structs.fields(DoorPhysics)


def test_a_stop_in_the_frame_lets_the_door_open_one_way_alone():
    simulator = world(hinge_range=[0.0, 1.5])
    simulator.reset("a", np.array([2.0, 0.3, 0.5]), at_home=True)
    pushed, _ = push(simulator, -20.0, 2.0, 40)
    assert pushed > -0.05
    pulled, _ = push(simulator, 20.0, 2.0, 60)
    assert pulled > 1.3
    with pytest.raises(ConfigError, match="hinge_range must hold zero"):
        world(hinge_range=[0.1, 1.5])
