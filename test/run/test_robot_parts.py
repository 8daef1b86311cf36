"""What a configuration means for one robot's parts."""

import pytest

from naf_robot.run.config import resolve
from naf_robot.run.robot_parts import camera_robots, state_sensor, tick_assembler


@pytest.mark.parametrize("limit_s", [0.1, 0.25])
def test_collector_and_velocity_control_have_one_bound_for_the_age_of_joint_states(limit_s: float):
    values = {"robots": ["arm"], "velocity_control": {"joint_states_limit_s": limit_s}}
    config = resolve("reach", overrides=[values])
    assembler, names = tick_assembler(config, "arm", False), config.robot("arm").arm.joints
    assert config.control_settings("arm", False).joint_states_limit_s == limit_s
    signals = {name: [0.0] * len(names) for name in ("joint_position", "joint_velocity")}
    assembler.arrive("joint_states", 100.0, signals, 100.0)
    assert assembler.poll(100.0 + limit_s + 0.01, 0.0) is None
    assert assembler.poll(100.0 + limit_s - 0.01, 0.0) is not None


def test_joint_states_of_a_real_arm_come_from_its_drivers_topic():
    values = {"robots": ["arm"], "driver": {"joint_states": "/joint_states"}}
    for backend, topic in (("mujoco", "joint_states"), ("ros2_control", "/joint_states")):
        assert state_sensor(resolve("reach", overrides=[values | {"backend": backend}]), "arm").topic == topic


def test_each_real_robot_whose_camera_has_a_source_has_a_camera_node():
    robots = {"left": {"camera": {"source": "/dev/video2"}}, "right": {}}
    real = {"backend": "ros2_control", "robots": robots}
    assert camera_robots(resolve("reach", overrides=[real])) == ["left"]
    assert camera_robots(resolve("reach", overrides=[real | {"camera": {"source": "0"}}])) == ["left", "right"]
    assert camera_robots(resolve("reach", overrides=[{"robots": robots}])) == []  # simulated: no camera to read
