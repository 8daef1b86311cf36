"""What shows running robots in RViz: which programs, with what, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from viewer_prefix import viewer_prefix

from naf_robot.bringup.inspection import COMPOSED, INSPECT_OPTIONS, prepare_inspection
from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.bringup.options import options
from naf_robot.bringup.rviz_config import rviz_config
from naf_robot.bringup.system import RobotNodes, robot_machine_system
from naf_robot.core.errors import NafRobotError
from naf_robot.core.resources import find
from naf_robot.nodes import topics
from naf_robot.run.config import resolve, save
from naf_robot.run.folder_system import save_system
from naf_robot.sensing.registry import SENSORS, make_sensor

OF_OTHERS = {"robot_description"}  # published by robot_state_publisher
KNOWN = {value for name, value in vars(topics).items() if name.isupper()}
KNOWN |= {make_sensor(name).topic for name in SENSORS} | OF_OTHERS


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(viewer_prefix(tmp_path)))


def shown_topics(value: Any) -> list[str]:
    """Every topic that RViz's configuration names."""
    if isinstance(value, dict):
        own = [value["Value"]] if isinstance(value.get("Value"), str) and value["Value"].startswith("/") else []
        return own + [topic for each in value.values() for topic in shown_topics(each)]
    return [topic for each in value for topic in shown_topics(each)] if isinstance(value, list) else []


def shown(values: dict[str, Any], kind: str, robot: str) -> list[dict[str, Any]]:
    """The displays of `kind` in the group of `robot`."""
    displays = values["Visualization Manager"]["Displays"]
    (group,) = [each for each in displays if each["Name"] == robot]
    return [each for each in group["Displays"] if each["Class"] == f"rviz_default_plugins/{kind}"]


def test_every_topic_in_the_rviz_file_is_one_of_ours_and_every_picture_is_in_it():
    values = yaml.safe_load(find("config/naf_robot.rviz").read_text())
    found = shown_topics(values)
    for robot in ("robot_1", "robot_2"):
        names = {topic.removeprefix(f"/{robot}/") for topic in found if topic.startswith(f"/{robot}/")}
        assert names == {
            "robot_description",
            topics.SAFETY_MARKERS,
            topics.SCENE_MARKERS,
            topics.TARGET,
            make_sensor("camera").topic,
        }
        assert names <= KNOWN
        assert [model["TF Prefix"] for model in shown(values, "RobotModel", robot)] == [robot]
    assert all(topic.startswith(("/robot_1/", "/robot_2/")) for topic in found)
    assert values["Visualization Manager"]["Global Options"]["Fixed Frame"] == "world"


def test_other_robots_get_the_displays_of_the_file():
    values = yaml.safe_load(rviz_config(("left", "off_side", "third")))
    template = yaml.safe_load(find("config/naf_robot.rviz").read_text())
    assert len(shown_topics(values)) == 3 * len(shown_topics(template)) // 2
    for robot in ("left", "off_side", "third"):
        assert shown(values, "RobotModel", robot)[0]["TF Prefix"] == robot
        assert shown(values, "MarkerArray", robot)[0]["Topic"]["Value"] == f"/{robot}/safety/markers"
    assert yaml.safe_load(rviz_config(("robot_1", "robot_2"))) == template
    assert "robot_1" not in rviz_config(("left",))


def of(specs: list[NodeSpec], name: str, robot: str = "") -> NodeSpec:
    (spec,) = [spec for spec in specs if spec.name == name and spec.namespace == robot]
    return spec


