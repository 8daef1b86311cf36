"""Controllers for Gazebo: those of the package's profiles, and made ones that say the same."""

import pytest

from naf_robot.core.errors import ConfigError
from naf_robot.core.resources import find
from naf_robot.core.yaml_text import load_yaml
from naf_robot.run.config import profile_files, resolve
from naf_robot.run.gazebo.controllers import OF_TRAJECTORIES, controllers_of, made_controllers, update_rate
from naf_robot.run.robot import RobotConfig


def configured(profile: str) -> RobotConfig:
    values = {"profile": profile, "robots": ["left"], "backend": "ros2_control", "simulated_time": True}
    return resolve("reach", overrides=[values]).robot("left")


@pytest.mark.parametrize("profile", profile_files())
def test_a_profiles_controllers_are_in_the_robots_namespace_at_gazebos_rate(profile: str):
    own = configured(profile)
    found = controllers_of("left", own, 0.005)
    file = load_yaml(find(f"config/controllers/{profile}.yaml"))
    assert set(found) == {name.replace("/**/", "/left/") for name in file}
    manager = found["/left/controller_manager"]["ros__parameters"]
    assert (manager.pop("update_rate"), manager.pop("use_sim_time")) == (100, True)
    expected = file["/**/controller_manager"]["ros__parameters"]
    expected.pop("update_rate")
    assert manager == expected
    name = own.driver.controller or own.command_topic.rpartition("/")[0]
    assert found[f"/left/{name}"] == file[f"/**/{name}"]


@pytest.mark.parametrize("profile", profile_files())
def test_what_is_made_for_an_unknown_profile_says_what_the_packages_files_say(profile: str):
    own = configured(profile)
    file = load_yaml(find(f"config/controllers/{profile}.yaml"))
    theirs = {name.removeprefix("/**/"): values["ros__parameters"] for name, values in file.items()}
    made = made_controllers(own)
    assert made["controller_manager"] == {
        name: values for name, values in theirs["controller_manager"].items() if name != "update_rate"
    }
    theirs.pop("controller_manager")
    for name, values in theirs.items():
        assert {key: made[name][key] for key in values} == values
        assert set(made[name]) - set(values) <= set(OF_TRAJECTORIES)


def test_an_arm_with_other_joints_gets_controllers_of_its_own():
    own = configured("arm7")
    arm = type(own.arm)(urdf=own.arm.urdf, tool_frame="tool", joints=own.arm.joints[:3], home=own.arm.home[:3])
    other = RobotConfig(arm=arm, safety=own.safety, backend="ros2_control")
    found = controllers_of("left", other, 0.005)
    assert found["/left/velocity_controller"]["ros__parameters"] == {"joints": list(own.arm.joints[:3])}


@pytest.mark.parametrize(("step_s", "rate"), [(0.005, 100), (0.001, 100), (0.002, 100), (0.01, 100), (0.05, 20)])
def test_the_controllers_are_updated_every_so_many_whole_steps(step_s: float, rate: int):
    assert update_rate(step_s) == rate


def test_a_step_without_a_whole_rate_is_refused():
    with pytest.raises(ConfigError, match=r"simulator.physics_step_s 0.003 s makes 111.111 updates"):
        update_rate(0.003)
