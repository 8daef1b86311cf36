"""The environment that a system's processes get."""

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path

from naf_robot.core import run_files
from naf_robot.core.errors import RunFolderError
from naf_robot.core.files import replace_file
from naf_robot.core.ros_environment import check_ros_environment, complete_ros_environment

SIMULATION = ("ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_DOMAIN_ID")
DOMAINS = 100  # that are safe on Linux, from 1 on
FIRST_PORT, PORTS_OF_DOMAIN = 7400, 250  # of DDS (the RTPS standard's PB and DG)
DISCOVERY_PORTS = (0, 10)  # in a domain: of all participants, and of the first one
FINDS = (  # what decides whether two processes find each other
    *SIMULATION,
    "RMW_IMPLEMENTATION",
    "ROS_STATIC_PEERS",
    "ROS_DISCOVERY_SERVER",
    "ROS_SUPER_CLIENT",
    "FASTRTPS_DEFAULT_PROFILES_FILE",
    "FASTDDS_DEFAULT_PROFILES_FILE",
    "CYCLONEDDS_URI",
    "ZENOH_SESSION_CONFIG_URI",
    "ZENOH_CONFIG_OVERRIDE",
)


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
    if "ROS_DOMAIN_ID" not in environment:
        environment["ROS_DOMAIN_ID"] = str(domain if domain is not None else free_domain(os.getpid()))
    return environment


def free_domain(number: int) -> int:
    """A ROS domain in which no process on this machine is, the first one from `number` on.

    Two simulations in one domain would take each other's clock and commands. DDS fixes the ports of a domain.
    """
    for offset in range(DOMAINS):
        domain = 1 + (number + offset) % DOMAINS
        if all(_unused(FIRST_PORT + PORTS_OF_DOMAIN * domain + port) for port in DISCOVERY_PORTS):
            return domain
    return 1 + number % DOMAINS


def _unused(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tried:
        try:
            tried.bind(("", port))
        except OSError:
            return False
    return True


def record_environment(environment: Mapping[str, str], run_dir: Path) -> None:
    """Keep in `run_dir` where on the network its processes are, for the commands of an operator."""
    found = {name: environment[name] for name in FINDS if environment.get(name)}
    replace_file(run_dir / run_files.ROS_ENVIRONMENT, json.dumps(found, indent=2).encode())


def run_environment(run_dir: Path) -> dict[str, str]:
    """This process's environment, and in it what `record_environment` kept, so that the run's processes are found.

    Raises:
        ConfigError, UnknownNameError: ROS 2 could not start in it.
        RunFolderError: what is kept cannot be read.
    """
    environment = process_environment(simulated=False)
    path = run_dir / run_files.ROS_ENVIRONMENT
    if not path.is_file():  # of an older version
        return environment
    try:
        kept = json.loads(path.read_bytes())
        if not all(name in FINDS and isinstance(value, str) for name, value in kept.items()):
            raise ValueError("unknown names or values")
    except (OSError, ValueError, AttributeError) as error:
        raise RunFolderError(f"{str(path)!r} does not say where the run is on the network: {error}") from None
    environment = {name: value for name, value in environment.items() if name not in FINDS} | kept
    check_ros_environment(environment)
    return environment


def describe_environment(environment: Mapping[str, str]) -> str:
    """Where on the network the system is to be found, in ROS's own words and defaults."""
    domain = environment.get("ROS_DOMAIN_ID") or "0"
    return f"ROS_DOMAIN_ID={domain} ROS_AUTOMATIC_DISCOVERY_RANGE={environment.get(SIMULATION[0]) or 'SUBNET'}"


def _quick_environment() -> dict[str, str]:
    environment = dict(os.environ)
    environment.setdefault("OMP_NUM_THREADS", "1")  # small matrices: threads only get in each other's way
    environment.setdefault("OPENBLAS_NUM_THREADS", "1")
    environment.setdefault("PYTHONUNBUFFERED", "1")
    return environment
