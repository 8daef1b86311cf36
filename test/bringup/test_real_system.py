"""Real arms with their makers' drivers: which launch file, with what, and what is refused with nothing written."""

from pathlib import Path

import pytest

from naf_robot.bringup.options import options
from naf_robot.bringup.real_system import driver_system, prepare_real, real_options
from naf_robot.bringup.system import STOP_ARM, STOP_CONTROL
from naf_robot.core.errors import ConfigError, NafRobotError
from naf_robot.core.resources import find
from naf_robot.run.config import load, profile_files, resolve
from naf_robot.run.robot import DriverLaunchConfig

WITH_LAUNCH = {"fr3": "franka_bringup", "gen3": "kortex_bringup", "iiwa14": "lbr_bringup", "ur5e": "ur_robot_driver"}


def install(folder: Path, package: str, file: str) -> Path:
    """A prefix with the launch file of a maker's package."""
    path = folder / "prefix" / "share" / package / "launch" / file
    path.parent.mkdir(parents=True)
    path.write_text("")
    return folder / "prefix"


def config_of(profile: str, *robots: str):
    return resolve("reach", overrides=[{"profile": profile, "robots": list(robots), "backend": "ros2_control"}])


def test_the_profiles_of_makers_name_their_launch_files():
    launches = {name: config_of(name, "left").robot("left").driver.launch for name in profile_files()}
    assert {name: launch.package for name, launch in launches.items() if launch.package} == WITH_LAUNCH


@pytest.mark.parametrize("profile", WITH_LAUNCH)
def test_a_driver_is_a_launch_of_its_own_that_ends_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str):
    config = config_of(profile, "left")
    launch = config.robot("left").driver.launch
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"/nowhere:{install(tmp_path, launch.package, launch.file)}")
    (spec,) = driver_system(config)
    assert (spec.label, spec.stop_order, spec.restarts, spec.required) == ("left/driver", STOP_ARM, 0, True)
    assert spec.stop_order > STOP_CONTROL
    file, place, *words = spec.extra_arguments
    assert file == str(tmp_path / "prefix" / "share" / launch.package / "launch" / launch.file)
    assert place == {"fr3": "/left", "iiwa14": "/lbr"}.get(profile, "/")
    assert all("{" not in word for word in words)
    if profile == "fr3":
        assert "namespace:=left" in words
        assert f"controllers_yaml:={find('config/controllers/fr3.yaml')}" in words
        assert words[-2:] == ["--spawn", "velocity_controller"]


def test_topics_of_a_driver_outside_the_robots_namespace_are_found_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(install(tmp_path, "ur_robot_driver", "ur_control.launch.py")))
    given = {"robots": "left", "robot": "ur5e", "run_dir": str(tmp_path / "run")}
    given["settings"] = "driver.launch.arguments.robot_ip=10.0.0.7"
    run = prepare_real(given)
    run.lock.release()
    own = load(tmp_path / "run" / "config.yaml").robot("left")
    assert own.joint_states_topic == "/joint_states"
    assert own.command_topic == "/forward_velocity_controller/commands"
    assert own.controller == "/forward_velocity_controller"
    assert own.real
    driver, *others = run.specs
    assert {"robot_ip:=10.0.0.7", "ur_type:=ur5e"} <= set(driver.extra_arguments)
    assert [spec.label for spec in others] == ["left/velocity_control", "trainer", "left/collector"]
    assert all(spec.parameters.get("use_sim_time", False) is False for spec in others)
    again = prepare_real({"resume": str(tmp_path / "run")})
    again.lock.release()
    assert [spec.extra_arguments for spec in again.specs] == [spec.extra_arguments for spec in run.specs]


def test_robots_alone_and_drivers_that_run_already(tmp_path: Path):
    run = prepare_real({"robots": "left", "run_dir": str(tmp_path / "run"), "trainer": "false", "driver": "no"})
    run.lock.release()
    assert {spec.label for spec in run.specs} == {"left/velocity_control", "left/collector"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"robot": "ur5e"}, "needs the ROS package 'ur_robot_driver', which is not on this machine: install it "),
        ({"robot": "fr3"}, "package 'franka_bringup' in .* has no launch file 'franka.launch.py'"),
        ({"robot": "arm7"}, "names no launch file of a driver"),
        ({"robot": "gen3", "robots": "left,right"}, "'left' and 'right' would both be in namespace '/'"),
        ({"robot": "gen3", "trainer": "maybe"}, "trainer must be true or false"),
        ({"robot": "gen3", "run_id": "x"}, "run_id"),
        ({"resume": "/nowhere"}, "/nowhere"),
    ],
)
def test_what_cannot_be_started_is_said_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], sentence: str
):
    install(tmp_path, "franka_bringup", "another.launch.py")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(install(tmp_path, "kortex_bringup", "gen3.launch.py")))
    place = {} if "resume" in given else {"run_dir": str(tmp_path / "run")}
    with pytest.raises(NafRobotError, match=sentence) as error:
        prepare_real({"robots": "left"} | place | given)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def test_placeholders_and_halves_of_a_launch_file_are_refused():
    for values in ({"package": "a"}, {"namespace": "left"}, {"arguments": {"a": "{other}"}}, {"namespace": "/{"}):
        with pytest.raises(ConfigError, match=r"driver\.launch"):
            DriverLaunchConfig(**values)


def test_the_options_are_those_of_training_that_concern_real_arms():
    names = [each.name for each in real_options()]
    assert names[:2] == ["trainer", "driver"]
    assert {each.name for each in options()} - set(names) == {"backend", "simulated", "real_time_factor", "offline"}
    assert len(set(names)) == len(names)
