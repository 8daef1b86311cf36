"""The messages of sensors: their types by name, and made from signals."""

from functools import cache
from importlib import import_module
from typing import Any

from naf_robot.core.errors import ConfigError
from naf_robot.sensing.registry import SENSORS, make_sensor
from naf_robot.sensing.sensor import Sensor
from naf_robot.sensing.signals import Signals


@cache
def message_type(name: str) -> Any:
    """The message class called `name`, such as `sensor_msgs/msg/Imu`.

    Raises:
        ConfigError: there is none; its package may not be installed.
    """
    package, _, kind = name.partition("/msg/")
    try:
        return getattr(import_module(f"{package}.msg"), kind)
    except (ImportError, AttributeError, ValueError):
        raise ConfigError(
            f"there is no message type {name!r}; it must be package/msg/Type of an installed package"
        ) from None


def to_message(sensor: Sensor, signals: Signals, stamp_s: float, frame: str) -> Any:
    """One reading of `sensor`, taken at `stamp_s` [s] in `frame`, as its message."""
    message = message_type(sensor.message)()
    sensor.write(message, signals, stamp_s, frame)
    return message


def topics_and_types() -> dict[str, str]:
    """Message type names of all registered sensors by topic, as their settings are by default."""
    return {sensor.topic: sensor.message for sensor in map(make_sensor, SENSORS)}
