"""The one description of the systems: which processes a trainer, robots, a simulation and a training run consist of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from naf_robot.bringup.lifecycle import with_lifecycle
from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.run import stop_times

STOP_COLLECTORS, STOP_TRAINER, STOP_CONTROL, STOP_ARM = range(4)
RECORDER_RESTARTS = 3  # at least: nothing else hangs on a recorder, and each start has a bag of its own
CLOCK, RESET = "/clock", "simulator/reset"  # of a simulator, wherever it runs


@dataclass(frozen=True)
class RobotNodes:
    """The robots of a machine, and what their nodes are started with."""

    names: Sequence[str]
    simulated: bool = True  # false: the drivers of arms and sensors run already, and time is wall time
    sensor_nodes: Sequence[str] = ()  # executables that each robot needs for its sensors
    restarts: int = 0  # how often each process is started again after it ended unexpectedly
    record: bool = False  # whether each robot has a recorder: it begins first and ends last, and a run goes on without
    cameras: Sequence[str] = ()  # those of the robots that have a node `camera`


def training_system(config: Path, robots: RobotNodes) -> list[NodeSpec]:
    """Every process of a training run on one machine, whose resolved configuration is the file `config`.

    It is the union of the three systems below. Each process has the SROS 2 enclave of its name, as docs/security.md
    makes them.
    """
    before, after = _robots(config, robots)
    simulation = simulation_system(config, robots.restarts) if robots.simulated else []
    return with_lifecycle([*simulation, *before, *trainer_system(config, robots.restarts), *after], config)


def trainer_system(config: Path, restarts: int = 0) -> list[NodeSpec]:
    """The trainer alone; robots on other machines find it on the graph. It decides when the run ends."""
    return [_node("trainer", config, STOP_TRAINER, stop_times.TRAINER_S, restarts, decides=True)]


def offline_system(config: Path) -> list[NodeSpec]:
    """The one process of a run that learns from stored steps alone. It is no node of ROS, and decides when it ends."""
    learner = NodeSpec(
        "trainer",
        "naf_robot.bringup.offline_process",
        extra_arguments=(str(config),),
        stop_order=STOP_TRAINER,
        stop_within_s=stop_times.TRAINER_S,
        decides=True,
    )
    return [learner]


def robot_system(config: Path, robots: RobotNodes) -> list[NodeSpec]:
    """The nodes of `robots`, which are on the machine that these run on.

    On a real arm `velocity_control` is not started again: its exit ends the system, because the arm may be moving.
    """
    before, after = _robots(config, robots)
    return with_lifecycle([*before, *after], config)


def simulation_system(config: Path, restarts: int = 0) -> list[NodeSpec]:
    """The simulator of all robots of `config`; its `/clock` is the time of their nodes."""
    return [_node("simulator", config, STOP_ARM, stop_times.SIMULATOR_S, restarts)]


def robot_machine_system(config: Path, robots: RobotNodes) -> list[NodeSpec]:
    """Everything on a robots' machine: `robot_system`, and with simulated arms their own simulator.

    Simulated time belongs to one simulator. So that of this machine is the topic `/<first robot>/clock`, and the
    simulator has a name and a service of its own: robots on other machines have theirs.
    """
    specs, first = robot_system(config, robots), robots.names[0]
    if not robots.simulated:
        return [_of_machine(spec, first) for spec in specs]
    own = [_of_machine(spec, first) for spec in (*simulation_system(config, robots.restarts), *specs)]
    return on_clock_of(first, own)


def on_clock_of(robot: str, specs: Sequence[NodeSpec]) -> list[NodeSpec]:
    """`specs` on the simulated time of the robots' machine whose first one is `robot`."""
    return [replace(spec, remappings=spec.remappings | {CLOCK: f"/{robot}{CLOCK}"}) for spec in specs]


def _robots(config: Path, robots: RobotNodes) -> tuple[list[NodeSpec], list[NodeSpec]]:
    """What of the robots is started before the trainer, where there is one, and what after it."""
    restarts = robots.restarts

    def per_robot(name: str, stop_order: int, stop_within_s: float, restarts: int) -> list[NodeSpec]:
        one = _node(name, config, stop_order, stop_within_s, restarts)
        own = one.parameters | {"use_sim_time": robots.simulated}
        return [
            replace(one, namespace=robot, parameters=own | {"robot": robot}, enclave=f"/{robot}/{name}")
            for robot in robots.names
        ]

    of_control = restarts if robots.simulated else 0
    control = per_robot("velocity_control", STOP_CONTROL, stop_times.VELOCITY_CONTROL_S, of_control)
    sensors = [s for n in robots.sensor_nodes for s in per_robot(n, STOP_CONTROL, stop_times.SENSOR_NODE_S, restarts)]
    pictures = per_robot("camera", STOP_CONTROL, stop_times.SENSOR_NODE_S, restarts)
    sensors += [camera for camera in pictures if camera.namespace in robots.cameras]
    recorders = per_robot("recorder", STOP_ARM, stop_times.RECORDER_S, max(restarts, RECORDER_RESTARTS))
    recorders = [replace(recorder, required=False) for recorder in recorders if robots.record]
    collectors = per_robot("collector", STOP_COLLECTORS, stop_times.COLLECTOR_S, restarts)
    return [*recorders, *control, *sensors], collectors


def _node(
    name: str, config: Path, stop_order: int, stop_within_s: float, restarts: int, decides: bool = False
) -> NodeSpec:
    return NodeSpec(
        name,
        f"naf_robot.nodes.{name}",
        parameters={"config": str(config)},
        stop_order=stop_order,
        stop_within_s=stop_within_s,
        decides=decides,
        restarts=restarts,
        enclave=f"/{name}",
    )


def _of_machine(spec: NodeSpec, robot: str) -> NodeSpec:
    """`spec` under a name that no other machine's process has: what is in no robot's namespace is named after one."""
    if spec.namespace:
        return spec
    remappings = {RESET: f"/{robot}/{RESET}"} if spec.name == "simulator" else {}
    return replace(spec, name=f"{spec.name}_{robot}", remappings=spec.remappings | remappings)
