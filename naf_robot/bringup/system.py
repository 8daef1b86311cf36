"""The one description of the system: which processes a training run consists of."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from naf_robot.bringup.node_spec import NodeSpec

STOP_COLLECTORS, STOP_TRAINER, STOP_CONTROL, STOP_ARM = range(4)


def training_system(
    config: Path, robots: Sequence[str], simulated: bool = True, door_imu: bool = False, restarts: int = 0
) -> list[NodeSpec]:
    """Every process of a training run whose resolved configuration is the file `config`.

    With `door_imu` each robot has a `door_sensor`. With `simulated` false the drivers of arms and IMUs
    are expected to run already, and time is wall time. Each process may be started again `restarts` times
    after it died; on a real arm not `velocity_control`: its death ends the run, for the arm may be moving.
    """
    common: dict[str, str | bool | int | float] = {"config": str(config), "use_sim_time": simulated}
    specs = []
    if simulated:
        specs.append(
            NodeSpec(
                "simulator",
                "naf_robot.nodes.simulator",
                parameters={"config": str(config)},
                stop_order=STOP_ARM,
                stop_within_s=0.4,
            )
        )
    for robot in robots:
        specs.append(
            NodeSpec(
                "velocity_control",
                "naf_robot.nodes.velocity_control",
                namespace=robot,
                parameters=common | {"robot": robot},
                stop_order=STOP_CONTROL,
                stop_within_s=0.8,
            )
        )
    for robot in robots if door_imu else ():
        specs.append(
            NodeSpec(
                "door_sensor",
                "naf_robot.nodes.door_sensor",
                namespace=robot,
                parameters=common | {"robot": robot},
                stop_order=STOP_CONTROL,
                stop_within_s=0.9,
            )
        )
    specs.append(
        NodeSpec(
            "trainer",
            "naf_robot.nodes.trainer",
            parameters={"config": str(config)},
            stop_order=STOP_TRAINER,
            stop_within_s=2.2,
            decides=True,
        )
    )
    for robot in robots:
        specs.append(
            NodeSpec(
                "collector",
                "naf_robot.nodes.collector",
                namespace=robot,
                parameters=common | {"robot": robot},
                stop_order=STOP_COLLECTORS,
                stop_within_s=1.2,
            )
        )
    return [
        spec if spec.name == "velocity_control" and not simulated else replace(spec, restarts=restarts)
        for spec in specs
    ]
