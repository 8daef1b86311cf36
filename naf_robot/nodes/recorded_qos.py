"""The quality of service that publishers of a topic offer, as rosbag2 writes it down."""

from collections.abc import Sequence
from typing import Any

import yaml
from rclpy.duration import Duration
from rclpy.qos import QoSProfile

BILLION = 1_000_000_000


def yaml_of(profiles: Sequence[QoSProfile]) -> str:
    """Profiles as YAML, each once."""
    found: list[dict[str, Any]] = []
    for profile in profiles:
        entry = _entry(profile)
        if entry not in found:
            found.append(entry)
    return str(yaml.safe_dump(found, sort_keys=False))


def _entry(qos: QoSProfile) -> dict[str, Any]:
    return {
        "history": qos.history.name.lower(),
        "depth": qos.depth,
        "reliability": qos.reliability.name.lower(),
        "durability": qos.durability.name.lower(),
        "deadline": _time(qos.deadline),
        "lifespan": _time(qos.lifespan),
        "liveliness": qos.liveliness.name.lower(),
        "liveliness_lease_duration": _time(qos.liveliness_lease_duration),
        "avoid_ros_namespace_conventions": qos.avoid_ros_namespace_conventions,
    }


def _time(duration: Duration) -> dict[str, int]:
    sec, nsec = divmod(duration.nanoseconds, BILLION)
    return {"sec": sec, "nsec": nsec}
