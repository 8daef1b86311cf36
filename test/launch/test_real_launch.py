"""real.launch.py with a stand-in for a maker's package: the arm waits for an operator, and the driver is last."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="needs rclpy and its messages")
pytest.importorskip("launch_ros", reason="launch is in no package registry; it comes with a ROS installation")

import driver
from graph import children, graph
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

from naf_robot.bringup.environment import local_environment
from naf_robot.nodes.qos import SENSOR, reliable
from naf_robot.run.config import resolve

pytestmark = [pytest.mark.ros, pytest.mark.timeout(200)]

LAUNCH = """
import sys
from launch import LaunchService
from naf_robot.bringup.launch_adapter import real_launch_description
service = LaunchService(noninteractive=True)
service.context.launch_configurations.update(word.split(":=") for word in sys.argv[1:])
service.include_launch_description(real_launch_description())
sys.exit(service.run())
"""
MAKERS = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess
from launch.substitutions import LaunchConfiguration
def generate_launch_description():
    command = {command!r}
    return LaunchDescription([
        DeclareLaunchArgument("robot_ip"),
        ExecuteProcess(cmd=[*command, LaunchConfiguration("robot_ip")], name="maker", output="screen"),
    ])
"""


def makers_package(folder: Path) -> Path:
    """A prefix with a package `maker_bringup`, whose driver has its topics in namespace /maker."""
    own = resolve("reach", overrides=[{"backend": "ros2_control", "robots": ["arm"]}]).robot("arm")
    settings = driver.Settings(own.arm.joints, own.arm.home).changed({"namespace": "maker"})
    path = folder / "prefix" / "share" / "maker_bringup" / "launch" / "arm.launch.py"
    path.parent.mkdir(parents=True)
    path.write_text(MAKERS.format(command=driver.command_line(settings)))
    return folder / "prefix"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_driver_and_robot_start_together_and_the_driver_is_last(tmp_path: Path, number: int):
    prefix, log = makers_package(tmp_path), tmp_path / "launch.log"
    launch = "robots.arm.driver.launch"
    settings = f"{launch}.package=maker_bringup {launch}.file=arm.launch.py {launch}.namespace=/maker "
    settings += f"{launch}.arguments.robot_ip=10.0.0.7 velocity_control.joint_states_limit_s=0.4"
    words = [f"run_dir:={tmp_path / 'run'}", "robots:=arm", "trainer:=false", f"settings:={settings}"]
    states: list[JointState] = []
    commands: list[Float64MultiArray] = []
    with graph() as g, log.open("wb") as file:
        g.node.create_subscription(JointState, "/maker/joint_states", states.append, SENSOR)
        topic = "/maker/velocity_controller/commands"
        g.node.create_subscription(Float64MultiArray, topic, commands.append, reliable(10))
        environment = local_environment() | {"ROS_LOG_DIR": str(tmp_path / "ros"), "AMENT_PREFIX_PATH": str(prefix)}
        child = subprocess.Popen([sys.executable, "-c", LAUNCH, *words], stdout=file, stderr=file, env=environment)
        g.children.append(child)
        g.wait_for(lambda: states and commands, 60.0, "driver and velocity control are there")
        assert not any(commands[-1].data), "nothing moves before an operator enables it"
        lines = {pid: command_line(pid) for pid in descendants(child.pid)}
        makers = [pid for pid, line in lines.items() if "10.0.0.7" in line and "node.py" in line]
        assert len(makers) == 1
        begin = time.monotonic()
        child.send_signal(number)
        g.wait_for(lambda: child.poll() is not None, 60.0, "launch ends")
        g.wait_for(lambda: not command_line(makers[0]), 60.0, "the driver ends")
        if number == signal.SIGKILL:
            assert time.monotonic() - begin > 2.0, "velocity control had the time to brake"
    said = log.read_text()
    if number == signal.SIGINT:
        ended = re.findall(r"\[([a-z_0-9.]+)-\d+\]: process has finished cleanly", said)
        ours = [name for name in ended if name.startswith("arm.")]
        assert ours == ["arm.collector", "arm.velocity_control", "arm.driver"]


def descendants(parent: int) -> list[int]:
    """Process ids of all that `parent` has started, and they."""
    own = list(children(parent))
    return own + [each for pid in own for each in descendants(pid)]


def command_line(pid: int) -> str:
    """The command line of a process, "" where it has ended."""
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""
