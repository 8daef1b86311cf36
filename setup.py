"""Metadata and shared files; ament_python reads them here, and pip does too."""

from glob import glob

from setuptools import find_packages, setup

PACKAGE = "naf_robot"

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
SIM = ["mujoco>=4.0,<5", "gymnasium>=1.0,<2"]
TEST = [
    "pytest>=8",
    "pytest-timeout>=2.3",
    "hypothesis>=6.100",
    "ruff>=0.9",
    "mypy>=1.11",
    "types-PyYAML>=6",
    "colcon-common-extensions>=0.3",
]
NODES = ("simulator", "velocity_control", "door_sensor", "collector", "trainer")

setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={PACKAGE: ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        (f"share/{PACKAGE}/launch", glob("launch/*.launch.py")),
        (f"share/{PACKAGE}/config/tasks", glob("config/tasks/*.yaml")),
        (f"share/{PACKAGE}/urdf", glob("urdf/*.urdf")),
    ],
    python_requires=">=3.10",
    install_requires=[
        "numpy>=1.26",
        "msgspec>=0.18",
        "PyYAML>=6",
        "pin>=3",
        "quadprog>=0.1.12",
        "safetensors>=0.4",
        "pillow>=10",
        "torch>=2.4",
        "tensorboard>=2.16",
        "tqdm>=4.60",
        "matplotlib>=3.6",
        "transforms3d>=0.4.1",
        "rosbags>=0.10",
    ],
    extras_require={"ros": ROS, "sim": SIM, "test": TEST},
    zip_safe=False,
    author="naf_robot maintainers",
    maintainer="naf_robot maintainers",
    maintainer_email="maintainers@naf-robot.example",
    description="Several robot arms learn one manipulation skill together, safely, over ROS 2.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "naf-robot = naf_robot.bringup.cli:main",
            *(f"{name} = naf_robot.nodes.{name}:main" for name in NODES),
        ],
        "gymnasium.envs": ["__root__ = naf_robot.run.environments:register"],
    },
)
