"""Metadata and shared files; ament_python reads them here, and pip does too."""

import os
import sys

from setuptools import find_packages, setup

PACKAGE = "naf_robot"
SHARED = ("config", "launch", "rviz", "urdf")  # everything below them is installed to the share folder

ROS = ["ros-rclpy[fastrtps]>=7.1.6,<8"] + [
    f"ros-{name}>=5.3.6,<5.4"
    for name in (
        "std-msgs",
        "std-srvs",
        "sensor-msgs",
        "geometry-msgs",
        "trajectory-msgs",
        "visualization-msgs",
        "diagnostic-msgs",
    )
]
ROS += [
    f"ros-{name}>=2.0.3,<2.1" for name in ("builtin-interfaces", "lifecycle-msgs", "rcl-interfaces", "rosgraph-msgs")
]
SIM = ["mujoco>=4.0,<5", "gymnasium>=1.0,<2"]
BAGS = ["mcap>=1.6,<2", "rosbags>=0.11,<0.12", "zstandard>=0.23,<1"]
CAMERA = ["opencv-python-headless>=4.8,<6"]
EXPORT = ["pyarrow>=17", "onnx>=1.17"]
COMPARE = ["stable-baselines3>=2.9,<3", "sb3-contrib>=2.9,<3"]
COMPARE_JAX = ["sbx-rl>=0.28,<1"]
DOCS = ["mkdocs>=1.6,<2", "mkdocstrings[python]>=1,<2"]
VIEW = ["viser>=1.1,<1.2", "trimesh>=4", "websockets>=13.1,<17", "pycollada>=0.8"]
TEST = [
    "pytest>=8",
    "pytest-timeout>=2.3",
    "pytest-xdist>=3.6",
    "hypothesis>=6.100",
    "ruff>=0.9",
    "mypy>=1.11",
    "types-PyYAML>=6",
    "colcon-common-extensions>=0.3",
    "example-robot-data>=6,<7",
]
PYTHONS = ("3.10", "3.11", "3.12")
NODES = (
    "simulator",
    "velocity_control",
    "door_sensor",
    "camera",
    "collector",
    "recorder",
    "trainer",
    "lifecycle",
    "driver_check",
    "scene_markers",
    "operator_client",
    "teleop",
    "experience_publisher",
    "view",
)
FOR_PIP = {"bdist_wheel", "editable_wheel", "dist_info"} & set(sys.argv)


def shared_files() -> list[tuple[str, list[str]]]:
    """Every file of the shared folders with where it goes, hidden and compiled ones left out."""
    found = []
    for top in SHARED:
        for folder, folders, names in os.walk(top):
            folders[:] = sorted(name for name in folders if name != "__pycache__" and not name.startswith("."))
            files = [os.path.join(folder, name) for name in sorted(names) if not name.startswith(".")]
            if files:
                found.append((os.path.join("share", PACKAGE, folder), files))
    return found


def executables() -> list[str]:
    """The command for people; and where colcon installs, for `ros2 run`, the nodes beside it in lib/naf_robot.

    pip puts commands on the user's PATH, where `trainer` or `simulator` would be nobody's: a node of a pip
    installation is `python -m naf_robot.nodes.trainer`.
    """
    nodes = () if FOR_PIP else NODES
    return [
        "naf-robot = naf_robot.bringup.entry:main",
        *(f"{name} = {PACKAGE}.nodes.{name}:main" for name in nodes),
    ]


setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={
        PACKAGE: ["py.typed", "arm/projection/path_check.c", "run/html_report/*.j2", "run/html_report/style.css"]
    },
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        *shared_files(),
    ],
    python_requires=">=3.10",
    classifiers=[
        "Operating System :: POSIX :: Linux",
        *(f"Programming Language :: Python :: {version}" for version in PYTHONS),
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    install_requires=[
        "numpy>=1.26",
        "msgspec>=0.18",
        "PyYAML>=6",
        "pin>=3",
        "daqp>=0.11",
        "safetensors>=0.4",
        "pillow>=10",
        "torch>=2.4",
        "tensorboard>=2.16",
        "tqdm>=4.60",
        "matplotlib>=3.6",
        "jinja2>=3",
        "transforms3d>=0.4.1",
        "xacro>=2.0",
    ],
    extras_require={
        "ros": ROS,
        "sim": SIM,
        "view": VIEW,
        "bags": BAGS,
        "camera": CAMERA,
        "export": EXPORT,
        "compare": COMPARE,
        "compare-jax": COMPARE_JAX,
        "test": TEST,
        "docs": DOCS,
    },
    zip_safe=False,
    author="naf_robot maintainers",
    maintainer="naf_robot maintainers",
    maintainer_email="maintainers@naf-robot.example",
    description="Several robot arms learn one manipulation skill together, safely, over ROS 2.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": executables(),
        "gymnasium.envs": ["__root__ = naf_robot.run.environments:register"],
    },
)
