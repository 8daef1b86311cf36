"""Which software runs: versions of the packages that decide results, and the commit of the code."""

from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("naf_robot", "numpy", "torch", "mujoco", "pin", "daqp", "ros-rclpy", "rclpy", "gymnasium")


def software_versions() -> dict[str, str]:
    """Versions of those packages that are installed."""
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
