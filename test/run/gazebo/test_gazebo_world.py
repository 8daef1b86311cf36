"""Gazebo's world, its bridge and everything else that lies in a run's folder `gazebo`."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import msgspec
import pytest
import yaml

from naf_robot.core.errors import ConfigError
from naf_robot.run.config import RunConfig, resolve
from naf_robot.run.gazebo.bridge import bridged_topics
from naf_robot.run.gazebo.files import GazeboFiles
from naf_robot.run.gazebo.world import gazebo_world
from naf_robot.sim.gazebo.door_model import SYSTEM, DoorSetup

PLACES = {"left": [1.0, 2.0, 0.0, 0.0, 0.0, 0.0], "right": [1.0, -2.0, 0.0, 0.0, 0.0, 1.5]}


def configured(task: str, **values) -> RunConfig:
    robots = {name: {"base_pose": place} for name, place in PLACES.items()}
    given = {"backend": "ros2_control", "simulated_time": True, "robots": robots}
    return resolve(task, overrides=[given | {"simulation": {"real_time_factor": 0.5}} | values])


@pytest.mark.parametrize(
    ("task", "topics"),
    [
        ("reach", set()),
        ("door_pull", {("door/state", "GZ_TO_ROS"), ("target", "ROS_TO_GZ")}),
        ("door_push", {("door/state", "GZ_TO_ROS"), ("target", "ROS_TO_GZ")}),
        ("door_real", {("door/imu", "GZ_TO_ROS"), ("target", "ROS_TO_GZ")}),
    ],
)
def test_the_bridge_carries_the_clock_and_what_the_task_senses(task: str, topics: set[tuple[str, str]]):
    found = {(each["ros_topic_name"], each["direction"]) for each in bridged_topics(configured(task))}
    assert found == {("/clock", "GZ_TO_ROS")} | {
        (f"/{robot}/{topic}", way) for robot in PLACES for topic, way in topics
    }


def test_a_sensor_that_the_world_has_not_is_named():
    with pytest.raises(ConfigError, match=r"task 'reach_camera' needs the sensor 'camera', which"):
        bridged_topics(configured("reach_camera"))


def test_every_robot_has_a_door_at_its_own_place_and_time_passes_by_itself():
    config = configured("door_real", seed=3)
    world = ElementTree.fromstring(gazebo_world(config)).find("world")
    assert float(world.findtext("physics/real_time_factor")) == 0.5
    assert float(world.findtext("physics/max_step_size")) == config.simulator.physics_step_s
    assert "gz::sim::systems::UserCommands" in {each.get("name") for each in world.findall("plugin")}
    doors = {model.get("name"): model for model in world.findall("model")}
    assert set(doors) == {"left_door", "right_door"}
    for number, (robot, place) in enumerate(PLACES.items()):
        door = doors[f"{robot}_door"]
        assert [float(word) for word in door.findtext("pose").split()] == place
        assert door.findtext("plugin/module_name") == SYSTEM
        setup = msgspec.json.decode(door.findtext("plugin/naf_robot"), type=DoorSetup)
        assert (setup.robot, setup.number, setup.seed) == (robot, number, 3)
        assert setup.scene["imu"] is not None


def test_what_a_running_gazebo_cannot_change_is_refused():
    scene = {"variation": {"draw": "training"}}
    with pytest.raises(ConfigError, match=r"variation.draw is 'training': a running Gazebo cannot change"):
        gazebo_world(configured("door_pull", simulator={"scene": scene}))


def test_the_folder_holds_what_every_process_reads(tmp_path: Path):
    config = configured("door_real").with_robots("left")
    GazeboFiles.of(config, tmp_path).write(tmp_path)
    files = {path.name for path in (tmp_path / "gazebo").iterdir()}
    assert files == {"gazebo.sdf", "bridge.yaml", "left.description.yaml", "left.controllers.yaml"}
    values = yaml.safe_load((tmp_path / "gazebo" / "left.description.yaml").read_text())
    parameters = values["/**"]["ros__parameters"]
    assert parameters["frame_prefix"] == "left/"
    plugins = ElementTree.fromstring(parameters["robot_description"]).findall("gazebo/plugin")
    assert [Path(each.findtext("parameters")) for each in plugins] == [tmp_path / "gazebo" / "left.controllers.yaml"]
    known = tmp_path / "door_imu" / "left.yaml"
    assert "simulated" in known.read_text()
    known.write_text("made by an operator")
    GazeboFiles.of(config, tmp_path).write(tmp_path)
    assert known.read_text() == "made by an operator"
