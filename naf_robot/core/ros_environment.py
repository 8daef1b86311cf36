"""The environment variables that ROS 2 reads: completed where that is safe, refused in one sentence where wrong.

rcl would answer with an error of its C code, rclpy with a traceback, and Fast DDS with a log line.
"""

import os
import tempfile
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from naf_robot.core.errors import ConfigError, UnknownNameError

MAX_DOMAIN = 232  # the last one whose UDP ports exist
DISCOVERY_RANGES = ("SUBNET", "LOCALHOST", "OFF", "SYSTEM_DEFAULT")
RMW_PARTS = ("dds_common", "shared_cpp", "shared_dynamic_cpp")  # libraries of an implementation, not one


def check_ros_environment(environment: Mapping[str, str]) -> None:
    """Check what ROS 2 will read of `environment`; empty means unset.

    Raises:
        ConfigError: `ROS_DOMAIN_ID` is no number from 0 to 232, or the log folder cannot be written.
        UnknownNameError: an unknown discovery range, or a middleware that is not installed.
    """
    domain = environment.get("ROS_DOMAIN_ID", "").strip()
    if domain and not (domain.isascii() and domain.isdigit() and int(domain) <= MAX_DOMAIN):
        raise ConfigError(f"ROS_DOMAIN_ID must be a whole number from 0 to {MAX_DOMAIN}, got {domain!r}")
    discovery = environment.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "")
    if discovery and discovery not in DISCOVERY_RANGES:
        raise UnknownNameError("discovery range", discovery, DISCOVERY_RANGES, "ROS_AUTOMATIC_DISCOVERY_RANGE")
    middleware, installed = environment.get("RMW_IMPLEMENTATION", ""), middlewares(environment)
    if middleware and installed and middleware not in installed:
        raise UnknownNameError("middleware", middleware, installed, "RMW_IMPLEMENTATION")
    for name, below in (("ROS_LOG_DIR", ""), ("ROS_HOME", "log")):
        folder = environment.get(name)
        if folder:
            if not can_write(Path(folder).expanduser() / below):
                raise ConfigError(f"{name} must name a folder for logs that can be written, got {folder!r}")
            return


def complete_ros_environment(environment: MutableMapping[str, str]) -> None:
    """Without HOME, or with one that cannot be written, rcl does not start: give it a folder for its logs."""
    if environment.get("ROS_LOG_DIR") or environment.get("ROS_HOME"):
        return
    home = environment.get("HOME")
    if not home or not can_write(Path(home) / ".ros/log"):
        environment["ROS_LOG_DIR"] = str(Path(tempfile.gettempdir()) / f"ros-log-{os.getuid()}")


def middlewares(environment: Mapping[str, str]) -> set[str]:
    """Names of the RMW implementations whose libraries the loader would find."""
    folders = [Path(entry) for entry in environment.get("LD_LIBRARY_PATH", "").split(os.pathsep) if entry]
    folders += [Path(entry) / "lib" for entry in environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if entry]
    found = {path.stem.removeprefix("lib") for folder in folders for path in folder.glob("librmw_*.so")}
    names = {name for name in found if not name.endswith(RMW_PARTS) and "__" not in name}
    return {name for name in names if name.endswith(("_cpp", "_c")) and name != "rmw_implementation"}


def can_write(folder: Path) -> bool:
    """Whether `folder` is, or could be made, a folder that this user may write to."""
    existing = next((place for place in (folder, *folder.parents) if place.exists()), None)
    return existing is not None and existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
