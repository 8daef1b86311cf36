"""The one description of the system: which processes a training run consists of."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from naf_robot.bringup.lifecycle import with_lifecycle
from naf_robot.bringup.node_spec import NodeSpec, ParameterValue
from naf_robot.run import stop_times

STOP_COLLECTORS, STOP_TRAINER, STOP_CONTROL, STOP_ARM = range(4)


def training_system(
    config: Path, robots: Sequence[str], simulated: bool = True, sensor_nodes: Sequence[str] = (), restarts: int = 0
) -> list[NodeSpec]:
    """Every process of a training run whose resolved configuration is the file `config`.

    `sensor_nodes` are the executables that each robot needs for its sensors. With `simulated` false the drivers of
    arms and sensors are expected to run already, and time is wall time. Each process may be started again
    `restarts` times after it ended unexpectedly; on a real arm not `velocity_control`: its exit ends the run, because
    the arm may be moving. Each process has the SROS 2 enclave of its name, as docs/security.md makes them.
    """
    shared: dict[str, ParameterValue] = {"config": str(config)}
    robots_own = shared | {"use_sim_time": simulated}

    def node(name: str, stop_order: int, stop_within_s: float, decides: bool = False) -> NodeSpec:
        return NodeSpec(
            name,
            f"naf_robot.nodes.{name}",
            parameters=shared,
            stop_order=stop_order,
            stop_within_s=stop_within_s,
            decides=decides,
            restarts=restarts,
            enclave=f"/{name}",
        )

    def per_robot(one: NodeSpec) -> list[NodeSpec]:
        return [
            replace(one, namespace=robot, parameters=robots_own | {"robot": robot}, enclave=f"/{robot}/{one.name}")
            for robot in robots
        ]

    control = node("velocity_control", STOP_CONTROL, stop_times.VELOCITY_CONTROL_S)
    specs = [
        *([node("simulator", STOP_ARM, stop_times.SIMULATOR_S)] if simulated else []),
        *per_robot(control if simulated else replace(control, restarts=0)),
        *(spec for name in sensor_nodes for spec in per_robot(node(name, STOP_CONTROL, stop_times.SENSOR_NODE_S))),
        node("trainer", STOP_TRAINER, stop_times.TRAINER_S, decides=True),
        *per_robot(node("collector", STOP_COLLECTORS, stop_times.COLLECTOR_S)),
    ]
    return with_lifecycle(specs, config)