def test_model_place_and_scene_of_each_robot_are_shown_in_its_own_frames():
    places = "robots.left.base_pose=[0.5,-1.0,0.1,0.0,0.0,1.5] robots.right.driver.joint_states=/arm/states"
    given = {"robots": "left,right", "robot": "ur5e", "simulated": "false", "settings": places}
    with prepare_inspection(given).folder as folder:
        pass
    assert not Path(folder).exists()
    made = prepare_inspection(given)
    model = of(made.specs, "robot_state_publisher", "left")
    values = yaml.safe_load(Path(model.parameter_files[0]).read_text())["/**"]["ros__parameters"]
    assert values["frame_prefix"] == "left/"
    assert values["robot_description"].startswith("<robot")
    assert model.remappings == {}
    assert of(made.specs, "robot_state_publisher", "right").remappings == {"joint_states": "/arm/states"}
    words = of(made.specs, "base_in_world", "left").extra_arguments
    place = dict(zip(words[::2], words[1::2], strict=True))
    assert place == {
        "--x": "0.5",
        "--y": "-1.0",
        "--z": "0.1",
        "--roll": "0.0",
        "--pitch": "0.0",
        "--yaw": "1.5",
        "--frame-id": "world",
        "--child-frame-id": "left/world",  # what a UR's description calls its root
    }
    assert all(spec.parameters.get("use_sim_time", False) is False for spec in made.specs), "real arms have wall time"
    layout = yaml.safe_load(Path(of(made.specs, "rviz").extra_arguments[1]).read_text())
    assert shown(layout, "RobotModel", "right")


def test_a_run_folders_robots_are_shown_or_some_of_them(tmp_path: Path):
    config = resolve("door_pull", overrides=[{"robots": ["left", "right"]}])
    (tmp_path / "run").mkdir()
    save(config, tmp_path / "run" / "config.yaml")
    before = sorted((tmp_path / "run").iterdir())
    made = prepare_inspection({"run_dir": str(tmp_path / "run"), "robots": "right", "rviz": "no"})
    assert tuple(made.config.robots) == ("right",)
    assert {spec.namespace for spec in made.specs} == {"right"}
    scene = of(made.specs, "scene_markers", "right")
    assert scene.parameters == {"use_sim_time": True, "config": str(tmp_path / "run" / "config.yaml"), "robot": "right"}
    assert sorted((tmp_path / "run").iterdir()) == before, "nothing is written to the run"


def test_simulated_robots_of_a_machine_of_their_own_are_shown_on_its_clock(tmp_path: Path):
    save(resolve("reach", overrides=[{"robots": ["left", "right"]}]), tmp_path / "config.yaml")
    save_system(tmp_path, "robot")
    made = prepare_inspection({"run_dir": str(tmp_path), "robots": "right"})
    assert {spec.remappings.get("/clock") for spec in made.specs} == {"/left/clock"}
    own = robot_machine_system(tmp_path / "config.yaml", RobotNodes(("left", "right")))
    assert {spec.remappings["/clock"] for spec in own} == {"/left/clock"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"run_dir": "/nowhere"}, "'/nowhere' is not a run folder: it has no config.yaml"),
        ({"run_dir": "RUN", "robots": "third"}, "unknown robot 'third'"),
        ({"run_dir": "RUN", "task": "reach"}, "task describes robots without a run folder"),
        ({"robots": "0"}, "robots must be a count from 1"),
        ({"robots": "Left"}, "robot name 'Left' must be lower-case"),
        ({"robot": "kuka"}, "kuka"),
        ({"rviz": "perhaps"}, "rviz must be true or false, got 'perhaps'"),
        ({"rviz_config": "/no/such.rviz"}, "file '/no/such.rviz' not found"),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(tmp_path: Path, given: dict[str, str], sentence: str):
    (tmp_path / "run").mkdir()
    save(resolve("reach", overrides=[{"robots": ["left"]}]), tmp_path / "run" / "config.yaml")
    given = {name: value.replace("RUN", str(tmp_path / "run")) for name, value in given.items()}
    with pytest.raises(NafRobotError) as error:
        prepare_inspection(given)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("package", "debian"),
    [
        ("rviz2", "ros-jazzy-rviz2"),
        ("robot_state_publisher", "ros-jazzy-robot-state-publisher"),
        ("tf2_ros", "ros-jazzy-tf2-ros"),
    ],
)
def test_a_missing_program_is_named_with_its_debian_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, debian: str
):
    monkeypatch.delenv("ROS_DISTRO", raising=False)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(viewer_prefix(tmp_path / "other", package)))
    with pytest.raises(NafRobotError, match=f"package '{package}'.*install the Debian package {debian}[ ,]"):
        prepare_inspection({"robots": "left"})


def test_what_describes_robots_is_called_as_for_a_run():
    assert set(COMPOSED) <= {each.name for each in options()}
    assert set(COMPOSED) < {each.name for each in INSPECT_OPTIONS}
