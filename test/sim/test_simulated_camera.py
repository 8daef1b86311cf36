"""The camera of a simulated robot: where it is, what it sees, and what that costs."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendering import needs_rendering

from naf_robot.core.config import build
from naf_robot.core.errors import ConfigError
from naf_robot.run.config import resolve
from naf_robot.run.environments import make_environment
from naf_robot.run.worlds import make_simulator
from naf_robot.sensing import rotation
from naf_robot.sensing.video.calibration import load_calibration
from naf_robot.sim.camera import SimulatedCameraConfig, camera_file, pixel_of

pytestmark = needs_rendering
coordinate = st.floats(-2.0, 2.0)
point = st.tuples(coordinate, coordinate, coordinate)


def simulator(robots=("a",), **overrides):
    config = resolve("reach_camera", overrides=[{"robots": list(robots), **overrides}])
    return make_simulator(config, robots)


def ball(picture: np.ndarray) -> tuple[float, float]:
    """Mean column and row of what is red."""
    colours = picture.astype(int)
    rows, columns = np.nonzero((colours[..., 0] > 60) & (colours[..., 1] < 40))
    return float(columns.mean()), float(rows.mean())


@pytest.mark.parametrize("size", [(64, 64), (48, 80)])
def test_the_calibrated_pose_says_where_things_are_in_the_pictures(size):
    height, width = size
    sensors = {"camera": {"height": height, "width": width}}
    world = simulator(sensors=sensors, task={"picture_height": height, "picture_width": width})
    camera = world.calibrations("a")["camera"]
    for target in ((0.55, 0.0, 0.45), (0.62, 0.08, 0.4), (0.5, -0.09, 0.5)):
        world.reset("a", np.array(target), at_home=True)
        picture = world.signals("a")["camera"]
        assert picture.shape == (height, width, 3)
        np.testing.assert_allclose(ball(picture), pixel_of(camera, target), atol=0.6)


def test_each_robot_has_a_picture_of_its_own_world():
    world = simulator(("a", "b"))
    world.reset("a", np.array([0.5, 0.08, 0.45]), at_home=True)
    world.reset("b", np.array([0.5, -0.08, 0.45]), at_home=True)
    columns = [ball(world.signals(name)["camera"])[0] for name in ("a", "b")]
    assert columns[0] > columns[1] + 10.0


def test_pictures_follow_the_arm_repeat_with_the_seed_and_change_nothing():
    """The same commands with and without a camera lead to the same states, to the last bit."""
    seen, unseen = simulator(), make_simulator(resolve("reach", overrides=[{"robots": ["a"]}]), ("a",))
    again, pictures = simulator(), []
    for world in (seen, unseen, again):
        world.reset("a", np.array([0.55, 0.0, 0.45]), at_home=True)
    for step in range(10):
        for world in (seen, unseen, again):
            world.command("a", np.full(7, 0.3 * np.sin(step)))
            world.step()
        pictures.append(seen.signals("a")["camera"])
        np.testing.assert_array_equal(pictures[-1], again.signals("a")["camera"])
        np.testing.assert_array_equal(seen.signals("a")["joint_position"], unseen.signals("a")["joint_position"])
    assert (pictures[0] != pictures[-1]).any()


def test_the_environment_cuts_and_resizes_as_the_sensor_does():
    sensors = {"camera": {"frame_height": 96, "frame_width": 128, "crop": {"left": 16, "width": 96}, "resize": True}}
    config = resolve("reach_camera", overrides=[{"sensors": sensors}])
    environment = make_environment(config)
    observation, info = environment.reset(seed=3)
    assert environment.observation_space.contains(observation)
    assert observation["camera"].shape == (64, 64, 3)
    camera = environment._simulator.calibrations("robot_1")["camera"]
    assert (camera.image_height, camera.image_width) == (96, 128)
    column, row = pixel_of(camera, info["goal"]["target"])
    np.testing.assert_allclose(ball(observation["camera"]), ((column - 16.0) * 64 / 96, row * 64 / 96), atol=0.8)


def test_the_target_is_not_given_but_seen():
    environment = make_environment(resolve("reach_camera"))
    assert "target" not in [array.name for array in environment.task.observation_spec.arrays]
    first, _ = environment.reset(seed=1)
    second, _ = environment.reset(seed=2)
    np.testing.assert_array_equal(first["state"], second["state"])
    assert (first["camera"] != second["camera"]).any()


def test_a_delayed_camera_shows_the_past():
    imperfect = {"imperfections": {"sensor_delay_periods": 2}}
    late, prompt = simulator(simulator=imperfect), simulator()
    pictures: list[list[np.ndarray]] = [[], []]
    for world, found in zip((late, prompt), pictures, strict=True):
        world.reset("a", np.array([0.55, 0.0, 0.45]), at_home=True)
        for _ in range(6):
            world.command("a", np.full(7, 0.4))
            world.step()
            found.append(world.signals("a")["camera"])
    for step in range(3, 6):
        np.testing.assert_array_equal(pictures[0][step], pictures[1][step - 2])


@settings(max_examples=60, deadline=None)
@given(position=point, look_at=point, field=st.floats(0.1, 3.0))
def test_what_it_looks_at_is_in_the_middle_and_up_is_up(position, look_at, field):
    try:
        config = SimulatedCameraConfig(position=position, look_at=look_at, field_of_view=field)
    except ConfigError as error:
        assert "look_at must be beside position" in str(error)  # noqa: PT017
        return
    axes = config.optical_axes()
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-9)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    camera = camera_file(config, 30, 40)
    np.testing.assert_allclose(pixel_of(camera, look_at), (19.5, 14.5), atol=1e-4)
    distance = np.linalg.norm(np.subtract(look_at, position))  # a camera may be nearer to it than a millimetre
    above = np.add(look_at, (0.0, 0.0, 1e-3 * distance))
    assert pixel_of(camera, above)[1] < 14.5
    np.testing.assert_allclose(rotation.rotated(camera.orientation, (0.0, 0.0, 1.0)), axes[:, 2], atol=1e-9)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"field_of_view": 0.0}, "field_of_view must be between 0 and pi"),
        ({"look_at": [1.24, 0.0, 0.0]}, "look_at must be beside position"),
        ({"multisampling": 3}, "multisampling must be 0, 2, 4 or 8"),
    ],
)
def test_wrong_cameras_are_refused(values, message):
    with pytest.raises(ConfigError, match=message):
        build(SimulatedCameraConfig, values, "simulator.camera")


def test_pictures_of_another_size_than_the_task_observes_are_refused():
    with pytest.raises(ConfigError, match=r"observes pictures of 64 x 64 .* sensors.camera gives 48 x 64"):
        resolve("reach_camera", overrides=[{"sensors": {"camera": {"height": 48}}}])
    crop = {"camera": {"crop": {"left": 60, "width": 64}, "resize": True}}
    with pytest.raises(ConfigError, match="give frame_height and frame_width too"):
        make_environment(resolve("reach_camera", overrides=[{"sensors": crop}]))


def test_a_saved_calibration_is_one_that_the_camera_node_reads(tmp_path):
    from naf_robot.core.config import dump_yaml

    camera = simulator().calibrations("a")["camera"]
    path = tmp_path / "camera.yaml"
    path.write_text(dump_yaml(camera))
    assert load_calibration(path) == camera.intrinsics()


def test_a_machine_that_cannot_render_is_told_what_to_install():
    program = (
        "import os; os.environ['MUJOCO_GL'] = 'osmesa'\n"
        "import sys; sys.modules['mujoco.osmesa'] = None\n"
        "from naf_robot.run.environments import make_registered\n"
        "from naf_robot.core.errors import NafRobotError\n"
        "try: make_registered('reach_camera')\n"
        "except NafRobotError as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert "cannot render with osmesa" in run.stdout, run.stdout
    assert "apt install libegl1 libgl1-mesa-dri" in run.stdout
