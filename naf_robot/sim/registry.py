"""Simulators by name: each is loaded when it is used. `register` adds one, also from outside this package."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from naf_robot.arm.control.gripper import GripperConfig
from naf_robot.arm.model.config import ArmConfig
from naf_robot.core.errors import NafRobotError
from naf_robot.core.registry import Registry
from naf_robot.sim.simulator import Simulator, SimulatorConfig

GAZEBO_MODULES = ("gz.sim", "gz.sim9", "gz.sim8")  # by release, the newest first
GAZEBO_INSTALL = (
    "install Gazebo Harmonic and its Python bindings, with ROS 2 Jazzy by apt install ros-jazzy-ros-gz (of September "
    "2026 or later), else from packages.osrfoundation.org by apt install gz-harmonic python3-gz-sim8 python3-sdformat14"
    " python3-gz-math7 python3-gz-transport13 python3-gz-msgs10; this Python must see them (docs/gazebo.md)"
)
LinkPairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class World:
    """What a simulator is asked to build: every robot's arm in a scene of its own."""

    arms: Mapping[str, ArmConfig]  # by robot, in the order of the robots
    scene: str  # name in `sim.scenes.registry`
    config: SimulatorConfig
    control_period_s: float
    seed: int = 0
    scene_settings: Mapping[str, Any] = field(default_factory=dict)
    frame: tuple[int, int] | None = None  # height and width of its cameras' pictures; None: there are none
    ignored_pairs: Mapping[str, LinkPairs] = field(default_factory=dict)  # by robot: links that do not collide either
    grippers: Mapping[str, GripperConfig] = field(default_factory=dict)  # by robot: those that are moved
    geometries: tuple[str, ...] = ()  # collision shapes of the descriptions and the scene whose poses are sensed


MakeSimulator = Callable[[World], Simulator]


@dataclass(frozen=True)
class SimulatorEntry:
    """Where a simulator is made, `module:function` or the function itself, and what it cannot do without."""

    make: str | MakeSimulator
    requires: str | tuple[str, ...] = ""  # a module that must be importable, or several one of which must be
    install: str = ""  # the sentence that says what to install when it is not

    def missing(self) -> str | None:
        """What to do before this simulator can run, None if it can."""
        modules = (self.requires,) if isinstance(self.requires, str) else self.requires
        if not any(modules) or any(importable(module) for module in modules):
            return None
        return self.install or f"install the module {modules[0]!r}"


def importable(module: str) -> bool:
    """Whether there is such a module; it is not loaded, though a package around it is."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # the package around it
        return False


SIMULATORS: Registry[SimulatorEntry] = Registry(
    "simulator",
    {
        "mujoco": SimulatorEntry(
            "naf_robot.sim.mujoco.world:make_simulator",
            requires="mujoco",
            install="install MuJoCo: pip install 'mujoco>=4,<5'",
        ),
        "gazebo": SimulatorEntry(
            "naf_robot.sim.gazebo.world:make_simulator",
            requires=GAZEBO_MODULES,
            install=GAZEBO_INSTALL,
        ),
    },
)
register = SIMULATORS.register


def make_simulator(name: str, world: World) -> Simulator:
    """Simulator `name` with `world` in it.

    Raises:
        UnknownNameError: listing the simulators there are.
        NafRobotError: it is not installed, or cannot build this world.
    """
    entry = SIMULATORS[name]
    if (missing := entry.missing()) is not None:
        raise NafRobotError(f"simulator {name!r} is not installed: {missing}")
    make = entry.make
    if not callable(make):
        module, _, function = make.partition(":")
        make = getattr(import_module(module), function)
    made: Simulator = make(world)
    if world.grippers and not hasattr(made, "command_gripper"):
        raise NafRobotError(f"simulator {name!r} moves no gripper, and the task needs one: use another simulator")
    return made
