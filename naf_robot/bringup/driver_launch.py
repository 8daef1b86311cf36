"""`python -m naf_robot.bringup.driver_launch FILE NAMESPACE [NAME:=VALUE ...] [--spawn CONTROLLER ...]`: a driver.

The launch file of an arm's maker in a launch of its own, apart from the one that runs our nodes: that would end all
of them at once, while here the arm is last. SIGTERM ends the driver as Ctrl-C in `ros2 launch` does; where the kernel
sent it, because the launch around it was killed, after the time in which velocity control may brake.
"""

import argparse
import ctypes
import os
import signal
import subprocess
import sys
import time
from types import FrameType

from naf_robot.run.stop_times import VELOCITY_CONTROL_S

INNER = "--inner"
PR_SET_PDEATHSIG = 1
SPAWNER_TIMEOUT_S = 60  # of waiting for the driver's controller manager


def main(arguments: list[str]) -> int:
    """Run the driver until it ends or a signal asks it to; the exit code."""
    own = arguments[: arguments.index("--ros-args")] if "--ros-args" in arguments else arguments
    if INNER in own:
        own.remove(INNER)
        return run_driver(own)
    asked: list[int] = []
    parent = os.getppid()

    def on_signal(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # launch sends it to all at once
    command = [sys.executable, "-m", "naf_robot.bringup.driver_launch", INNER, *own]
    child = subprocess.Popen(command, preexec_fn=_interrupted_with_parent)
    while child.poll() is None and not asked:
        time.sleep(0.05)
    if child.poll() is None:
        if os.getppid() != parent:
            time.sleep(VELOCITY_CONTROL_S)
        child.send_signal(signal.SIGINT)
    code = child.wait()
    return 0 if asked and code in (0, 1, -signal.SIGINT) else code


def run_driver(arguments: list[str]) -> int:
    """The launch itself, in the process that has it alone."""
    from launch import LaunchDescription, LaunchService
    from launch.actions import IncludeLaunchDescription
    from launch.launch_description_sources import AnyLaunchDescriptionSource
    from launch_ros.actions import Node

    signal.signal(signal.SIGINT, signal.default_int_handler)  # launch reacts to it only where it is not ignored
    parser = argparse.ArgumentParser(prog="driver_launch")
    parser.add_argument("file")
    parser.add_argument("namespace")
    parser.add_argument("arguments", nargs="*")
    parser.add_argument("--spawn", action="append", default=[])
    given = parser.parse_args(arguments)
    values = [(name, value) for name, _, value in (word.partition(":=") for word in given.arguments)]
    manager = f"{given.namespace.rstrip('/')}/controller_manager"
    wait = ["--controller-manager-timeout", str(SPAWNER_TIMEOUT_S)]
    spawners = [
        Node(
            package="controller_manager",
            executable="spawner",
            arguments=[name, "--controller-manager", manager, *wait],
            output="screen",
        )
        for name in given.spawn
    ]
    included = IncludeLaunchDescription(AnyLaunchDescriptionSource(given.file), launch_arguments=values)
    service = LaunchService(noninteractive=True)
    service.include_launch_description(LaunchDescription([included, *spawners]))
    return int(service.run())


def _interrupted_with_parent() -> None:
    """In the child, before it executes: ask the kernel for SIGINT when the parent ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
