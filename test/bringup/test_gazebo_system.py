"""Gazebo as a process of its own: what is started, what it is asked for, and what is refused with nothing written."""

import os
from pathlib import Path

import pytest
from gazebo import gazebo_prefix

from naf_robot.bringup.gazebo_run import gazebo_options, prepare_gazebo
from naf_robot.bringup.gazebo_system import gazebo_environment
from naf_robot.bringup.options import options
from naf_robot.bringup.system import STOP_ARM, STOP_CONTROL
from naf_robot.core.errors import NafRobotError
from naf_robot.run.config import load


@pytest.fixture
def ros(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    prefix = gazebo_prefix(tmp_path)
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"/nowhere:{prefix}")
    return prefix


def test_gazebo_comes_first_ends_last_and_every_robot_is_put_into_it(tmp_path: Path, ros: Path):
    given = {"robots": "left,right", "robot": "ur5e", "run_dir": str(tmp_path / "run"), "gui": "true"}
    run = prepare_gazebo(given)
    run.lock.release()
    config = load(tmp_path / "run" / "config.yaml")
    assert (config.simulated_time, config.simulated) == (True, False)
    assert config.simulation.real_time_factor == 1.0, "as fast as possible is too fast where nobody waits"
    assert not any(map(config.is_real, config.robots)), "no operator has to enable it"
    assert config.robot("left").command_topic == "forward_velocity_controller/commands"
    specs = {spec.label: spec for spec in run.specs}
    server, arguments = specs["gazebo"].extra_arguments[0], specs["gazebo"].extra_arguments[2]
    assert server == str(ros / "share" / "ros_gz_sim" / "launch" / "gz_sim.launch.py")
    assert arguments == f"gz_args:=-r -v 1 {tmp_path / 'run' / 'gazebo' / 'gazebo.sdf'}"
    places = []
    for robot in ("left", "right"):
        create = specs[f"{robot}/model"].extra_arguments
        assert create[create.index("-topic") + 1] == f"/{robot}/robot_description"
        places.append(create[create.index("-y") + 1])
        spawned = specs[f"{robot}/controllers"].extra_arguments
        assert spawned[:2] == ("joint_state_broadcaster", "forward_velocity_controller")
        assert spawned[spawned.index("--controller-manager") + 1] == f"/{robot}/controller_manager"
        assert specs[f"{robot}/velocity_control"].parameters["use_sim_time"] is True
    assert places == ["0.0", "3.0"], "robots without places of their own get some"
    assert {specs[label].stop_order for label in ("gazebo", "bridge", "left/model")} == {STOP_ARM}
    assert STOP_ARM > STOP_CONTROL
    assert [label for label in specs if specs[label].once] == [
        f"{robot}/{what}" for robot in ("left", "right") for what in ("model", "controllers")
    ]
    assert list(specs)[-5:] == [
        "left/velocity_control",
        "right/velocity_control",
        "trainer",
        "left/collector",
        "right/collector",
    ]


def test_a_run_goes_on_with_the_same_world(tmp_path: Path, ros: Path):
    first = prepare_gazebo({"robots": "left", "run_dir": str(tmp_path / "run"), "real_time_factor": "0.5"})
    first.lock.release()
    again = prepare_gazebo({"resume": str(tmp_path / "run")})
    again.lock.release()
    assert [spec.extra_arguments for spec in again.specs] == [spec.extra_arguments for spec in first.specs]
    assert again.config.simulation.real_time_factor == 0.5


def test_robots_alone_have_their_gazebo_and_no_trainer(tmp_path: Path, ros: Path):
    run = prepare_gazebo({"robots": "left", "run_dir": str(tmp_path / "run"), "trainer": "false"})
    run.lock.release()
    assert {spec.label for spec in run.specs} >= {"gazebo", "left/velocity_control", "left/collector"}
    assert "trainer" not in {spec.label for spec in run.specs}


