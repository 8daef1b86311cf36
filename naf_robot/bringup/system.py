"""The one description of the system: which processes a training run consists of."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from naf_robot.bringup.node_spec import NodeSpec, ParameterValue

STOP_COLLECTORS, STOP_TRAINER, STOP_CONTROL, STOP_ARM = range(4)


def training_system(
    config: Path, robots: Sequence[str], simulated: bool = True, sensor_nodes: Sequence[str] = (), restarts: int = 0
) -> list[NodeSpec]:
    """Every process of a training run whose resolved configuration is the file `config`.

    `sensor_nodes` are the executables that each robot needs for its sensors. With `simulated` false the drivers of
    arms and sensors are expected to run already, and time is wall time. Each process may be started again `restarts`
    times after it died; on a real arm not `velocity_control`: its death ends the run, for the arm may be moving.
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
        )

    def per_robot(one: NodeSpec) -> list[NodeSpec]:
        return [replace(one, namespace=robot, parameters=robots_own | {"robot": robot}) for robot in robots]

    control = node("velocity_control", STOP_CONTROL, 0.8)
    return [
        *([node("simulator", STOP_ARM, 0.4)] if simulated else []),
        *per_robot(control if simulated else replace(control, restarts=0)),
        *(spec for name in sensor_nodes for spec in per_robot(node(name, STOP_CONTROL, 0.9))),
        node("trainer", STOP_TRAINER, 2.2, decides=True),
        *per_robot(node("collector", STOP_COLLECTORS, 1.2)),
    ]
