"""Managed (lifecycle) nodes in a system: under the runner and under launch one node of ours brings them up."""

from collections.abc import Sequence
from pathlib import Path

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.run.stop_times import LIFECYCLE_S


def with_lifecycle(specs: Sequence[NodeSpec], config: Path) -> list[NodeSpec]:
    """`specs`, and if any of them is a lifecycle node, one that configures and activates those.

    It is stopped before everything else, and started again as often as the first that it looks after.
    """
    managed = [spec for spec in specs if spec.lifecycle]
    if not managed:
        return list(specs)
    lifecycle = NodeSpec(
        "lifecycle",
        "naf_robot.nodes.lifecycle",
        parameters={"config": str(config), "nodes": tuple(f"/{spec.label}" for spec in managed)},
        stop_order=min(spec.stop_order for spec in specs) - 1,
        stop_within_s=LIFECYCLE_S,
        restarts=managed[0].restarts,
        enclave="/lifecycle",
    )
    return [*specs, lifecycle]
