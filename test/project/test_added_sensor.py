"""docs/add_a_sensor.md, done from outside the package: the width of a gripper, as a stamped point's x."""

import numpy as np
import pytest

from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.core.array_spec import ArraySpec, ObservationSpec
from naf_robot.core.errors import UnknownNameError
from naf_robot.core.resources import share_directory
from naf_robot.run.config import resolve
from naf_robot.run.environments import make_environment
from naf_robot.run.robot_parts import task_sensors, tick_assembler
from naf_robot.run.worlds import make_simulator
from naf_robot.sensing.registry import SENSORS, SensorEntry, make_sensor, raw_sensors, register
from naf_robot.sensing.sensor import Sensor, SensorConfig
from naf_robot.sim.mujoco import scenes as mujoco_scenes
from naf_robot.sim.mujoco.scenes import FreeScene
from naf_robot.sim.scenes import registry as scenes
from naf_robot.tasks.reach import Reach, ReachConfig
from naf_robot.tasks.registry import TASKS, TaskEntry
from naf_robot.tasks.registry import register as register_task


class GripperConfig(SensorConfig, frozen=True):
    widest: float = 0.08  # [m]


def gripper_width(config: GripperConfig, joints: tuple[str, ...]) -> Sensor:
    def decode(message):
        return {"gripper_width": np.array([message.point.x])}

    def encode(message, signals):
        message.point.x = float(signals["gripper_width"][0])

    spec = ArraySpec("gripper_width", (1,), "m", low=0.0, high=config.widest)
    return Sensor("gripper_width", "gripper/width", "geometry_msgs/msg/PointStamped", (spec,), decode, encode)


class Grip(Reach):
    """Reach with a gripper whose width is observed, in a scene that has one."""

    name = "grip"
    scene = "grip"
    sensors = ("gripper_width",)
    required_signals = ("gripper_width",)

    def __init__(self, config: ReachConfig, joint_count: int) -> None:
        super().__init__(config, joint_count)
        width = ArraySpec("gripper_width", (1,), "m")
        self.observation_spec = ObservationSpec("grip", (*self.observation_spec.arrays, width))


class GripScene(FreeScene):
    """A gripper that closes by a millimetre with every reading."""

    def __init__(self, config, seed=0, numbers=()) -> None:
        super().__init__(config, seed, numbers)
        self.width = 0.08

    def signals(self, model, data):
        self.width -= 0.001
        return {"gripper_width": np.array([self.width])}


@pytest.fixture(autouse=True)
def added(tmp_path):
    file = tmp_path / "grip.yaml"
    file.write_text((share_directory() / "config" / "tasks" / "reach.yaml").read_text("utf-8"), "utf-8")
    register("gripper_width", SensorEntry(GripperConfig, gripper_width))
    register_task("grip", TaskEntry(ReachConfig, Grip, "test/Grip-v0", file))
    scenes.register("grip", scenes.FreeSceneConfig)
    mujoco_scenes.register("grip", GripScene)
    yield
    for registry, name in (
        (SENSORS, "gripper_width"),
        (TASKS, "grip"),
        (scenes.SCENES, "grip"),
        (mujoco_scenes.BUILDERS, "grip"),
    ):
        del registry[name]


def test_it_goes_through_its_message_there_and_back():
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    from naf_robot.nodes.sensor_messages import to_message, topics_and_types

    sensor = make_sensor("gripper_width")
    message = to_message(sensor, {"gripper_width": np.array([0.03])}, 2.5, "hand")
    assert (message.header.stamp.sec, message.header.frame_id) == (2, "hand")
    np.testing.assert_array_equal(sensor.read(message)["gripper_width"], [0.03])
    message.point.x = 0.2
    with pytest.raises(RefusedMessage, match=r"gripper_width must lie within \[0.0, 0.08\] m"):
        sensor.read(message)
    assert topics_and_types()["gripper/width"] == "geometry_msgs/msg/PointStamped"


def test_a_task_that_names_it_gets_it_in_its_ticks():
    config = resolve("grip")
    sensors = task_sensors(config, "robot_1")
    assert [sensor.topic for sensor in sensors] == ["gripper/width"]
    ticks = tick_assembler(config, "robot_1", lockstep=False)
    ticks.arrive("joint_states", 3.0, {"joint_position": np.zeros(7), "joint_velocity": np.zeros(7)}, 3.0)
    ticks.arrive("gripper_width", 3.0, {"gripper_width": np.array([0.05])}, 3.0)
    assert ticks.poll(3.0, 0.0).signals["gripper_width"][0] == 0.05


def test_it_is_observed_in_the_environment_and_said_by_the_simulator():
    config = resolve("grip")
    environment = make_environment(config)
    first, _ = environment.reset(seed=0)
    second, *_ = environment.step(np.zeros(7))
    assert 0.0 < second[-1] < first[-1] < 0.08
    offered = make_simulator(config, ("robot_1",)).signals("robot_1")
    assert [sensor.name for sensor in raw_sensors(task_sensors(config, "robot_1"), offered)] == ["gripper_width"]


def test_its_settings_are_checked_with_the_configuration():
    with pytest.raises(UnknownNameError, match=r"'width' in sensors.gripper_width"):
        resolve("grip", overrides=[{"sensors": {"gripper_width": {"width": 1.0}}}])
