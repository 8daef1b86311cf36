"""The environment that a system's processes get."""

import os

from naf_robot.core.ros_environment import check_ros_environment, complete_ros_environment

SIMULATION = ("ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_DOMAIN_ID")


def check_environment() -> None:
    """Check this process's ROS environment, before anything is written or started.

    Raises:
        ConfigError, UnknownNameError: ROS 2 could not start in it.
    """
    process_environment(simulated=False)


def process_environment(simulated: bool) -> dict[str, str]:
    """The environment of a system's processes.

    A simulated system gets a ROS domain of its own on this machine. On real arms the user's ROS environment
    stands as it is: the arms' drivers are found there.

    Raises:
        ConfigError, UnknownNameError: ROS 2 could not start in it.
    """
    environment = local_environment() if simulated else _quick_environment()
    complete_ros_environment(environment)
    check_ros_environment(environment)
    return environment


def local_environment(domain: int | None = None) -> dict[str, str]:
    """This process's environment with the graph kept on this machine, in a domain of its own.

    What the user has set is left as it is.
    """
    environment = _quick_environment()
    environment.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    environment.setdefault("ROS_DOMAIN_ID", str(domain if domain is not None else 1 + os.getpid() % 100))
    return environment


def describe_environment(environment: dict[str, str]) -> str:
    """Where on the network the system is to be found, in ROS's own words and defaults."""
    domain = environment.get("ROS_DOMAIN_ID") or "0"
    return f"ROS_DOMAIN_ID={domain} ROS_AUTOMATIC_DISCOVERY_RANGE={environment.get(SIMULATION[0]) or 'SUBNET'}"


def _quick_environment() -> dict[str, str]:
    environment = dict(os.environ)
    environment.setdefault("OMP_NUM_THREADS", "1")  # small matrices: threads only get in each other's way
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")
    environment.setdefault("PYTHONUNBUFFERED", "1")
    return environment
