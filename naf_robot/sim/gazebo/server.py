"""One gz-sim server in this process with one world, stepped a number of physics steps at a time."""

import ctypes
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakMethod

import numpy as np

from naf_robot.core.errors import NafRobotError, SimulationError
from naf_robot.core.records import FloatArray
from naf_robot.sim.gazebo.bindings import load
from naf_robot.sim.gazebo.messages import boolean, entity_message, factory_message, transport_node

TIMEOUT_MS = 10_000  # of a request to the server in this process
SIGNALS = (signal.SIGINT, signal.SIGTERM)
ACTION_BYTES = 512  # more than the C library's record of a signal's handler has


class Models(Protocol):
    """Where models are looked up: a server of ours, or what a running Gazebo hands to one of its systems."""

    components: Any  # gz-sim's entity component manager

    def model(self, name: str) -> Any:
        """gz-sim's model that is called `name` in our worlds of one robot."""
        ...


class ModelJoint:
    """One joint of a model: its state between two runs and in a step, and what moves it in the next step."""

    def __init__(self, models: Models, model: str, name: str) -> None:
        bindings = load()
        self._components = models.components
        self._joint = bindings.sim.Joint(models.model(model).joint_by_name(self._components, name))
        self._pair = bindings.math.Vector2d
        self._joint.enable_position_check(self._components, True)
        self._joint.enable_velocity_check(self._components, True)
        joint = self._joint
        self._set_limits = getattr(joint, "set_position_limits", None) or joint.set_position_imits  # so in release 8

    def position(self) -> float:
        """[rad or m] after the last step."""
        return float(self._joint.position(self._components)[0])

    def velocity(self) -> float:
        """[rad/s or m/s] after the last step."""
        return float(self._joint.velocity(self._components)[0])

    def exert(self, effort: float) -> None:
        """A torque or force [N m or N] in the next step alone."""
        self._joint.set_force(self._components, [effort])

    def drive(self, velocity: float) -> None:
        """Move at `velocity` [rad/s or m/s] in the next step alone, whatever that takes; not in a step of `put`."""
        self._joint.set_velocity(self._components, [velocity])

    def put(self, position: float, velocity: float) -> None:
        """Be there at the start of the next step."""
        self._joint.reset_position(self._components, [position])
        self._joint.reset_velocity(self._components, [velocity])

    def limit(self, lower: float, upper: float) -> None:
        """Limits of the position from the next step on."""
        self._set_limits(self._components, [self._pair(lower, upper)])


class ModelPlace:
    """Where a model that nothing moves is."""

    def __init__(self, models: Models, model: str) -> None:
        self._components, self._math = models.components, load().math
        self._model = models.model(model)

    def move(self, position: FloatArray) -> None:
        """Be at `position` (3,) [m], unturned, from the next step on."""
        pose = self._math.Pose3d(*np.asarray(position, dtype=np.float64).tolist(), 0.0, 0.0, 0.0)
        self._model.set_world_pose_cmd(self._components, pose)


class Server:
    """Runs the world called `world` in the SDF file `path`, which has these `models`.

    Raises:
        NafRobotError: gz-sim cannot load the world.
    """

    def __init__(self, path: Path, world: str, models: tuple[str, ...]) -> None:
        bindings = load()
        self._world, self._node = world, transport_node()
        self.components: Any = None
        self._before_step: Callable[[], None] = _nothing
        self._iterations = 0
        self.time_ns = 0  # gz-sim's own time at the end of the last step [ns]
        mine = WeakMethod(self._on_pre_update)  # else gz-sim's server and this object would keep one another

        def on_pre_update(info: Any, components: Any) -> None:
            if (method := mine()) is not None:
                method(info, components)

        with kept_signal_handlers():
            self._fixture = bindings.sim.TestFixture(str(path))
            self._fixture.on_pre_update(on_pre_update)
            self._fixture.finalize()
            self._server = self._fixture.server()
        absent = [name for name in models if not self._server.has_entity(name, 0)]
        if absent:
            raise NafRobotError(f"gz-sim did not load {', '.join(absent)} of {path.name}; its messages above say why")
        self.run(1)  # which makes the components

    def model(self, name: str) -> Any:
        """gz-sim's model called `name`."""
        sim = load().sim
        return sim.Model(sim.World(sim.world_entity(self.components)).model_by_name(self.components, name))

    def run(self, steps: int, before_step: Callable[[], None] | None = None) -> None:
        """Simulate so many physics steps, `before_step` before each of them.

        Raises:
            SimulationError: gz-sim stopped before.
        """
        begin, self._before_step = self._iterations, before_step or _nothing
        self._server.run(True, steps, False)
        if self._iterations - begin != steps:
            raise SimulationError(f"gz-sim ran {self._iterations - begin} of {steps} physics steps")

    def replace(self, models: Iterable[str], text: str) -> None:
        """Put the models in the SDF document `text` in the place of `models`, which takes two physics steps.

        Raises:
            SimulationError: gz-sim refused.
        """
        for name in models:
            self._request("remove", entity_message(name))
        self.run(1)
        self._request("create", factory_message(text))
        self.run(1)

    def _request(self, service: str, message: Any) -> None:
        answer = self._node.request(f"/world/{self._world}/{service}", message, type(message), boolean(), TIMEOUT_MS)
        if not (answer[0] and answer[1].data):
            raise SimulationError(f"gz-sim did not {service} a model of world {self._world!r}")

    def _on_pre_update(self, info: Any, components: Any) -> None:
        self._iterations += 1
        self.time_ns = round(info.sim_time / timedelta(microseconds=1)) * 1000
        self.components = components
        self._before_step()


def _nothing() -> None:
    """What is done before a step in which nothing is to be moved."""


@contextmanager
def kept_signal_handlers() -> Iterator[None]:
    """Signals belong to the process: gz-sim takes them for itself, here they are given back."""
    libc = ctypes.CDLL(None)
    kept = {number: ctypes.create_string_buffer(ACTION_BYTES) for number in SIGNALS}
    for number, action in kept.items():
        libc.sigaction(int(number), None, action)
    try:
        yield
    finally:
        for number, action in kept.items():
            libc.sigaction(int(number), action, None)