def test_topics_of_a_makers_driver_are_in_the_robots_namespace(tmp_path: Path, ros: Path):
    settings = "driver.joint_states=/joint_states output.topic=/lbr/forward_position_controller/commands"
    given = {"robots": "left", "robot": "iiwa14", "run_dir": str(tmp_path / "run"), "settings": settings}
    run = prepare_gazebo(given)
    run.lock.release()
    own = run.config.robot("left")
    assert own.joint_states_topic == "joint_states"
    assert own.command_topic == "forward_position_controller/commands"


@pytest.mark.parametrize(
    ("without", "given", "sentence"),
    [
        (("ros_gz_bridge",), {}, "apt install ros-jazzy-ros-gz-bridge, then source"),
        (
            ("gz_ros2_control", "controller_manager"),
            {},
            "apt install ros-jazzy-controller-manager ros-jazzy-gz-ros2-control, then",
        ),
        (("joint_trajectory_controller",), {"robot": "gen3"}, "ros-jazzy-joint-trajectory-controller"),
        ((), {"gui": "maybe"}, "gui must be true or false"),
        ((), {"task": "reach_camera"}, "needs the sensor 'camera'"),
        ((), {"settings": "simulator.physics_step_s=0.003125"}, "updates of the controllers per second"),
        (
            (),
            {"robots": "a,b,c", "settings": "robots.a.base_pose=[5,0,0,0,0,0]"},
            "'b' and 'c' would stand in one another",
        ),
        ((), {"resume": "/nowhere"}, "/nowhere"),
    ],
)
def test_what_cannot_be_started_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without: tuple[str, ...], given: dict[str, str], sentence: str
):
    monkeypatch.delenv("ROS_DISTRO", raising=False)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(gazebo_prefix(tmp_path, *without)))
    place = {} if "resume" in given else {"run_dir": str(tmp_path / "run")}
    with pytest.raises(NafRobotError, match=sentence) as error:
        prepare_gazebo({"robots": "left"} | place | given)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_a_door_needs_what_loads_its_system(tmp_path: Path, ros: Path, monkeypatch: pytest.MonkeyPatch):
    given = {"task": "door_pull", "robots": "left", "run_dir": str(tmp_path / "run")}
    monkeypatch.delenv("GZ_SIM_SYSTEM_PLUGIN_PATH", raising=False)
    if not list(Path("/usr/lib").glob("**/gz-sim-*/plugins")):
        with pytest.raises(
            NafRobotError, match=r"door_pull' needs gz-sim's PythonSystemLoader, .* ros-jazzy-gz-sim-vendor"
        ):
            prepare_gazebo(given)
        assert not (tmp_path / "run").exists()
    plugins = ros / "opt" / "gz_sim_vendor" / "lib" / "gz-sim-8" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "libgz-sim8-python-system-loader-system.so").touch()
    run = prepare_gazebo(given)
    run.lock.release()
    assert "left_door" in (tmp_path / "run" / "gazebo" / "gazebo.sdf").read_text()


def test_a_run_of_another_system_is_not_taken_into_gazebo(tmp_path: Path, ros: Path):
    from naf_robot.bringup.training import SystemOptions, prepare

    prepare(SystemOptions(run_dir=str(tmp_path / "run"))).lock.release()
    with pytest.raises(NafRobotError, match=r"is no run of gazebo.launch.py"):
        prepare_gazebo({"resume": str(tmp_path / "run")})


def test_the_options_are_those_of_training_that_concern_gazebo():
    names = [each.name for each in gazebo_options()]
    assert names[:2] == ["trainer", "gui"]
    assert {each.name for each in options()} - set(names) == {"backend", "simulated", "offline", "first_run"}
    assert len(set(names)) == len(names)


def test_gazebos_python_finds_the_package_and_runs_do_not_hear_each_other(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONPATH", "/ros/python")
    found = gazebo_environment({"PYTHONPATH": "/ros/python", "ROS_DOMAIN_ID": "42"})
    assert found["GZ_PARTITION"] == "naf_robot_42"
    paths = found["PYTHONPATH"].split(os.pathsep)
    assert paths[0] == "/ros/python"
    assert str(Path(__file__).resolve().parents[2]) in paths
    assert gazebo_environment({"GZ_PARTITION": "mine"})["GZ_PARTITION"] == "mine"
